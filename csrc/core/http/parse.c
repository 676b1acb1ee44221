/* The framing parser: http-parser or llhttp, which differ in names alone. */
#include "http/parse.h"

#include <string.h>

#include "http/scan.h"

#ifdef WB_LLHTTP
#include "http/parse_llhttp.h"
#else
#include "http/parse_http_parser.h"
#endif

typedef struct reader {
    wb__lib parser;
    wb__sink sink; /* NULL: bytes of a body are an error */
    void *context;
    int sink_error;
    uint8_t headers_done, message_done;
    wb__framing seen;
} reader;

_Static_assert(sizeof(reader) <= WB__PARSE_SIZE, "WB__PARSE_SIZE");

static int
on_headers_complete(wb__lib *parser)
{
    reader *reader = parser->data;
    reader->headers_done = 1;
    reader->seen.chunked = (parser->flags & F_CHUNKED) != 0;
    reader->seen.length = (parser->flags & WB__LIB_LENGTH_FLAG) == 0
        ? -1
        : (int64_t)parser->content_length;
    /* Upgrade is ignored (RFC 9110 7.8): the message goes on as HTTP/1.1. */
    parser->upgrade = 0;
    return 0;
}

static int
on_body(wb__lib *parser, const char *data, size_t size)
{
    reader *reader = parser->data;
    if (reader->sink == NULL) {
        return WB__LIB_STOP; /* it sees a body where we see the header block */
    }
    reader->sink_error = reader->sink(reader->context, data, size);
    return reader->sink_error < 0 ? WB__LIB_STOP : 0;
}

static int
on_message_complete(wb__lib *parser)
{
    reader *reader = parser->data;
    reader->message_done = 1;
    return 0;
}

static const wb__lib_settings settings = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

/* Goes on from a state, which changes with it. */
static int
feed(reader *reader, wb__parse *parse, const char *data, size_t size)
{
    reader->parser.data = reader;
    int taken = wb__lib_feed(&reader->parser, &settings, data, size);
    memcpy(parse->state, reader, sizeof(*reader));
    if (reader->sink_error < 0) {
        return reader->sink_error;
    }
    return taken ? 0 : 400;
}

/* The request line is ours alone (any token is a method, RFC 9110 9.1, and
 * the library knows some), so the parser gets a canonical one. */
int
wb__parse_begin(wb__parse *parse, uint8_t minor_version)
{
    static const char lines[2][18]
        = { "POST / HTTP/1.0\r\n", "POST / HTTP/1.1\r\n" };
    reader reader = { .sink = NULL };
    wb__lib_init(&reader.parser, &settings);
    return feed(&reader, parse, lines[minor_version != 0], 17);
}

int
wb__parse_feed(wb__parse *parse, const char *data, size_t size)
{
    reader reader;
    memcpy(&reader, parse->state, sizeof(reader));
    int status = feed(&reader, parse, data, size);
    return status == 0 && reader.headers_done ? 400 : status;
}

int
wb__parse_try(const wb__parse *parse, const char *data, size_t size)
{
    reader reader;
    memcpy(&reader, parse->state, sizeof(reader));
    reader.parser.data = &reader;
    return wb__lib_feed(&reader.parser, &settings, data, size)
            && !reader.headers_done
        ? 0
        : 400;
}

/* ---- all values at once ------------------------------------------------- */

static int
same_state(const reader *left, const reader *right)
{
    reader a, b;
    memcpy(&a, left, sizeof(a));
    memcpy(&b, right, sizeof(b));
    a.parser.data = b.parser.data = NULL; /* of the last call */
    wb__lib_forget_size(&a.parser);
    wb__lib_forget_size(&b.parser);
    return memcmp(&a, &b, sizeof(a)) == 0;
}

int
wb__parse_same(const wb__parse *parse, const wb__parse *other)
{
    reader a, b;
    memcpy(&a, parse->state, sizeof(a));
    memcpy(&b, other->state, sizeof(b));
    return same_state(&a, &b);
}

/* Whether the parser takes a byte after `from`; `to` is the state it has then.
 */
static int
step(const reader *from, int byte, reader *to)
{
    char data = (char)byte;
    memcpy(to, from, sizeof(*to));
    to->parser.data = to;
    return wb__lib_feed(&to->parser, &settings, &data, 1);
}

/* The parser is a machine with states: once each byte of a value is seen to
 * leave it in the state that it was in, a value of any such bytes does, too.
 * Blanks before the value leave it in the state after the colon, the first
 * other byte takes it to the state `text`, and all that follow leave it there.
 */
int
wb__parse_takes_text(const wb__parse *parse)
{
    reader colon, text, next;
    memcpy(&colon, parse->state, sizeof(colon));
    if (!step(&colon, 'a', &text)) {
        return 0;
    }
    for (int byte = 0; byte < 256; byte++) {
        int blank = byte == ' ' || byte == '\t';
        if (!wb__is((char)byte, WB__VALUE)) {
            continue;
        }
        if (!step(&colon, byte, &next)
            || !same_state(&next, blank ? &colon : &text)
            || !step(&text, byte, &next) || !same_state(&next, &text)) {
            return 0;
        }
    }
    return step(&text, '\r', &next) && step(&next, '\n', &text)
        && !text.headers_done;
}

/* ---- the end of a head, and the body ------------------------------------ */

int
wb__parse_end(wb__parse *parse, const wb__framing *ours)
{
    reader reader;
    memcpy(&reader, parse->state, sizeof(reader));
    int status = feed(&reader, parse, "\r\n", 2);
    if (status != 0) {
        return status;
    }
    int no_body = !ours->chunked && ours->length <= 0;
    return reader.headers_done && reader.message_done == no_body
            && reader.seen.chunked == ours->chunked
            && reader.seen.length == ours->length
        ? 0
        : 400;
}

int
wb__parse_body(wb__parse *parse, const char *data, size_t size, int last,
               wb__sink sink, void *context)
{
    reader reader;
    memcpy(&reader, parse->state, sizeof(reader));
    reader.sink = sink;
    reader.context = context;
    int status = feed(&reader, parse, data, size);
    if (status != 0) {
        return status;
    }
    return reader.message_done == (last != 0) ? 0 : 400;
}

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)
const char wb__parse_version[] = WB__LIB_NAME TEXT(WB__LIB_MAJOR) "." TEXT(
    WB__LIB_MINOR) "." TEXT(WB__LIB_PATCH);
