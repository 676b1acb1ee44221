/* The run: connections, what is due, and what became of it.
 *
 * Requests are started by the schedule (open loop) or by the answer before
 * them (closed loop). Every request that was scheduled ends in exactly one
 * class. */
#ifndef WL_LOAD_H
#define WL_LOAD_H

#include <netinet/in.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <uv.h>

#include "histogram.h"
#include "message.h"
#include "response.h"
#include "visit.h"
#include "tls/tls.h"
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

enum {
    WL__KNOWN = 8,
    WL__SAMPLES = 8,
    WL__SAMPLE_ROOM = 256,
    WL__GATHER = 64
};

typedef struct wl__window {
    uint64_t start_ns, end_ns; /* since the start of the run */
    uint64_t cpu_ns;           /* of this process, so far */
    uint64_t scheduled, classes[WL__CLASSES];
    uint64_t p50_ns, p99_ns;   /* of service time; 0: none */
    wl__packed service, response;
    struct wl__route_window *routes; /* owned; route_count, or NULL */
} wl__window;

/* Requests that are told apart. */
typedef struct wl__route {
    uint64_t classes[WL__CLASSES];
    wl__histogram response, censored;
    struct { /* the window that is open */
        uint64_t classes[WL__CLASSES];
        wl__histogram response;
    } window;
} wl__route;

typedef struct wl__route_window {
    uint64_t classes[WL__CLASSES];
    wl__packed response;
} wl__route_window;

/* A request on its way. */
typedef struct wl__sent {
    uint64_t intended_ns; /* when the schedule wanted it */
    uint64_t sent_ns;     /* its first byte; 0: not yet */
    uint64_t number;      /* over all generators of the run */
    uint32_t request;
} wl__sent;

/* What was received when an answer was not ok. */
typedef struct wl__sample {
    enum wl__class class;
    uint32_t conn, request, size;
    uint64_t at_ns;
    char text[WL__SAMPLE_ROOM];
} wl__sample;

/* See conn.c for what leads from one to the other. */
enum wl__conn_state {
    WL__CLOSED,
    WL__CONNECTING,
    WL__SHAKING,
    WL__OPEN,
    WL__DEAF
};

typedef struct wl__conn {
    int fd;
    uint8_t state;      /* enum wl__conn_state */
    uint8_t is_idle;    /* stands in the queue of idle ones */
    uint8_t said_close; /* by a request: none is sent behind it */
    uint8_t address;    /* which of the load's is dialled */
    uint8_t ended;      /* the peer has sent its FIN */
    uint8_t is_watched; /* its socket is in the epoll set */
    uint32_t failed_addresses; /* one after the other */
    uint32_t number;
    uint32_t timer;     /* its place among the timers, from 1; 0: none */
    uint64_t due_ns;    /* when that goes off */
    uint32_t first, under_way; /* ring in `sent` ... */
    uint32_t unsent;    /* ... its last so many are not sent whole */
    uint32_t taken_here; /* requests on this connection */
    uint64_t send_offset; /* bytes sent of the first unsent one */
    uint64_t answered;  /* over all connections of this slot */
    uint64_t connect_ns; /* when the connect was started */
    uint64_t first_ns;  /* first byte of the response under way */
    /* What is done when; 0: nothing. */
    uint64_t retry_ns, send_at_ns, read_at_ns, think_ns;
    wl__response response;
    wb__tls *tls;       /* owned; NULL: plain */
    wl__sent *sent;     /* config.pipeline of them */
} wl__conn;

typedef struct wl__address {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    } is;
    socklen_t size;
} wl__address;

/* What goes out next: the requests of `sizes`, less what was sent before. */
typedef struct wl__batch {
    struct iovec pieces[WL__GATHER];
    size_t sizes[WL__GATHER]; /* of the whole requests */
    int count;
} wl__batch;

typedef struct wl__stage {
    double seconds, start, end; /* rate at its start and end */
} wl__stage;

struct wl_load {
    wl_config config;
    char *memory;              /* copies of what config points to */
    wl__pool *pools;
    wl__request *requests;
    uint32_t *order;           /* which request when; NULL: in turn */
    uint32_t pool_count, request_count, order_count;
    size_t longest; /* of the requests, in bytes */
    char *rendered; /* what is sent next, if it is made of pieces */
    size_t rendered_room;
    wl__visit *visits; /* one for each connection; NULL: not asked for */
    char *visited;     /* the request that is sent next, if there are any */
    size_t visited_room;
    uv_loop_t loop; /* timer and wake-up; see generator.c */
    uv_timer_t tick;
    uv_async_t wake;
    int epoll; /* our own set: edge-triggered, one system
                  call per connection */
    uint8_t loop_made, started, ending, over, interrupted;
    uint8_t open_loop; /* there are stages */
    uint8_t on_demand; /* open loop: dialled for each request */
    uint8_t slow; /* slow sender or reader */
    uint8_t is_near; /* all addresses are those of loopback */
    volatile int stop_asked;
    int error; /* why it ended early: negated errno; or 0 */
    wl__address *addresses;
    uint32_t address_count;
    wb__tls_context *tls;
    wl__conn *conns;
    wl__sent *sent_room;
    wl__conn **idle; /* ring of those that wait for work */
    uint32_t idle_first, idle_size;
    wl__conn **timers; /* a heap; see timers.c */
    uint32_t timer_count;
    uint64_t under_way; /* of all connections */
    uint64_t start_ns, end_ns, ended_ns, drain_until_ns, now_ns;
    uint64_t cpu_start_ns, cpu_end_ns, spin_ns;
    uint64_t request_at; /* requests taken so far */
    uint32_t dialled; /* connections started so far */
    uint32_t users, users_most; /* connections that work, and once did */
    uint32_t ticked; /* the last one the tick looked at */
    uint32_t still_open; /* connections open at the very end */
    uint64_t tick_ns; /* when libuv's loop is turned next */

    /* open loop: requests that are due while no connection is free */
    uint64_t *queue;
    uint64_t queue_cap, queue_first, queue_size;
    uint64_t starved; /* of them: the first so many found no
                         connection when they were due */
    uint64_t starved_total;
    wl__stage *stages;
    uint32_t stage_count, stage_at; /* the one of the next arrival ... */
    double stage_units, stage_seconds; /* ... and what was before it */
    double arrival_units; /* the integral of the rate so far */
    uint64_t next_arrival_ns;
    uint64_t random[4];

    uint64_t scheduled, classes[WL__CLASSES], ok_in_time;
    uint64_t connects, established, closes_seen, bytes_in, bytes_out;
    uint64_t opened_now, opened_most; /* connections open at once */
    uint64_t stray; /* connections that received bytes without a request */
    uint64_t redirects; /* answers that led on; they are in no class */
    uint64_t sent_again; /* requests behind an answer that said close */
    uint64_t statuses[WL__STATUSES]; /* answers by their status */
    uint64_t resent; /* segments sent again, of closed ones */
    wl__known known[WL__KNOWN];
    wl__histogram service, response, connect, first_byte, lag, censored;
    struct { /* the window that is open */
        uint64_t start_ns, end_ns, scheduled, classes[WL__CLASSES];
        wl__histogram service, response, first_byte;
    } window;
    wl__route *routes; /* NULL: there is only one */
    uint32_t route_count;
    wl__window *windows, drain;
    uint32_t window_count, window_cap;
    wl__sample samples[WL__SAMPLES];
    uint32_t sample_count;
    char *text; /* the last wl_result() */
    char read_buffer[65536];
};

uint64_t wl__now_ns(void);
uint64_t wl__cpu_ns(void);

/* socket.c; the calls' results are those of connect(2), send(2) ... */
int wl__addresses_init(wl_load *load); /* 0 or a negated errno */
int wl__socket_connect(const wl_load *load, wl__conn *conn);
int wl__socket_watch(const wl_load *load, wl__conn *conn, uint32_t writable);
void wl__socket_close(wl__conn *conn);
/* Ends the connection of a peer that has sent its FIN, as close(2) does; the
 * socket is then as it was before connect(2). 0: it has to be closed. */
int wl__socket_reuse(wl__conn *conn);
int wl__socket_error(const wl__conn *conn); /* an errno, or 0 */
/* Segments that our side sent again: the kernel's count for this very
 * connection, for the machine's counters rise by what others do too. */
uint64_t wl__socket_resent(const wl__conn *conn);
ssize_t wl__socket_send(const wl__conn *conn, wl__batch *batch);
ssize_t wl__socket_receive(const wl__conn *conn, char *data, size_t room);

/* batch.c; there is something unsent. */
void wl__batch_gather(const wl_load *load, const wl__conn *conn,
                      wl__batch *batch);
/* A request as it was asked for, without what the visit changes. */
struct iovec wl__batch_asked(const wl_load *load, const wl__conn *conn,
                             const wl__sent *sent, char *room);
/* 1: all of the batch is on its way. */
int wl__batch_account(wl_load *load, wl__conn *conn, const wl__batch *batch,
                      size_t sent);
wl__sent *wl__batch_unsent(const wl_load *load, const wl__conn *conn,
                           uint32_t offset);

/* timers.c */
void wl__timer_set(wl_load *load, wl__conn *conn, uint64_t due_ns);
/* A connection whose timer is due at now_ns, or NULL. */
wl__conn *wl__timer_due(const wl_load *load, uint64_t now_ns);

/* conn.c */
void wl__conn_start(wl_load *load, wl__conn *conn);
void wl__conn_event(wl_load *load, wl__conn *conn, uint32_t events);
void wl__conn_timer(wl_load *load, wl__conn *conn);
/* It works again, if it did not. */
void wl__conn_wake(wl_load *load, wl__conn *conn);
/* Is it too late? Called now and then. */
void wl__conn_check(wl_load *load, wl__conn *conn);
/* Open loop: requests that wait go to connections that do. */
void wl__conn_feed(wl_load *load);

/* end.c */
/* What is under way ends in this class, and the connection. */
void wl__conn_fail(wl_load *load, wl__conn *conn, enum wl__class class);
void wl__conn_close(wl_load *load, wl__conn *conn);

/* schedule.c */
void wl__schedule_init(wl_load *load);
/* Open loop: moves what is due into the queue. */
void wl__schedule_advance(wl_load *load);
/* May a request start now? Then *intended_ns is its time. */
int wl__schedule_take(wl_load *load, uint64_t *intended_ns);
/* The next request of the run: its number and which one it is. */
void wl__schedule_next(wl_load *load, wl__sent *sent);
/* What is left in the queue found no connection when it was due. */
void wl__schedule_starved(wl_load *load);

/* record.c */
void wl__record_ok(wl_load *load, wl__conn *conn, const wl__sent *sent);
void wl__record_failed(wl_load *load, enum wl__class class,
                       const wl__sent *sent);
void wl__record_windows(wl_load *load); /* closes windows that are over */
void wl__record_so_far(wl_load *load); /* closes the one that is open */
void wl__record_end(wl_load *load); /* nothing new is started */
void wl__record_drained(wl_load *load); /* nothing more is waited for */
void wl__record_sample(wl_load *load, const wl__conn *conn,
                       enum wl__class class, const char *data, size_t size);

/* generator.c */
int wl__loop_init(wl_load *load);

#endif
