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
    const char *host; /* numeric addresses, one a line; or "unix:/path" */
    const char *source; /* first source address ("127.0.0.1"), or "" */
    uint32_t sources; /* how many consecutive ones are used */
    uint32_t port;
    uint32_t connections;
    uint32_t pipeline; /* requests under way per connection, >= 1 */
    uint32_t per_connection; /* requests per connection; 0: no limit */
    uint32_t part, parts; /* one of several generators: 0 <= part < parts */
    uint8_t close; /* the request asks for "Connection: close" */
    uint8_t poisson; /* open loop: exponential gaps, else equal */
    uint8_t tls;
    uint8_t follow; /* so many redirects of a request, on the same origin;
                       needs pipeline 1, as cookies do */
    uint8_t cookies; /* each connection keeps those it is sent */
    uint8_t tls_resume; /* offer the session of an earlier handshake */
    uint64_t start_ns; /* not before this; 0: at once */
    uint64_t duration_ns; /* requests are started for so long */
    uint64_t max_requests; /* and no more than these; 0: no limit */
    uint64_t drain_ns; /* then answers are waited for so long */
    uint64_t timeout_ns; /* of one request, and of a connect */
    uint64_t window_ns;
    uint64_t connect_gap_ns; /* between the first connects */
    uint64_t think_ns, think_most_ns; /* closed loop: after an answer */
    uint64_t seed;
    uint32_t send_size; /* slow sender: bytes at a time; 0: all ... */
    uint64_t send_gap_ns; /* ... and the time between them */
    uint32_t read_size; /* slow reader, likewise */
    uint64_t read_gap_ns;
    const char *tls_name; /* to verify, and to send (SNI) unless it is an
                             address; or "" */
    const char *tls_ca; /* file to verify against; "": not verified */
    const char *tls_cert, *tls_key; /* files: the client's own; or "" */
} wl_config;

/* A request is pieces, one behind the other. All but WL_TEXT differ from
 * request to request; what they become follows from config.seed and the
 * number of the request alone, so a request that is sent again is the same.
 * Generator number `part` of `parts` sends the numbers part, part + parts,
 * part + 2 parts ... */
enum {
    WL_TEXT,    /* `text` as it is */
    WL_COUNT, /* first + the request's number modulo (last - first + 1), in at
                 least `width` decimal digits */
    WL_NUMBER, /* a random number of first ... last, likewise */
    WL_HEX, /* `width` random hexadecimal digits */
    WL_ADDRESS, /* an IPv4 address of 10.0.0.0/8; 16 million requests in a row
                   have different ones */
    WL_PICK, /* a text of the pool `first`, the same one wherever a request
                has a piece with this `draw` */
    WL_VISITOR, /* the text of the pool `first` that belongs to the number of
                   the connection */
    WL_SIZE /* the size in bytes of the pieces first ... last of this
               request: decimal, or hexadecimal if width is 16 */
};

typedef struct wl_piece {
    uint32_t kind, width, draw;
    uint64_t first, last;
    const char *text;
    size_t size;
} wl_piece;

typedef struct wl_request {
    const wl_piece *pieces;
    uint32_t piece_count;
    uint32_t route; /* answers are counted by route; < 65536 */
    uint8_t is_head; /* its method is HEAD */
    uint8_t closes; /* it says "Connection: close" */
    uint8_t check_body; /* 0: no, 1: every byte, 2: its length */
    const uint32_t *statuses; /* expected; none: any 2xx */
    uint32_t status_count;
    const char *body; /* expected, with check_body 1 */
    uint64_t body_size; /* of what is expected */
} wl_request;

/* Texts to be drawn from, one behind the other. Each is as likely as the
 * others, or by an alias table (Walker): text i of a uniform draw is kept if
 * a uniform number below 2^32 is less than keep[i], else alias[i] is taken. */
typedef struct wl_pool {
    const char *text;
    const uint32_t *ends; /* where each text ends */
    uint32_t count;
    const uint32_t *keep, *alias; /* NULL: each as likely */
} wl_pool;

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
/* Before the first wl_poll(); both copy what they are given. The number of
 * the pool, or of the request, counted from 0; or a negated errno. */
int wl_add_pool(wl_load *load, const wl_pool *pool);
int wl_add_request(wl_load *load, const wl_request *request);
/* Open loop: requests are due for so long at a rate that moves evenly from
 * `start` to `end` per second, and then as the next stage says. Without a
 * stage the loop is closed. Of several generators all are told the whole
 * rate. */
int wl_add_stage(wl_load *load, double seconds, double start, double end);
/* Which request when, over and over. Without it: one after the other. */
int wl_set_order(wl_load *load, const uint32_t *order, size_t count);
/* Works for at most timeout_ms: 1 there is more to do, 0 the run is over, or
 * a negated errno (-EINVAL without a request). */
int wl_poll(wl_load *load, int timeout_ms);
/* End early; a second call does not wait for answers either. Safe in a signal
 * handler. */
void wl_stop(wl_load *load);
void wl_live_now(const wl_load *load, wl_live *out);
/* Closed loop: so many of the connections work; the others end when they are
 * answered, or begin. At most config.connections, of which all do unless this
 * is called. */
int wl_set_users(wl_load *load, uint32_t users);
/* The run as JSON text, so far if it is not over: borrowed until the next
 * call. 0 or a negated errno (-EAGAIN before the first wl_poll()). */
int wl_result(wl_load *load, const char **text, size_t *size);
void wl_free(wl_load *load);

/* How fast the CPU that this thread runs on is now: the CPU time, in
 * nanoseconds, of a fixed piece of work (some 0.4 ms); 0: no memory for it.
 * Only to be held against other times of the same build and machine. */
uint64_t wl_yardstick(void);

/* cdef: end */

#ifdef __cplusplus
}
#endif

#endif
