/* The head of a request: from bytes to a request line and a header block, or
 * to the status that it is refused with. */
#ifndef WB_REQUEST_HEAD_H
#define WB_REQUEST_HEAD_H

#include "http/block.h"
#include "http/memo.h"
#include "http/request_line.h"

/* Bytes, but fields. `field`: 0 is none of its own. */
typedef struct wb__limits {
    uint32_t line, head, field, fields;
} wb__limits;

/* What the requests of one server have in common. */
typedef struct wb__parser {
    wb__limits limits;
    wb__reader reader;
    wb__memo memo;
} wb__parser;

/* What is remembered of one connection between two calls. Zero-initialised it
 * is at the start. */
typedef struct wb__cursor {
    uint32_t scanned; /* bytes of the header block that were looked at */
    uint32_t hint;    /* memo slot of the last one */
} wb__cursor;

enum wb__verdict {
    WB__MORE,    /* bytes are missing */
    WB__REQUEST, /* the head is complete */
    WB__REFUSED, /* see `status` */
    WB__END      /* of a body */
};

typedef struct wb__request_head {
    size_t skipped;   /* bytes of empty lines before it */
    size_t size;      /* of the head, behind those */
    wb__line line;    /* spans from there */
    wb__block *block; /* WB__REQUEST: a reference of the caller's */
    int status;       /* WB__REFUSED: 400 ... 505 */
} wb__request_head;

/* WB__MORE, too, sets `skipped`: these bytes need not come again. */
enum wb__verdict wb__request_head_read(wb__parser *parser, wb__cursor *cursor,
                                       const char *data, size_t size,
                                       wb__request_head *out);
void wb__parser_close(wb__parser *parser);

#endif
