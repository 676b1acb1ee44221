/* The framing parser behind a small interface. What http-parser and llhttp do
 * not share is in parse_http_parser.h and parse_llhttp.h; the build defines
 * WB_LLHTTP for the second.
 *
 * What is fed to it has passed our own validation (block.c, chunk.c). Its
 * verdict on the framing and ours must agree, or the message is refused: a
 * message that two parsers read in two ways is what request smuggling is made
 * of. The body bytes come out of it.
 *
 * The parser's state is a plain value that may be copied. So bytes that come
 * again and again - a request line, a field name - are read by it once, and
 * it goes on from a copy of the state that it had after them.
 */
#ifndef WB_PARSE_H
#define WB_PARSE_H

#include <stddef.h>
#include <stdint.h>

enum { WB__PARSE_SIZE = 192 };

typedef struct wb__parse {
    _Alignas(8) unsigned char state[WB__PARSE_SIZE];
} wb__parse;

/* Takes body bytes; below 0 stops the parser with that error. */
typedef int (*wb__sink)(void *context, const char *data, size_t size);

typedef struct wb__framing {
    uint8_t chunked;
    int64_t length; /* -1: no Content-Length */
} wb__framing;

/* The state after the request line of a POST. 0 or 400. */
int wb__parse_begin(wb__parse *parse, uint8_t minor_version);
/* A part of the header block, which has no body to give yet. 0 or 400. */
int wb__parse_feed(wb__parse *parse, const char *data, size_t size);
/* The same, with the state left as it was. */
int wb__parse_try(const wb__parse *parse, const char *data, size_t size);
/* Whether two states differ in nothing but how much was read. */
int wb__parse_same(const wb__parse *parse, const wb__parse *other);
/* For the state after a name and its colon: whether the parser takes every
 * value of at least one visible byte and none that is a control character
 * (HTAB is none), all with the same result. */
int wb__parse_takes_text(const wb__parse *parse);
/* The empty line. Does the parser frame the message as we did? 0 or 400. */
int wb__parse_end(wb__parse *parse, const wb__framing *ours);
/* Bytes of the body (and of no later message). 0, 400, or the sink's
 * error. `last`: the message ends with them. */
int wb__parse_body(wb__parse *parse, const char *data, size_t size, int last,
                   wb__sink sink, void *context);
extern const char wb__parse_version[]; /* "http-parser 2.9.4" */

#endif
