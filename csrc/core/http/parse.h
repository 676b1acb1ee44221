/* The framing parser behind a small interface. What http-parser and llhttp do
 * not share is in parse_http_parser.h and parse_llhttp.h; the build defines
 * WB_LLHTTP for the second.
 *
 * What is fed to it has passed our own validation (block.c, chunk.c). Its
 * verdict on the framing and ours must agree, or the message is refused: a
 * message that two parsers read in two ways is what request smuggling is made
 * of. The body bytes come out of it.
 */
#ifndef WB_PARSE_H
#define WB_PARSE_H

#include <stddef.h>
#include <stdint.h>

typedef struct wb__parse wb__parse;

/* Takes body bytes; below 0 stops the parser with that error. */
typedef int (*wb__sink)(void *context, const char *data, size_t size);

typedef struct wb__framing {
    uint8_t chunked;
    int64_t length; /* -1: no Content-Length */
} wb__framing;

/* Does the parser read this header block (ended by its empty line) as we
 * did? 0 or 400. */
int wb__parse_check(uint8_t minor_version, const char *block, size_t size,
                    const wb__framing *ours);
/* The same, and ready for the body. 0, 400, or WB_NOMEM. */
int wb__parse_new(uint8_t minor_version, const char *block, size_t size,
                  const wb__framing *ours, wb__parse **out);
/* Bytes of the body (and of no later message). 0, 400, or the sink's
 * error. `last`: the message ends with them. */
int wb__parse_body(wb__parse *parse, const char *data, size_t size, int last,
                   wb__sink sink, void *context);
void wb__parse_free(wb__parse *parse);
extern const char wb__parse_version[]; /* "http-parser 2.9.4" */

#endif
