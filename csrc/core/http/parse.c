/* The framing parser: http-parser or llhttp, which differ in names alone. */
#include "http/parse.h"

#include <string.h>

#include "base/alloc.h"
#include "wsgibench.h"

#ifdef WB_LLHTTP
#include "http/parse_llhttp.h"
#else
#include "http/parse_http_parser.h"
#endif

struct wb__parse {
    wb__lib parser;
    wb__sink sink;
    void *context;
    int sink_error;
    uint8_t headers_done, message_done;
    wb__framing seen;
};

static int
on_headers_complete(wb__lib *parser)
{
    wb__parse *parse = parser->data;
    parse->headers_done = 1;
    parse->seen.chunked = (parser->flags & F_CHUNKED) != 0;
    parse->seen.length = (parser->flags & WB__LIB_LENGTH_FLAG) == 0
        ? -1
        : (int64_t)parser->content_length;
    /* Upgrade is ignored (RFC 9110 7.8): the message goes on as HTTP/1.1. */
    parser->upgrade = 0;
    return 0;
}

static int
on_body(wb__lib *parser, const char *data, size_t size)
{
    wb__parse *parse = parser->data;
    if (parse->sink == NULL) {
        return WB__LIB_STOP; /* it sees a body where we see the header block */
    }
    parse->sink_error = parse->sink(parse->context, data, size);
    return parse->sink_error < 0 ? WB__LIB_STOP : 0;
}

static int
on_message_complete(wb__lib *parser)
{
    wb__parse *parse = parser->data;
    parse->message_done = 1;
    return 0;
}

static const wb__lib_settings settings = {
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

static int
feed(wb__parse *parse, const char *data, size_t size)
{
    int taken = wb__lib_feed(&parse->parser, &settings, data, size);
    if (parse->sink_error < 0) {
        return parse->sink_error;
    }
    return taken ? 0 : 400;
}

/* The request line is ours alone (any token is a method, RFC 9110 9.1, and
 * the library knows some), so the parser gets a canonical one. */
static int
begin(wb__parse *parse, uint8_t minor_version, const char *block, size_t size,
      const wb__framing *ours)
{
    static const char lines[2][18]
        = { "POST / HTTP/1.0\r\n", "POST / HTTP/1.1\r\n" };
    memset(parse, 0, sizeof(*parse));
    wb__lib_init(&parse->parser, &settings);
    parse->parser.data = parse;
    int status = feed(parse, lines[minor_version != 0], 17);
    if (status == 0) {
        status = feed(parse, block, size);
    }
    if (status != 0) {
        return status;
    }
    int no_body = !ours->chunked && ours->length <= 0;
    return parse->headers_done && parse->message_done == no_body
            && parse->seen.chunked == ours->chunked
            && parse->seen.length == ours->length
        ? 0
        : 400;
}

int
wb__parse_check(uint8_t minor_version, const char *block, size_t size,
                const wb__framing *ours)
{
    wb__parse parse;
    return begin(&parse, minor_version, block, size, ours);
}

int
wb__parse_new(uint8_t minor_version, const char *block, size_t size,
              const wb__framing *ours, wb__parse **out)
{
    wb__parse *parse = wb__alloc(sizeof(*parse));
    if (parse == NULL) {
        return WB_NOMEM;
    }
    int status = begin(parse, minor_version, block, size, ours);
    if (status != 0) {
        wb__free(parse);
        return status;
    }
    *out = parse;
    return 0;
}

int
wb__parse_body(wb__parse *parse, const char *data, size_t size, int last,
               wb__sink sink, void *context)
{
    parse->sink = sink;
    parse->context = context;
    int status = feed(parse, data, size);
    if (status != 0) {
        return status;
    }
    return parse->message_done == (last != 0) ? 0 : 400;
}

void
wb__parse_free(wb__parse *parse)
{
    wb__free(parse);
}

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)
const char wb__parse_version[] = WB__LIB_NAME TEXT(WB__LIB_MAJOR) "." TEXT(
    WB__LIB_MINOR) "." TEXT(WB__LIB_PATCH);
