#include "base/posix.h"

#include "server/lead.h"

#include <time.h>

#include "server/lock.h"
#include "server/turn.h"

/* From one look of the standby to the next. */
enum {
    WATCH_US = 50,       /* after it has taken over, for CALM looks; then
                            twice as long, and again, up to ... */
    WATCH_LONG_US = 400, /* ... this while requests come, or ... */
    WATCH_IDLE_US = 800, /* ... this if they are fewer than FEW_STEPS in it;
                            if there are none it sleeps */
    CALM = 16,
    FEW_STEPS = 16
};

/* A worker that served fewer when it was held up has shown that the
 * application is not quick: the next try comes after twice as many requests as
 * the last. */
enum { FEW_SERVED = 16, FIRST_PENALTY = 4, MAX_PENALTY = 512 };

static int
leads(const wb__lead *lead)
{
    return lead->state == WB__LEAD_WORKER
        && pthread_equal(lead->leader, pthread_self());
}

/* Wakes a worker that sleeps, if fewer are on their way than are wanted. It
 * calls the next when it takes. */
static void
call(wb_server *server, uint32_t wanted)
{
    wb__lead *lead = &server->lead;
    if (lead->called < lead->sleeping && lead->called < wanted) {
        lead->called++;
        pthread_cond_signal(&server->ready_cond);
    }
}

/* ---- workers ------------------------------------------------------------ */

int
wb__lead_claim(wb_server *server)
{
    wb__lead *lead = &server->lead;
    if (lead->state == WB__LEAD_FREE) {
        lead->state = WB__LEAD_WORKER;
        lead->leader = pthread_self();
        return 1;
    }
    return leads(lead);
}

void
wb__lead_turned(wb_server *server)
{
    wb__lead *lead = &server->lead;
    if (leads(lead)) {
        lead->steps++;
        if (lead->asleep) {
            pthread_cond_signal(&lead->awake);
        }
    }
}

void
wb__lead_took(wb_server *server)
{
    wb__lead *lead = &server->lead;
    if (wb__lead_claim(server)) {
        lead->steps++;
        lead->served++;
        return;
    }
    if (lead->state == WB__LEAD_STANDBY) {
        call(server, server->ready); /* for what this one has left */
    } else if (server->ready > 0 && server->turning) {
        /* Taking has made pipelined requests ready: the leader's. */
        uv_async_send(&server->async);
    }
}

void
wb__lead_sleep(wb_server *server, int timeout_ms)
{
    wb__lead *lead = &server->lead;
    struct timespec until = wb__until(timeout_ms < 0 ? 0 : timeout_ms);
    lead->sleeping++;
    wb__sleep_on(server, &server->ready_cond, timeout_ms, &until);
    lead->sleeping--;
    if (lead->called > 0) { /* or its time was over: one more is called */
        lead->called--;
    }
}

void
wb__lead_resumed(wb_server *server)
{
    wb__lead *lead = &server->lead;
    if (lead->state == WB__LEAD_STANDBY) {
        call(server, UINT32_MAX);
    } else if (!leads(lead) && server->turning) {
        uv_async_send(&server->async);
    }
}

int
wb__lead_yield(wb_server *server)
{
    wb__lead *lead = &server->lead;
    if (lead->standby && (lead->state == WB__LEAD_FREE || leads(lead))) {
        lead->state = WB__LEAD_STANDBY;
        call(server, server->ready);
        pthread_cond_signal(&lead->awake);
    }
    return lead->standby || !wb__server_on_loop(server);
}

/* ---- the standby -------------------------------------------------------- */

void
wb__lead_begin(wb_server *server)
{
    wb__lead *lead = &server->lead;
    lead->standby = 1;
    lead->watch_us = WATCH_US;
    if (lead->state == WB__LEAD_FREE) {
        lead->state = WB__LEAD_STANDBY;
    }
}

static struct timespec
in_us(unsigned us)
{
    struct timespec when;
    clock_gettime(CLOCK_MONOTONIC, &when);
    when.tv_nsec += (long)us * 1000;
    if (when.tv_nsec >= 1000000000) {
        when.tv_sec++;
        when.tv_nsec -= 1000000000;
    }
    return when;
}

static void
take_over(wb_server *server)
{
    wb__lead *lead = &server->lead;
    if (lead->state == WB__LEAD_WORKER) {
        uint32_t next = lead->penalty == 0 ? FIRST_PENALTY : 2 * lead->penalty;
        lead->penalty = lead->served >= FEW_SERVED ? 0
            : next < MAX_PENALTY                   ? next
                                                   : MAX_PENALTY;
        lead->patience = lead->penalty;
    } /* else those who were called are not there yet */
    lead->state = WB__LEAD_STANDBY;
    lead->watch_us = WATCH_US;
    lead->calm = 0;
    call(server, server->ready);
}

/* How long until the next look, by the steps since the last; 0: until the
 * leader comes from the loop. */
static unsigned
next_look(const wb_server *server, wb__lead *lead)
{
    uint64_t made = lead->steps - lead->seen;
    if (made == 0 && server->turning) {
        if (lead->watch_us >= WATCH_IDLE_US) {
            return 0;
        }
        lead->watch_us *= 2;
    } else if (lead->watch_us > WATCH_LONG_US && made >= FEW_STEPS) {
        lead->watch_us /= 2;
    } else if (lead->watch_us < WATCH_LONG_US && ++lead->calm >= CALM) {
        lead->watch_us *= 2;
        lead->calm = 0;
    }
    return lead->watch_us;
}

void
wb__lead_watch(wb_server *server)
{
    wb__lead *lead = &server->lead;
    unsigned us = next_look(server, lead);
    lead->seen = lead->steps;
    if (us == 0) {
        lead->asleep = 1;
        pthread_cond_wait(&lead->awake, &server->lock);
        lead->asleep = 0;
        return;
    }
    struct timespec until = in_us(us);
    pthread_cond_timedwait(&lead->awake, &server->lock, &until);
    if (lead->state != WB__LEAD_STANDBY && !server->turning
        && lead->steps == lead->seen) {
        take_over(server);
    }
}

void
wb__lead_pass_on(wb_server *server)
{
    wb__lead *lead = &server->lead;
    uint32_t ready = server->ready;
    if (ready == 0) {
        return;
    }
    if (lead->patience > 0) {
        lead->patience -= ready < lead->patience ? ready : lead->patience;
    } else if (lead->sleeping > lead->called) {
        lead->state = WB__LEAD_FREE;
        lead->served = 0;
    }
    call(server, server->ready);
}

void
wb__lead_end(wb_server *server)
{
    wb__lead *lead = &server->lead;
    lead->standby = 0;
    if (lead->state == WB__LEAD_STANDBY) {
        lead->state = WB__LEAD_FREE;
    }
    wb__server_progress(server); /* wb_server_close() may wait for it */
}

void
wb__lead_dismiss(wb_server *server)
{
    pthread_cond_broadcast(&server->ready_cond);
    pthread_cond_broadcast(&server->lead.awake);
}
