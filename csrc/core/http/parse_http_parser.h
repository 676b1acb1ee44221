/* http-parser for parse.c. The only file that knows http_parser.h. */
#ifndef WB_PARSE_HTTP_PARSER_H
#define WB_PARSE_HTTP_PARSER_H

#include <http_parser.h>

/* It knows 34 methods; what a callback returns to stop it. */
enum { WB__LIB_LENGTH_FLAG = F_CONTENTLENGTH, WB__LIB_STOP = 1 };

typedef http_parser wb__lib;
typedef http_parser_settings wb__lib_settings;

#define WB__LIB_NAME  "http-parser "
#define WB__LIB_MAJOR HTTP_PARSER_VERSION_MAJOR
#define WB__LIB_MINOR HTTP_PARSER_VERSION_MINOR
#define WB__LIB_PATCH HTTP_PARSER_VERSION_PATCH

static inline void
wb__lib_init(wb__lib *parser, const wb__lib_settings *settings)
{
    (void)settings;
    http_parser_init(parser, HTTP_REQUEST);
}

/* Whether all of it was taken. */
static inline int
wb__lib_feed(wb__lib *parser, const wb__lib_settings *settings,
             const char *data, size_t size)
{
    return http_parser_execute(parser, settings, data, size) == size
        && HTTP_PARSER_ERRNO(parser) == HPE_OK;
}

/* How much of a head it has read is compared with a limit of 80 KiB, and
 * decides nothing else. */
static inline void
wb__lib_forget_size(wb__lib *parser)
{
    parser->nread = 0;
}

#endif
