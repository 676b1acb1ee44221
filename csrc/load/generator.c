/* The run from its start to its end: wait, work, and see what is due.
 *
 * Connections live in an epoll set of our own, edge-triggered, which costs
 * one system call per connection where uv_poll_t costs several per request.
 * libuv's loop, with the tick and the wake-up, is embedded in that set by its
 * backend descriptor. */
#include "base/posix.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "load.h"

enum {
    TICK_MS = 10,
    BATCH = 256,
    DIAL_BATCH = 32,
    TICK_CONNS = 1024,
    TICK_SHARE = 10,  /* every connection is looked at each tenth tick */
    LOOK_NS = 5000,   /* at the clock; longer: other processes had the CPU */
    SPIN_NS = 100000, /* sleeping is not exact: the timer slack is 50 us */
};

/* ---- waiting ------------------------------------------------------------ */

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When something is to be done that no event announces. */
static uint64_t
next_due(const wl_load *load)
{
    uint64_t due = load->ending ? load->drain_until_ns : load->end_ns;
    if (load->timer_count > 0) {
        due = least(due, load->timers[0]->due_ns);
    }
    if (load->ending) {
        return due;
    }
    if (load->next_arrival_ns < due) {
        /* Awake before it, and then watching the clock. */
        due = load->next_arrival_ns > load->now_ns + SPIN_NS
            ? load->next_arrival_ns - SPIN_NS
            : 0;
    }
    if (load->dialled < load->users) {
        due = least(
            due, load->start_ns + load->dialled * load->config.connect_gap_ns);
    }
    return due;
}

static int
wait_events(int epoll, struct epoll_event *ready, uint64_t wait_ns)
{
#ifdef SYS_epoll_pwait2
    struct timespec limit = { .tv_sec = (time_t)(wait_ns / 1000000000u),
                              .tv_nsec = (long)(wait_ns % 1000000000u) };
    if (wait_ns > 0 && wait_ns % 1000000u != 0) {
        long count
            = syscall(SYS_epoll_pwait2, epoll, ready, BATCH, &limit, NULL, 0);
        if (count >= 0 || errno != ENOSYS) {
            return (int)count;
        }
    }
#endif
    return epoll_wait(epoll, ready, BATCH, (int)(wait_ns / 1000000u));
}

static void
dispatch(wl_load *load, const struct epoll_event *ready, int count)
{
    for (int i = 0; i < count; i++) {
        if (ready[i].data.ptr == NULL) {
            uv_run(&load->loop, UV_RUN_NOWAIT);
            continue;
        }
        wl__conn_event(load, ready[i].data.ptr, ready[i].events);
        /* What is due does not wait for the rest of the batch. */
        if (load->now_ns >= load->next_arrival_ns) {
            wl__schedule_advance(load);
            wl__conn_feed(load);
        }
    }
}

/* Those that are due now; what they set themselves waits for the next turn. */
static void
run_timers(wl_load *load)
{
    uint64_t now = load->now_ns;
    wl__conn *conn;
    while ((conn = wl__timer_due(load, now)) != NULL) {
        wl__timer_set(load, conn, 0);
        wl__conn_timer(load, conn);
    }
}

static void
turn(wl_load *load, uint64_t until_ns)
{
    struct epoll_event ready[BATCH];
    uint64_t due = least(least(next_due(load), load->tick_ns), until_ns);
    uint64_t wait = due > load->now_ns ? due - load->now_ns : 0;
    /* Work that came before is none of the watching. */
    uint64_t before = wait == 0 ? wl__now_ns() : 0;
    int count = wait_events(load->epoll, ready, wait);
    load->now_ns = wl__now_ns();
    if (count > 0) {
        dispatch(load, ready, count);
    } else if (wait == 0) {
        load->spin_ns += least(load->now_ns - before, LOOK_NS);
    }
    run_timers(load);
    if (load->now_ns >= load->tick_ns) {
        uv_run(&load->loop, UV_RUN_NOWAIT);
        int next_ms = uv_backend_timeout(&load->loop);
        load->tick_ns
            = load->now_ns + (uint64_t)(next_ms < 1 ? 1 : next_ms) * 1000000u;
    }
}

/* ---- libuv's part ------------------------------------------------------- */

/* A part of the connections each time. */
static void
on_tick(uv_timer_t *timer)
{
    wl_load *load = timer->data;
    wl__record_windows(load);
    uint32_t count = load->dialled / TICK_SHARE;
    count = count < TICK_CONNS ? TICK_CONNS : count;
    count = count > load->dialled ? load->dialled : count;
    for (uint32_t i = 0; i < count; i++) {
        load->ticked = load->ticked + 1 < load->dialled ? load->ticked + 1 : 0;
        wl__conn_check(load, &load->conns[load->ticked]);
    }
}

static void
on_wake(uv_async_t *wake)
{
    (void)wake; /* stop_asked is looked at after every turn */
}

int
wl__loop_init(wl_load *load)
{
    struct epoll_event event = { .events = EPOLLIN };
    int error = uv_loop_init(&load->loop);
    if (error < 0) {
        return error;
    }
    load->loop_made = 1;
    uv_timer_init(&load->loop, &load->tick);
    load->tick.data = load;
    uv_timer_start(&load->tick, on_tick, TICK_MS, TICK_MS);
    error = uv_async_init(&load->loop, &load->wake, on_wake);
    if (error < 0) {
        return error;
    }
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->epoll < 0
        || epoll_ctl(load->epoll, EPOLL_CTL_ADD, uv_backend_fd(&load->loop),
                     &event)
            < 0) {
        return -errno;
    }
    return 0;
}

/* ---- the run ------------------------------------------------------------ */

static int
start(wl_load *load)
{
    if (load->route_count > 1) { /* untouched pages cost no memory */
        load->routes = wb__calloc(load->route_count * sizeof(*load->routes));
        if (load->routes == NULL) {
            return -ENOMEM;
        }
    }
    load->started = 1;
    load->cpu_start_ns = wl__cpu_ns();
    load->start_ns = load->now_ns = load->window.start_ns = wl__now_ns();
    load->end_ns = load->start_ns + load->config.duration_ns;
    load->window.end_ns
        = least(load->start_ns + load->config.window_ns, load->end_ns);
    load->open_loop = load->stage_count > 0;
    load->on_demand = load->open_loop
        && (load->config.close || load->config.per_connection > 0);
    wl__schedule_init(load);
    if (load->on_demand) {
        load->dialled = load->config.connections;
        for (uint32_t i = 0; i < load->dialled; i++) {
            wl__conn_start(load, &load->conns[i]); /* waits for work */
        }
    }
    return 0;
}

static void
dial_due(wl_load *load)
{
    const wl_config *config = &load->config;
    uint64_t since = load->now_ns - load->start_ns;
    for (int i = 0; i < DIAL_BATCH && load->dialled < load->users
         && since >= load->dialled * config->connect_gap_ns;
         i++) {
        wl__conn_start(load, &load->conns[load->dialled++]);
    }
}

static int
all_asked(const wl_load *load)
{
    uint64_t max = load->config.max_requests;
    return load->now_ns >= load->end_ns || load->stop_asked || load->error < 0
        || (max > 0 && load->scheduled >= max && load->queue_size == 0
            && load->under_way == 0);
}

static void
end(wl_load *load)
{
    load->interrupted = load->stop_asked != 0;
    load->ended_ns = least(load->now_ns, load->end_ns);
    load->drain_until_ns = load->now_ns + load->config.drain_ns;
    wl__record_end(load);
    load->ending = 1;
    load->next_arrival_ns = UINT64_MAX;
    load->window.end_ns = UINT64_MAX;
}

static void
finish(wl_load *load)
{
    for (; load->queue_size > 0; load->queue_size--) {
        wl__sent sent = { .intended_ns = load->queue[load->queue_first] };
        wl__schedule_next(load, &sent);
        wl__record_failed(load, WL__UNSENT, &sent);
        load->queue_first = (load->queue_first + 1) % load->queue_cap;
    }
    load->still_open = 0;
    for (uint32_t i = 0; i < load->dialled; i++) {
        wl__conn *conn = &load->conns[i];
        load->still_open += conn->state == WL__OPEN;
        wl__conn_fail(load, conn,
                      conn->state == WL__OPEN ? WL__IN_FLIGHT : WL__UNSENT);
    }
    wl__record_drained(load);
    load->cpu_end_ns = wl__cpu_ns();
    load->over = 1;
}

static void
step(wl_load *load, uint64_t until_ns)
{
    turn(load, until_ns);
    if (!load->ending) {
        if (!load->stop_asked) { /* or it was, before the start */
            dial_due(load);
            wl__schedule_advance(load);
            wl__conn_feed(load);
        }
        if (all_asked(load)) {
            end(load);
        }
    }
    if (load->ending
        && (load->under_way == 0 || load->now_ns >= load->drain_until_ns
            || load->stop_asked > 1)) {
        finish(load);
    }
}

/* Several processes start at one time. */
static int
wait_for_start(const wl_load *load, uint64_t until_ns)
{
    uint64_t now = wl__now_ns(), at = load->config.start_ns;
    if (at <= now || load->stop_asked) {
        return 0;
    }
    uint64_t sleep = least(at, until_ns) - now;
    struct timespec rest = { .tv_sec = (time_t)(sleep / 1000000000u),
                             .tv_nsec = (long)(sleep % 1000000000u) };
    nanosleep(&rest, NULL);
    return wl__now_ns() < at;
}

int
wl_poll(wl_load *load, int timeout_ms)
{
    uint64_t until = wl__now_ns()
        + (timeout_ms > 0 ? (uint64_t)timeout_ms * 1000000u : 0);
    if (load->request_count == 0) {
        return -EINVAL;
    }
    if (!load->started) {
        if (wait_for_start(load, until)) {
            return 1;
        }
        int error = start(load);
        if (error < 0) {
            return error;
        }
    }
    while (!load->over && load->now_ns < until) {
        step(load, until);
    }
    return !load->over;
}

int
wl_set_users(wl_load *load, uint32_t users)
{
    uint32_t before = load->users, dialled = load->dialled;
    if (users > load->config.connections || load->stage_count > 0) {
        return -EINVAL;
    }
    load->users = users;
    if (!load->started || users > load->users_most) {
        load->users_most = users;
    }
    if (load->started && !load->over) {
        load->now_ns = wl__now_ns();
        for (uint32_t i = before; i < users && i < dialled; i++) {
            wl__conn_wake(load, &load->conns[i]);
        }
    }
    return 0;
}

void
wl_stop(wl_load *load)
{
    load->stop_asked = load->stop_asked + 1;
    uv_async_send(&load->wake);
}

void
wl_live_now(const wl_load *load, wl_live *out)
{
    *out = (wl_live) {
        .ok = load->classes[WL__OK] + load->window.classes[WL__OK],
        .sent = load->scheduled,
        .connected = load->opened_now,
        .elapsed_ns = load->now_ns - load->start_ns,
        .p50_ns = wl__histogram_quantile(&load->response, 0.5),
        .p99_ns = wl__histogram_quantile(&load->response, 0.99),
    };
    for (int i = WL__OK + 1; i < WL__CLASSES; i++) {
        out->failed += load->classes[i] + load->window.classes[i];
    }
}
