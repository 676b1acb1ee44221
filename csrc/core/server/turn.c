#include "base/posix.h"

#include "server/turn.h"

#include <time.h>

#include "server/lock.h"
#include "server/metrics.h"

static void
on_sleep(uv_timer_t *timer)
{
    /* It may fire before libuv has begun to wait, where this thread did not
     * run for a while: then libuv must not begin. */
    uv_stop(timer->loop);
}

void
wb__turn_count(wb_server *server)
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

void
wb__turn(wb_server *server, uv_run_mode mode)
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
    wb__turn_count(server);
    wb__server_progress(server);
}

/* libuv has no bound for uv_run() but a timer. One that is set already and
 * ends sooner will do: it costs one turn that finds nothing, where setting it
 * for each turn would cost each of them. */
void
wb__turn_for(wb_server *server, int timeout_ms)
{
    uv_run_mode mode = timeout_ms == 0 ? UV_RUN_NOWAIT : UV_RUN_ONCE;
    if (timeout_ms > 0) {
        uint64_t until = uv_now(&server->loop) + (uint64_t)timeout_ms;
        if (!uv_is_active((uv_handle_t *)&server->sleep)
            || server->sleep_due > until) {
            uv_update_time(&server->loop);
            server->sleep_due = uv_now(&server->loop) + (uint64_t)timeout_ms;
            uv_timer_start(&server->sleep, on_sleep, (uint64_t)timeout_ms, 0);
        }
    }
    wb__turn(server, mode);
}

/* ---- waiting for another thread ----------------------------------------- */

struct timespec
wb__until(int timeout_ms)
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

int
wb__sleep_on(wb_server *server, pthread_cond_t *cond, int timeout_ms,
             const struct timespec *until)
{
    return timeout_ms < 0 ? pthread_cond_wait(cond, &server->lock)
                          : pthread_cond_timedwait(cond, &server->lock, until);
}
