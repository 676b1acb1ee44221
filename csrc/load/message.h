/* What is sent: pools of texts, and requests made of pieces.
 *
 * A request is not built before it is sent and not kept afterwards: its bytes
 * follow from the seed and its number, so that what the kernel did not take,
 * or has to be sent again, is made again. */
#ifndef WL_MESSAGE_H
#define WL_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "response.h"
#include "wsgibench_load.h"

enum { WL__STATUSES = 1000, WL__STATUS_WORDS = (WL__STATUSES + 63) / 64 };

typedef struct wl__pool {
    wl_pool is;     /* pointing into `memory` */
    char *memory;   /* owned */
    uint32_t longest;
} wl__pool;

typedef struct wl__request {
    wl_piece *pieces;         /* owned, with their texts behind them */
    uint32_t piece_count;
    uint32_t route;
    uint8_t closes;           /* none is sent behind it on a connection */
    size_t longest;           /* no rendering is longer */
    uint8_t is_fixed;         /* every rendering is its first piece */
    uint64_t statuses[WL__STATUS_WORDS]; /* expected: a bit for each */
    char *expected;           /* owned; NULL: none */
    wl__body body;            /* what is expected, pointing there */
} wl__request;

/* What a rendering depends on. */
typedef struct wl__turn {
    const wl__pool *pools;
    uint64_t seed, number, connection;
} wl__turn;

/* 0 or a negated errno; then `out` owns nothing. */
int wl__pool_copy(wl__pool *out, const wl_pool *pool);
void wl__pool_free(wl__pool *pool);
int wl__request_copy(wl__request *out, const wl_request *request,
                     const wl__pool *pools, uint32_t pool_count);
void wl__request_free(wl__request *request);
/* Writes the request to `out`, which has room for its longest; its size. */
size_t wl__request_render(const wl__request *request, const wl__turn *turn,
                          char *out);

static inline int
wl__request_expects(const wl__request *request, uint32_t status)
{
    return status < WL__STATUSES
        && (request->statuses[status / 64] >> (status % 64) & 1) != 0;
}

#endif
