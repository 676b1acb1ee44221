/* The body of one request: bytes go in as the client sends them (framing is
 * taken off and checked here), and come out as the application reads. What
 * exceeds the memory allowance waits in an unlinked temporary file. */
#ifndef WB_BODY_H
#define WB_BODY_H

#include "base/buf.h"
#include "http/chunk.h"
#include "http/parse.h"
#include "wsgibench.h"

typedef struct wb__body {
    wb__parse parse;
    const wb_config *config;  /* the server's */
    uint64_t *memory_all;     /* the server's count of memory held */
    wb__chunk chunk;
    wb__framing framing;
    uint64_t received;        /* bytes of content */
    uint64_t read;            /* of them taken by the application */
    uint64_t mark;            /* `received` when the deadline was armed */
    uint64_t memory_start;    /* memory holds content from here on ... */
    wb__buf memory;           /* ... this; before it lies the file */
    int file;                 /* or -1 */
    uint64_t file_size;
    int error;                /* why the content could not be kept: -errno */
    uint8_t complete;
    uint8_t discarded;        /* content is dropped as it comes */
} wb__body;

/* `parse`: the parser at the end of the header block. 0, or the status to
 * refuse the message with (413, 503). */
int wb__body_new(const wb_config *config, uint64_t *memory_all,
                 const wb__framing *framing, const wb__parse *parse,
                 wb__body **out);
/* Takes what belongs to the body; *used tells how much that was. 0, or a
 * status: 400, 413, 431, or 500 without memory or a place in a file. */
int wb__body_feed(wb__body *body, const char *data, size_t size, size_t *used);
const char *wb__body_folder(const wb_config *config); /* of such files */
/* Bytes taken, 0 at the end, WB_AGAIN, or -errno. */
int64_t wb__body_read(wb__body *body, char *out, size_t size);
/* Bytes still to come, as far as the head of the message tells. */
uint64_t wb__body_rest(const wb__body *body);
/* From here on the content is framed and dropped. Returns the body. */
wb__body *wb__body_discard(wb__body *body);
void wb__body_free(wb__body *body);

#endif
