/* A threaded server: which thread turns the loop.
 *
 * Workers are the threads that call wb_server_poll() and run the application;
 * the standby is the thread in wb_server_run(). The one that turns the loop
 * leads. As long as the application is quick, a worker leads and answers what
 * it has read itself, so that no request crosses to another thread. When it is
 * held up - it sleeps, computes, waits for a database or a body - the standby
 * takes over the loop at its next look, and other workers take what is ready.
 *
 *   lead      who has it            what ends it
 *   FREE      no thread             a worker polls or takes: WORKER; none does
 *                                   for one look: STANDBY
 *   WORKER    the thread `leader`   a look that finds it away from the loop,
 *                                   and no step since the last look; it waits
 *                                   in wb_request_wait(): STANDBY
 *   STANDBY   the standby           requests are ready, a worker sleeps, and
 *                                   the application seems to be quick: FREE
 *
 *   who                   may
 *   worker that leads     turn the loop, take, answer
 *   other worker          take, answer; sleep until it is called
 *   standby that leads    turn the loop, call workers
 *   standby otherwise     look, every 50 to 800 us; sleep until the leader
 *                         comes from the loop, if it has made no step for
 *                         one look
 *
 * All of it happens under the server's lock, so two threads never lead. */
#ifndef WB_LEAD_H
#define WB_LEAD_H

#include <pthread.h>
#include <stdint.h>

struct wb_server;

enum wb__lead_state { WB__LEAD_FREE, WB__LEAD_WORKER, WB__LEAD_STANDBY };

typedef struct wb__lead {
    uint8_t state;
    uint8_t standby;   /* a thread is in wb_server_run() */
    uint8_t asleep;    /* it sleeps until the leader comes from the loop */
    pthread_t leader;  /* WORKER: that thread */
    uint32_t sleeping; /* workers that sleep, the called ones among them */
    uint32_t called;   /* of these: woken, and not awake yet */
    uint64_t steps;    /* of the leader: requests taken, turns ended */
    uint64_t seen;     /* steps at the last look */
    uint32_t watch_us; /* between two looks */
    uint32_t calm;     /* looks since that was last changed */
    uint32_t served;   /* requests that workers took while they led, since
                          the standby gave the lead away */
    uint32_t patience; /* requests before the standby gives it away again */
    uint32_t penalty;  /* the last patience; grows while leaders are held
                          up soon */
    pthread_cond_t awake; /* the standby's */
} wb__lead;

/* All of these with the lock. */

/* A worker: whether it leads; it does from now on if no thread did. */
int wb__lead_claim(struct wb_server *server);
/* A worker that leads comes from the loop. */
void wb__lead_turned(struct wb_server *server);
/* A worker has taken a request. */
void wb__lead_took(struct wb_server *server);
/* A worker that does not lead sleeps until it is called, at most timeout_ms
 * (-1: without a limit). */
void wb__lead_sleep(struct wb_server *server, int timeout_ms);
/* A connection whose request this thread has answered has input left. */
void wb__lead_resumed(struct wb_server *server);
/* This thread is about to wait: it does not lead. Whether another turns the
 * loop. */
int wb__lead_yield(struct wb_server *server);

/* The standby: begins; looks after a worker that leads, until it has the lead
 * or something else has happened; comes from the loop; ends. */
void wb__lead_begin(struct wb_server *server);
void wb__lead_watch(struct wb_server *server);
void wb__lead_pass_on(struct wb_server *server);
void wb__lead_end(struct wb_server *server);
/* Wakes all of them: the server has stopped, or is closed. */
void wb__lead_dismiss(struct wb_server *server);

#endif
