/* The run: connections, what is due, and what became of it.
 *
 * Requests are started by the schedule (open loop) or by the answer before
 * them (closed loop). Every request that was scheduled ends in exactly one
 * class. */
#ifndef WL_LOAD_H
#define WL_LOAD_H

#include <netinet/in.h>
#include <sys/un.h>
#include <uv.h>

#include "histogram.h"
#include "response.h"
#include "wsgibench_load.h"

enum wl__class {
    WL__OK,
    WL__BAD_STATUS,
    WL__BAD_BODY,
    WL__REFUSED,
    WL__CONNECT_TIMEOUT,
    WL__RESET,
    WL__EARLY_EOF,
    WL__PARSE_ERROR,
    WL__TIMEOUT,
    WL__UNSENT,
    WL__IN_FLIGHT,
    WL__CLASSES
};

extern const char *const wl__class_names[WL__CLASSES];

typedef struct wl__window {
    uint64_t start_ns, end_ns; /* since the start of the run */
    uint64_t ok, failed;
    uint64_t p50_ns, p99_ns, max_ns; /* of service time; 0: none */
} wl__window;

/* A request on its way. */
typedef struct wl__sent {
    uint64_t intended_ns; /* when the schedule wanted it */
    uint64_t sent_ns;
} wl__sent;

enum wl__conn_state { WL__CLOSED, WL__CONNECTING, WL__OPEN };

typedef struct wl__conn {
    int fd;
    uint8_t state;
    uint32_t number;
    uint32_t first, under_way; /* ring in `sent` */
    uint32_t sent_here;        /* requests on this connection */
    uint64_t answered;         /* over all connections of this slot */
    uint64_t connect_ns;       /* when the connect was started */
    uint64_t retry_ns;         /* closed after a failure: not before this */
    uint64_t first_ns;         /* first octet of the response under way */
    uint32_t pending_start, pending_end; /* of the request text the kernel
                                            did not take */
    wl__response response;
    struct wl__conn *next_idle;
    wl__sent *sent;            /* config.pipeline of them */
} wl__conn;

struct wl_load {
    wl_config config;
    char *memory;              /* copies of what config points to */
    uv_loop_t loop;
    uv_poll_t events;          /* our own epoll set: edge-triggered, one
                                  system call per connection */
    uv_timer_t tick;
    int epoll;
    uint8_t loop_made, started, ending, over, interrupted;
    volatile int stop_asked;
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } address;
    socklen_t address_size;
    wl__conn *conns;
    wl__conn *idle;            /* open, nothing under way (open loop) */
    wl__sent *sent_room;
    uint64_t start_ns, end_ns, drain_until_ns, now_ns;
    uint64_t cpu_start_ns, cpu_end_ns;
    uint32_t request_at;       /* next of the rendered requests */
    uint32_t dialled;          /* connections started so far */

    /* open loop: scheduled requests nobody could take yet */
    uint64_t *queue;
    uint64_t queue_cap, queue_first, queue_size;
    uint64_t next_arrival_ns, arrivals;
    uint64_t random[4];

    uint64_t scheduled, classes[WL__CLASSES];
    uint64_t connects, established, closes_seen, bytes_in, bytes_out;
    wl__known known;
    wl__body body;
    wl__histogram service, response, connect, first_byte, lag, window;
    wl__window *windows;
    uint32_t window_count, window_cap;
    uint64_t window_end_ns, window_ok, window_failed;
    char *text;                /* the last wl_result() */
    char read_buffer[65536];
};

uint64_t wl__now_ns(void);

/* conn.c */
void wl__conn_dial(wl_load *load, wl__conn *conn);
void wl__conn_ready(wl_load *load, wl__conn *conn, uint32_t events);
/* Sends as many requests as the loop model allows. */
void wl__conn_pump(wl_load *load, wl__conn *conn);
/* Gives up on what is under way. */
void wl__conn_fail(wl_load *load, wl__conn *conn, enum wl__class class);
void wl__conn_close(wl_load *load, wl__conn *conn);

/* schedule.c */
int wl__schedule_init(wl_load *load);
/* Open loop: moves what is due into the queue. */
void wl__schedule_advance(wl_load *load);
/* May a request start now? Then *intended_ns is its time. */
int wl__schedule_take(wl_load *load, uint64_t *intended_ns);

/* record.c */
void wl__record_ok(wl_load *load, wl__conn *conn, const wl__sent *sent);
void wl__record_failed(wl_load *load, enum wl__class class, uint64_t count);
void wl__record_window(wl_load *load); /* closes windows that are over */

#endif
