/* llhttp for parse.c. The only file that knows llhttp.h. */
#ifndef WB_PARSE_LLHTTP_H
#define WB_PARSE_LLHTTP_H

#include <llhttp.h>

/* It knows 46 methods; what a callback returns to stop it. */
enum { WB__LIB_LENGTH_FLAG = F_CONTENT_LENGTH, WB__LIB_STOP = HPE_USER };

typedef llhttp_t wb__lib;
typedef llhttp_settings_t wb__lib_settings;

#define WB__LIB_NAME  "llhttp "
#define WB__LIB_MAJOR LLHTTP_VERSION_MAJOR
#define WB__LIB_MINOR LLHTTP_VERSION_MINOR
#define WB__LIB_PATCH LLHTTP_VERSION_PATCH

static inline void
wb__lib_init(wb__lib *parser, const wb__lib_settings *settings)
{
    llhttp_init(parser, HTTP_REQUEST, settings);
}

/* Whether all of it was taken. It would go on with the next message, and to
 * it no bytes are a sign of nothing. */
static inline int
wb__lib_feed(wb__lib *parser, const wb__lib_settings *settings,
             const char *data, size_t size)
{
    (void)settings;
    return size == 0 || llhttp_execute(parser, data, size) == HPE_OK;
}

/* It does not count what it reads. */
static inline void
wb__lib_forget_size(wb__lib *parser)
{
    (void)parser;
}

#endif
