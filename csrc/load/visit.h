/* What a connection's visitor remembers: cookies, and where a redirect leads.
 */
#ifndef WL_VISIT_H
#define WL_VISIT_H

#include <stddef.h>
#include <stdint.h>

#include "cookies.h"

enum {
    WL__TARGET = 2048,  /* of a target, and of a Location */
    WL__VISIT_ROOM = WL__TARGET + WL__JAR_ROOM + 64
};

typedef struct wl__visit {
    uint8_t keeps;   /* cookies */
    uint8_t most;    /* redirects of a request; 0: none is followed */
    uint8_t hops;    /* so far, of the request under way */
    uint8_t is_get;  /* a redirect made it one */
    uint16_t target; /* sizes */
    uint16_t location; /* 0: none, or none that can be used */
    uint16_t status; /* of the answer */
    wl__jar jar;
    char target_text[WL__TARGET], location_text[WL__TARGET];
} wl__visit;

/* A new request. */
void wl__visit_start(wl__visit *visit);
/* A whole head of a final answer. */
void wl__visit_head(wl__visit *visit, const char *data, size_t size,
                    uint16_t status);
/* Is the answer a redirect to the origin of `request`, and not one too many?
 * Then the next rendering leads there. */
int wl__visit_follow(wl__visit *visit, const char *request, size_t size,
                     int tls);
/* The request as it is sent now; `out` has room for twice its
 * size and WL__VISIT_ROOM. */
size_t wl__visit_render(const wl__visit *visit, const char *request,
                        size_t size, char *out);
void wl__visit_free(wl__visit *visit);

#endif
