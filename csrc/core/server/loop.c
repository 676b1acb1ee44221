/* Turning the loop, and waiting for it. */
#include "base/posix.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/server.h"

/* ---- waiting for another thread ------------------------------------------
 */

static struct timespec
after(int timeout_ms)
{
    struct timespec when;
    clock_gettime(CLOCK_MONOTONIC, &when);
    when.tv_sec += timeout_ms / 1000;
    when.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (when.tv_nsec >= 1000000000) {
        when.tv_sec++;
        when.tv_nsec -= 1000000000;
    }
    return when;
}

/* 0: signalled (or spuriously awake), ETIMEDOUT.
 */
static int
sleep_on(wb_server *server, pthread_cond_t *cond, int timeout_ms,
         const struct timespec *until)
{
    return timeout_ms < 0 ? pthread_cond_wait(cond, &server->lock)
                          : pthread_cond_timedwait(cond, &server->lock, until);
}

/* ---- one turn ----------------------------------------------------------- */

static void
on_sleep(uv_timer_t *timer)
{
    (void)timer; /* it has done its work by ending the wait */
}

void
wb__server_count_turn(wb_server *server)
{
    /* One writer: no locked instruction is needed. */
    uint_fast64_t turns
        = atomic_load_explicit(&server->turns, memory_order_relaxed);
    atomic_store_explicit(&server->turns, turns + 1, memory_order_relaxed);
}

uint64_t
wb_server_turns(wb_server *server)
{
    return atomic_load_explicit(&server->turns, memory_order_relaxed);
}

/* Called with the lock, which is given away meanwhile. */
void
wb__server_turn(wb_server *server, uv_run_mode mode)
{
    server->loop_thread = pthread_self();
    server->turning = 1;
    wb__metrics_turn_begins(server);
    wb__server_unlock(server);
    uv_run(&server->loop, mode);
    wb__server_lock(server);
    wb__metrics_turn_ended(server);
    server->turning = 0;
    server->runs++;
    wb__server_count_turn(server);
    wb__server_progress(server);
}

/* One uv_run(). libuv has no bound for it but a timer. */
static void
turn(wb_server *server, int timeout_ms)
{
    uv_run_mode mode = timeout_ms == 0 ? UV_RUN_NOWAIT : UV_RUN_ONCE;
    if (timeout_ms > 0) {
        uv_update_time(&server->loop);
        uv_timer_start(&server->sleep, on_sleep, (uint64_t)timeout_ms, 0);
    }
    wb__server_turn(server, mode);
    if (timeout_ms > 0) {
        uv_timer_stop(&server->sleep);
    }
}

static int
poll_once(wb_server *server, int timeout_ms)
{
    wb__server_attend_all(server);
    if (server->draining) {
        wb__server_drain_step(server);
        if (atomic_load(&server->stopped)) {
            return WB_STOPPED;
        }
    }
    if (server->ready > 0) {
        timeout_ms = 0;
    }
    server->changed = 0;
    turn(server, timeout_ms);
    if (timeout_ms == 0) {
        /* What was added to the poll set is known to the kernel only after
         * the next turn; whoever watches wb_server_fileno() relies on it. */
        for (int i = 0; server->changed && server->ready == 0 && i < 4; i++) {
            server->changed = 0;
            turn(server, 0);
        }
    }
    return (int)server->ready;
}

/* While another thread turns the loop, in wb_request_wait(). 1: this one may
 * turn it, 0: a request is ready, or the time is over. */
static int
await_loop(wb_server *server, int timeout_ms)
{
    struct timespec until = after(timeout_ms < 0 ? 0 : timeout_ms);
    while (!wb__server_on_loop(server)) {
        if (server->ready > 0 || atomic_load(&server->stopped)
            || sleep_on(server, &server->progress_cond, timeout_ms, &until)
                != 0) {
            return 0;
        }
    }
    return 1;
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
    int ready = wb__server_on_loop(server) || await_loop(server, timeout_ms)
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
    while (!atomic_load(&server->stopped) && !server->closing) {
        wb__server_attend_all(server);
        wb__server_drain_step(server);
        if (!atomic_load(&server->stopped)) {
            wb__server_turn(server, UV_RUN_ONCE);
        }
    }
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
    if (server->ready > 0 || server->attention != NULL || server->changed) {
        return 0;
    }
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

/* ---- requests that wait ------------------------------------------------- */

wb_request *
wb_server_wait(wb_server *server, int timeout_ms)
{
    struct timespec until = after(timeout_ms < 0 ? 0 : timeout_ms);
    wb_request *request;
    if (wb__server_forked(server)) {
        return NULL;
    }
    wb__server_lock(server);
    while ((request = wb__server_take(server)) == NULL
           && !atomic_load(&server->stopped)
           && sleep_on(server, &server->ready_cond, timeout_ms, &until) == 0) {
    }
    wb__server_unlock(server);
    return request;
}

/* What a waiting request waits for: 1 it is there, 0 not yet, WB_GONE,
 * WB_OVER. */
static int
arrived(const wb__request *request, int for_body)
{
    if (request->over || request->server->closing) {
        return WB_OVER;
    }
    if (for_body) {
        const wb__body *body = request->body;
        return body == NULL || body->complete || body->read < body->received
            || request->body_status != 0 || request->gone;
    }
    if (request->gone) {
        return WB_GONE;
    }
    return !request->conn->blocked && request->file < 0;
}

/* The loop is another thread's: of the one in wb_server_run(), or of one that
 * waits like this one. */
static int
has_turner(const wb_server *server)
{
    return server->config.threaded || !wb__server_on_loop(server);
}

static int
wait_for(wb_server *server, const wb__request *request, int for_body,
         int timeout_ms)
{
    uint64_t until
        = wb__now_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms);
    struct timespec when = after(timeout_ms < 0 ? 0 : timeout_ms);
    int state;
    while ((state = arrived(request, for_body)) == 0) {
        uint64_t now = wb__now_ms();
        if (timeout_ms >= 0 && now >= until) {
            return WB_AGAIN;
        }
        if (has_turner(server)) {
            sleep_on(server, &server->progress_cond, timeout_ms, &when);
            continue;
        }
        wb__server_attend_all(server);
        turn(server, timeout_ms < 0 ? -1 : (int)(until - now));
    }
    return state;
}

int
wb_request_wait(wb_request *pub, int for_body, int timeout_ms)
{
    wb__request *request = (wb__request *)pub;
    int state = wb__request_enter(request);
    if (state < 0) {
        return state;
    }
    wb_server *server = request->server;
    if (!for_body) {
        /* The caller waits here: it must not be handed the request again. */
        request->resume_wanted = 0;
        wb__server_dequeue(server, request);
    }
    state = wait_for(server, request, for_body, timeout_ms);
    wb__request_show_body(request);
    wb__server_unlock(server);
    return state > 0 ? 0 : state;
}

/* ---- reading the body --------------------------------------------------- */

static int64_t
read_body(wb__request *request, char *out, size_t size)
{
    wb__body *body = request->body;
    request->pub.body = NULL; /* it may move or go from here on */
    if (body == NULL || size == 0) {
        return 0;
    }
    if (request->continue_due && !request->pub.head_sent
        && wb__request_continue(request) < 0) {
        return WB_GONE;
    }
    int64_t n = wb__body_read(body, out, size);
    if (n == WB_AGAIN) {
        return request->body_status != 0 ? WB_BADBODY
            : request->gone              ? WB_GONE
                                         : WB_AGAIN;
    }
    return n;
}

int64_t
wb_request_read(wb_request *pub, char *out, size_t size)
{
    wb__request *request = (wb__request *)pub;
    int64_t n = wb__request_enter(request);
    if (n < 0) {
        return n;
    }
    n = read_body(request, out, size);
    wb__request_show_body(request);
    wb__server_unlock(request->server);
    return n;
}

/* ---- the null server ---------------------------------------------------- */

int
wb_server_canned(wb_server *server, const char *response, size_t size,
                 int timeout_ms)
{
    uint64_t until = wb__now_ms() + (uint64_t)timeout_ms;
    for (uint64_t now = wb__now_ms(); now < until; now = wb__now_ms()) {
        int ready = wb_server_poll(server, (int)(until - now));
        if (ready < 0) {
            return ready;
        }
        wb_request *request;
        while ((request = wb_server_take(server)) != NULL) {
            wb__respond_raw((wb__request *)request, response, size);
        }
    }
    return 0;
}
