/* wsgibench: the load generator's public C interface.
 *
 * The same manners as wsgibench.h: the caller pulls. wl_poll() turns the loop
 * until the run is over; wl_result() then describes it as JSON. Times are
 * nanoseconds of CLOCK_MONOTONIC, sizes octets.
 *
 * Everything between the two cdef markers is also read by cffi.
 */
#ifndef WSGIBENCH_LOAD_H
#define WSGIBENCH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef: begin */

typedef struct wl_load wl_load; /* opaque */

/* Copied by wl_new(), with what it points to. */
typedef struct wl_config {
    const char *host;          /* numeric address, or "unix:/path" */
    const char *source;        /* first source address ("127.0.0.1"), or "" */
    uint32_t sources;          /* how many consecutive ones are used */
    uint32_t port;
    uint32_t connections;
    uint32_t pipeline;         /* requests under way per connection, >= 1 */
    uint32_t per_connection;   /* requests per connection; 0: no limit */
    uint8_t close;             /* the request asks for "Connection: close" */
    uint8_t poisson;           /* open loop: exponential gaps, else equal */
    uint32_t expect_status;
    uint8_t check_body;        /* compare every body with expect_body */
    uint64_t duration_ns;      /* requests are started for so long */
    uint64_t max_requests;     /* and no more than these; 0: no limit */
    uint64_t drain_ns;         /* then answers are waited for so long */
    uint64_t timeout_ns;       /* of one request, and of a connect */
    uint64_t window_ns;
    uint64_t connect_gap_ns;   /* between the first connects */
    double rate;               /* requests per second, open loop; 0: closed */
    uint64_t seed;
    const char *request;       /* rendered requests, one after another ... */
    size_t request_size;
    const uint32_t *request_ends; /* ... where each ends; used in turn */
    uint32_t request_count;
    const char *expect_body;
    size_t expect_size;
} wl_config;

typedef struct wl_live {
    uint64_t ok, failed, sent, connected;
    uint64_t elapsed_ns;
    uint64_t p50_ns, p99_ns; /* service time so far */
} wl_live;

void wl_config_init(wl_config *config);
/* 0, or a negated errno. */
int wl_new(const wl_config *config, wl_load **out);
/* Works for at most timeout_ms: 1 there is more to do, 0 the run is over, or
 * a negated errno. */
int wl_poll(wl_load *load, int timeout_ms);
void wl_stop(wl_load *load); /* end early; safe in a signal handler */
void wl_live_now(const wl_load *load, wl_live *out);
/* The run as JSON text: borrowed until the next call. 0 or a negated errno. */
int wl_result(wl_load *load, const char **text, size_t *size);
void wl_free(wl_load *load);

/* cdef: end */

#ifdef __cplusplus
}
#endif

#endif
