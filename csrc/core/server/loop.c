/* Turning the loop, and what it calls back. */
#include "base/posix.h"

#include "server/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "server/attend.h"
#include "server/drain.h"
#include "server/input.h"
#include "server/lead.h"
#include "server/listener.h"
#include "server/lock.h"
#include "server/tick.h"
#include "server/turn.h"

enum {
    TICK_MS = 100, /* while something must be looked at again */
    LOG_MS = 500
};

/* ---- the tick ----------------------------------------------------------- */

void
wb__loop_schedule(wb_server *server)
{
    uint64_t now = wb__now_ms();
    int64_t next = wb__deadline_next(&server->deadlines, now);
    server->tick_due = UINT64_MAX;
    if (server->shared || server->draining || server->accept_again != 0) {
        next = next < 0 || next > TICK_MS ? TICK_MS : next;
    }
    if (server->log.size > 0) { /* what could not be written at once */
        next = next < 0 || next > LOG_MS ? LOG_MS : next;
    }
    if (next >= 0) {
        wb__tick_by(server, now + (uint64_t)next);
    }
}

void
wb__loop_on_tick(uv_timer_t *timer)
{
    wb_server *server = timer->data;
    enum wb__deadline_kind kind;
    wb__timed *timed;
    wb__server_lock(server);
    uint64_t now = wb__now_ms();
    while ((timed = wb__deadline_expired(&server->deadlines, now, &kind))
           != NULL) {
        wb__conn *conn
            = (wb__conn *)((char *)timed - offsetof(wb__conn, timed));
        wb__input_timeout(conn, kind);
    }
    if (server->accept_again != 0 && now >= server->accept_again) {
        wb__listener_resume(server);
    }
    wb__log_flush(server);
    wb__drain_step(server);
    wb__loop_schedule(server);
    wb__server_unlock(server);
}

void
wb__loop_on_async(uv_async_t *async)
{
    wb_server *server = async->data;
    wb__server_lock(server);
    wb__attend_all(server);
    wb__drain_step(server);
    wb__server_unlock(server);
}

void
wb_server_wake(wb_server *server)
{
    if (!wb__server_forked(server)) {
        uv_async_send(&server->async);
    }
}

/* ---- one turn and many ---------------------------------------------------
 */

static int
poll_once(wb_server *server, int timeout_ms)
{
    wb__attend_all(server);
    if (server->draining) {
        wb__drain_step(server);
        if (atomic_load(&server->stopped)) {
            return WB_STOPPED;
        }
    }
    if (server->ready > 0) {
        timeout_ms = 0;
    }
    server->changed = 0;
    wb__turn_for(server, timeout_ms);
    if (timeout_ms == 0) {
        /* What was added to the poll set is known to the kernel only after
         * the next turn; wb_server_fileno() is polled by callers. */
        for (int i = 0; server->changed && server->ready == 0 && i < 4; i++) {
            server->changed = 0;
            wb__turn_for(server, 0);
        }
    }
    return (int)server->ready;
}

/* While another thread turns the loop, in wb_request_wait(). 1: this one may
 * turn it, 0: a request is ready, or the time is over. */
static int
await_loop(wb_server *server, int timeout_ms)
{
    struct timespec until = wb__until(timeout_ms < 0 ? 0 : timeout_ms);
    while (!wb__server_on_loop(server)) {
        if (server->ready > 0 || atomic_load(&server->stopped)
            || wb__sleep_on(server, &server->progress_cond, timeout_ms, &until)
                != 0) {
            return 0;
        }
    }
    return 1;
}

/* One of several threads that run the application: turns the loop if it leads,
 * and otherwise waits until it is called. */
static int
poll_as_worker(wb_server *server, int timeout_ms)
{
    uint64_t until
        = wb__now_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms);
    int left = timeout_ms, ready = 0;
    while (!atomic_load(&server->stopped)) {
        if (wb__lead_claim(server)) {
            ready = poll_once(server, left);
        } else if (server->ready > 0 || server->resumable_first != NULL) {
            return (int)server->ready;
        } else if (left != 0) {
            wb__lead_sleep(server, left);
        }
        if (ready != 0 || left == 0) {
            wb__lead_turned(server);
            return ready;
        }
        if (timeout_ms > 0) {
            uint64_t now = wb__now_ms();
            left = now < until ? (int)(until - now) : 0;
        }
    }
    return WB_STOPPED;
}

int
wb_server_poll(wb_server *server, int timeout_ms)
{
    if (wb__server_forked(server)) {
        return WB_FORKED;
    }
    if (atomic_load(&server->stopped) || server->closing) {
        return WB_STOPPED;
    }
    wb__server_lock(server);
    int ready = server->config.threaded ? poll_as_worker(server, timeout_ms)
        : wb__server_on_loop(server) || await_loop(server, timeout_ms)
        ? poll_once(server, timeout_ms)
        : (int)server->ready;
    wb__server_unlock(server);
    return ready;
}

int
wb_server_run(wb_server *server)
{
    if (wb__server_forked(server)) {
        return WB_FORKED;
    }
    wb__server_lock(server);
    wb__lead_begin(server);
    while (!atomic_load(&server->stopped) && !server->closing) {
        if (server->lead.state != WB__LEAD_STANDBY) {
            wb__lead_watch(server);
            continue;
        }
        wb__attend_all(server);
        wb__drain_step(server);
        if (!atomic_load(&server->stopped)) {
            wb__turn(server, UV_RUN_ONCE);
            wb__lead_pass_on(server);
        }
    }
    wb__lead_end(server);
    wb__server_unlock(server);
    return 0;
}

int
wb_server_fileno(wb_server *server)
{
    return wb__server_forked(server) ? WB_FORKED
                                     : uv_backend_fd(&server->loop);
}

int
wb_server_timeout(wb_server *server)
{
    if (wb__server_forked(server)) {
        return -1;
    }
    if (server->ready > 0 || server->attention != NULL
        || server->resumable_first != NULL || server->changed) {
        return 0;
    }
    uv_timer_stop(&server->sleep); /* it only bounds wb_server_poll() */
    uv_update_time(&server->loop);
    return uv_backend_timeout(&server->loop);
}

/* ---- waking it by a descriptor ------------------------------------------ */

static void
on_wake(uv_poll_t *handle, int status, int events)
{
    wb_server *server = handle->data;
    char bytes[64];
    (void)status;
    (void)events;
    while (read(server->wake_pipe[0], bytes, sizeof(bytes)) > 0) {
    }
}

int
wb_server_wake_fd(wb_server *server)
{
    if (wb__server_forked(server)) {
        return WB_FORKED;
    }
    if (server->wake_pipe[0] < 0) {
        int ends[2], error;
        if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0) {
            return -errno;
        }
        error = uv_poll_init(&server->loop, &server->wake_poll, ends[0]);
        if (error == 0) {
            server->wake_poll.data = server;
            error = uv_poll_start(&server->wake_poll, UV_READABLE, on_wake);
        }
        if (error < 0) {
            close(ends[0]);
            close(ends[1]);
            return error;
        }
        server->wake_pipe[0] = ends[0];
        server->wake_pipe[1] = ends[1];
    }
    return server->wake_pipe[1];
}
