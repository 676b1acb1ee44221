/* A header block: the field lines of one request head, checked, framed, and
 * with their names in CGI form.
 *
 * In: the bytes from the end of the request line to the end of the empty
 * line, split into lines. Out: one allocation, counted by references, holding
 * the public wb_fields, the framing facts and a copy of the bytes (to
 * recognise the same block when it comes again, see memo.h).
 */
#ifndef WB_BLOCK_H
#define WB_BLOCK_H

#include "http/lines.h"
#include "http/names.h"
#include "http/parse.h"
#include "wsgibench.h"

enum wb__block_flag {
    WB__HAS_HOST = 1,
    WB__HAS_TE = 2,      /* a Transfer-Encoding field */
    WB__TE_UNKNOWN = 4,  /* chunked last, but a coding before it: 501 */
    WB__CLOSE = 8,       /* Connection: close */
    WB__KEEP_ALIVE = 16, /* Connection: keep-alive */
    WB__CONTINUE = 32,   /* Expect: 100-continue */
    WB__EXPECT = 64,     /* an expectation we do not know */
    WB__HAS_TYPE = 128,  /* a Content-Type field */
    WB__UPGRADE = 256    /* Connection: upgrade */
};

typedef struct wb__block {
    wb_fields fields;  /* public part; the rest follows the struct */
    wb__field_names *names; /* a reference */
    uint32_t refs;
    uint32_t hash;
    uint32_t raw_size;
    uint32_t slot;     /* in the memo, or WB_NO_SLOT */
    uint32_t used;     /* found there, since it was put in */
    uint32_t flags;
    wb__framing framing;
    uint8_t minor_version; /* of the requests that carry it */
    const char *raw;   /* inside this allocation */
    wb__parse parse;   /* the framing parser at its end, if a body follows */
} wb__block;

/* What blocks have in common, kept by the server. */
typedef struct wb__reader {
    wb__lines lines;
    wb__names names;
} wb__reader;

/* The block of the lines that wb__lines_split() has just found, `size` bytes
 * in all. 0, or the status to refuse it with, or WB_NOMEM. */
int wb__block_new(wb__reader *reader, const char *data, uint32_t size,
                  uint8_t minor_version, uint32_t max_fields, wb__block **out);
void wb__block_unref(wb__block *block);
void wb__reader_close(wb__reader *reader);

#endif
