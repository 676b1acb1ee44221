/* A strict reader of chunked framing, RFC 9112 section 7.1: finds where the
 * message ends and refuses what the grammar does not allow. It runs over the
 * bytes before the framing parser does and produces nothing itself. */
#ifndef WB_CHUNK_H
#define WB_CHUNK_H

#include <stddef.h>
#include <stdint.h>

typedef struct wb__chunk {
    uint64_t left;    /* size while it is read, then data still to come */
    uint64_t total;   /* of all chunk sizes */
    uint32_t extra;   /* bytes of extensions and trailers so far */
    uint8_t state;    /* 0 at the start */
    uint8_t digits;   /* of this chunk's size */
    uint8_t done;     /* the message has ended */
} wb__chunk;

/* What was read of some bytes: `size` for the framing parser, and after them
 * `extension` bytes of a chunk-ext. Those decide nothing and are judged here
 * alone: llhttp refuses blanks in them, which RFC 9112 7.1.1 allows. */
typedef struct wb__chunk_part {
    size_t size, extension;
} wb__chunk_part;

/* Reads on: all of it, or up to the end of an extension or of the message
 * (see `done`). 0, or the status to refuse it with. `max_extra` bounds
 * extensions and trailers of one message together. */
int wb__chunk_read(wb__chunk *chunk, const char *data, size_t size,
                   uint32_t max_extra, wb__chunk_part *part);

#endif
