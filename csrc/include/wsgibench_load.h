/* wsgibench: the load generator's public C interface.
 *
 * The same manners as wsgibench.h: the caller pulls. wl_poll() turns the loop
 * until the run is over; wl_result() then describes it as JSON. Times are
 * nanoseconds of CLOCK_MONOTONIC, sizes bytes.
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
    const char *source; /* first source address ("127.0.0.1"), or "" */
    uint32_t sources; /* how many consecutive ones are used */
    uint32_t port;
    uint32_t connections;
    uint32_t pipeline; /* requests under way per connection, >= 1 */
    uint32_t per_connection; /* requests per connection; 0: no limit */
    uint8_t close; /* the request asks for "Connection: close" */
    uint8_t poisson; /* open loop: exponential gaps, else equal */
    uint8_t check_body; /* 0: no, 1: every byte, 2: its length */
    uint8_t tls;
    uint8_t tls_resume; /* offer the session of an earlier handshake */
    uint32_t expect_status; /* 0: any 2xx */
    uint64_t expect_length; /* of a body, with check_body 2 */
    uint64_t start_ns; /* not before this; 0: at once */
    uint64_t duration_ns; /* requests are started for so long */
    uint64_t max_requests; /* and no more than these; 0: no limit */
    uint64_t drain_ns; /* then answers are waited for so long */
    uint64_t timeout_ns; /* of one request, and of a connect */
    uint64_t window_ns;
    uint64_t connect_gap_ns; /* between the first connects */
    double rate; /* requests per second, open loop; 0: closed */
    double rate_end; /* at the end of a ramp; 0: as `rate` */
    uint64_t seed;
    uint32_t send_size; /* slow sender: bytes at a time; 0: all ... */
    uint64_t send_gap_ns; /* ... and the time between them */
    uint32_t read_size; /* slow reader, likewise */
    uint64_t read_gap_ns;
    const char *tls_name; /* server's name (SNI), or "" */
    const char *tls_ca; /* file to verify against; "": not verified */
    const char *request; /* rendered requests, one after another ... */
    size_t request_size;
    const uint32_t *request_ends; /* ... where each ends */
    uint32_t request_count;
    const uint32_t *order; /* which one when, over and over; */
    uint32_t order_count; /* 0: one after the other */
    const char *expect_body; /* bodies, one after another ... */
    size_t expect_size;
    const uint32_t *expect_ends; /* ... where each ends: one for all requests,
                                    or one for each */
    uint32_t expect_count;
} wl_config;

typedef struct wl_live {
    uint64_t ok, failed, sent, connected;
    uint64_t elapsed_ns;
    uint64_t p50_ns, p99_ns; /* response time up to the last window */
} wl_live;

void wl_config_init(wl_config *config);
/* Whether `tls` can be asked for. */
int wl_has_tls(void);
/* 0, or a negated errno: -ENOTSUP for tls when it is not built in. */
int wl_new(const wl_config *config, wl_load **out);
/* Works for at most timeout_ms: 1 there is more to do, 0 the run is over, or
 * a negated errno. */
int wl_poll(wl_load *load, int timeout_ms);
/* End early; a second call does not wait for answers either. Safe in a signal
 * handler. */
void wl_stop(wl_load *load);
void wl_live_now(const wl_load *load, wl_live *out);
/* The run as JSON text: borrowed until the next call. 0 or a negated errno. */
int wl_result(wl_load *load, const char **text, size_t *size);
void wl_free(wl_load *load);

/* cdef: end */

#ifdef __cplusplus
}
#endif

#endif
