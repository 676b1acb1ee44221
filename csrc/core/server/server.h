/* What a server is: listener, loop, ready queue, and everything that its
 * connections share. */
#ifndef WB_SERVER_H
#define WB_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/fork.h"
#include "http/request_head.h"
#include "http/response_head.h"
#include "net/stream.h"
#include "server/deadline.h"
#include "server/lead.h"
#include "server/log.h"
#include "server/metrics.h"
#include "server/proxied.h"

enum { WB__READ_BUFFER = 65536 };

struct wb__conn;
struct wb__request;

struct wb_server {
    wb_config config;
    char *strings;         /* copies of config.server_name, temp_dir */
    wb__tls_context *tls;  /* NULL: plain */
    uv_loop_t loop;
    uv_poll_t listener;
    uv_async_t async;
    uv_timer_t tick;       /* see tick.h */
    uv_timer_cb on_tick;   /* loop.c */
    uv_poll_cb on_poll;    /* of connections: input.c */
    uv_timer_t sleep;      /* bounds a poll ... */
    uint64_t sleep_due;    /* ... and ends then; ms */
    uint8_t accepting;     /* the listener is polled */
    uint8_t listener_open;
    uint8_t closing;       /* wb_server_close() was called */
    uint8_t disowned;      /* closed in a child of its process */
    uint8_t is_tcp;
    uint8_t draining;      /* a stop is under way */
    uint8_t changed;       /* the poll set: see wb_server_poll() */
    uint64_t drain_until;  /* ms */
    uint64_t drain_warm;   /* ms: see drain.c */
    uint64_t drain_listen; /* ms: when the listener is closed */
    uint64_t accept_again; /* ms; after EMFILE; 0: not */
    uint64_t runs;         /* of the loop; the polling thread's own */
    uint64_t accept_run;   /* when it was last asked how many to let in */
    uint64_t accept_answers; /* stats.responses then */
    uint32_t accept_busy;  /* see batch() in listener.c */
    uint64_t tick_due;     /* ms; UINT64_MAX: no tick is set */

    struct wb__conn *conns; /* ring by prev/next, or NULL */
    struct wb__conn *attention; /* see attention.h */
    struct wb__conn *resumable_first, *resumable_last;
    struct wb__request *ready_first, *ready_last;
    uint32_t ready;
    struct wb__request *free_requests;
    uint32_t free_count;
    uint64_t taken_ms;     /* when the last request was handed over ... */
    uint8_t quick;         /* ... and the one before came back in no time */

    wb__outlet outlet;
    unsigned process;      /* wb__process_number of its maker */
    uint32_t references;   /* requests that are held, and the caller's own */

    wb__deadlines deadlines;
    wb__parser parser;
    wb__responder responder;
    wb__log log;
    wb__metrics metrics;
    wb__proxied proxied;
    wb_stats stats;

    /* Several threads may call: threaded, or a request has been held. Then
     * `lock` guards all of the above; who turns the loop holds it in
     * callbacks, never while it sleeps. */
    uint8_t shared;
    uint8_t turning;              /* the loop, by loop_thread */
    uint8_t lock_made;
    pthread_t loop_thread;
    pthread_mutex_t lock;
    wb__lead lead;                /* who that is, with threads */
    pthread_cond_t ready_cond;    /* a request is ready, or it is over */
    pthread_cond_t progress_cond; /* a body grew, an output drained, a request
                                     ended, no thread turns the loop */

    atomic_int stop_grace; /* -1: no stop asked */
    atomic_int stopped;
    atomic_uint_fast64_t turns; /* written by the polling thread alone */
    int wake_pipe[2]; /* or -1: see wb_server_wake_fd() */
    uv_poll_t wake_poll;

    char read_buffer[WB__READ_BUFFER];
};

#endif
