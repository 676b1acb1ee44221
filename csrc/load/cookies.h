/* What a visitor keeps of Set-Cookie, and says of it. */
#ifndef WL_COOKIES_H
#define WL_COOKIES_H

#include <stdint.h>

#include "span.h"

enum {
    WL__COOKIES = 50,  /* of a visitor; the oldest gives way */
    WL__COOKIE = 4096, /* bytes of name, value and path */
    WL__JAR_ROOM = WL__COOKIES * (WL__COOKIE + 2)
};

typedef struct wl__cookie {
    char *text; /* owned: name=value, and behind it the path */
    uint16_t name, size, path;
    int64_t expires; /* seconds of the epoch; 0: never */
} wl__cookie;

typedef struct wl__jar {
    uint32_t count;
    wl__cookie cookies[WL__COOKIES];
} wl__jar;

/* The value of a Set-Cookie; what is no cookie is ignored. */
void wl__jar_set(wl__jar *jar, wl__span line);
/* Those that go to `target`, with `before` in front of the first and "; "
 * between two; `out` has room for WL__JAR_ROOM and `before`. Returns the end.
 */
char *wl__jar_put(const wl__jar *jar, char *out, wl__span target,
                  const char *before);
void wl__jar_free(wl__jar *jar);

#endif
