/* The public calls: a run from its start to its end. */
#include "posix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

enum { TICK_MS = 10, BATCH = 256, DIAL_BATCH = 128 };

void
wl_config_init(wl_config *config)
{
    *config = (wl_config) {
        .host = "127.0.0.1",
        .source = "",
        .port = 8000,
        .connections = 1,
        .pipeline = 1,
        .expect_status = 200,
        .duration_ns = 1000000000u,
        .drain_ns = 2000000000u,
        .timeout_ns = 5000000000u,
        .window_ns = 100000000u,
        .seed = 1,
        .request = "",
        .expect_body = "",
    };
}

static uint64_t
cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* ---- the run, step by step ------------------------------------------------------------ */

static void
dial_due(wl_load *load)
{
    const wl_config *config = &load->config;
    uint64_t since = load->now_ns - load->start_ns;
    for (int i = 0; i < DIAL_BATCH && load->dialled < config->connections
         && (config->connect_gap_ns == 0
             || since >= load->dialled * config->connect_gap_ns);
         i++) {
        wl__conn_dial(load, &load->conns[load->dialled++]);
    }
}

static void
expire(wl_load *load, wl__conn *conn)
{
    uint64_t limit = load->config.timeout_ns;
    if (conn->state == WL__CONNECTING
        && load->now_ns - conn->connect_ns > limit) {
        uint64_t intended;
        if (wl__schedule_take(load, &intended)) {
            wl__record_failed(load, WL__CONNECT_TIMEOUT, 1);
        }
        wl__conn_close(load, conn);
        conn->retry_ns = load->now_ns;
    } else if (conn->under_way > 0
               && load->now_ns - conn->sent[conn->first].sent_ns > limit) {
        wl__conn_fail(load, conn, WL__TIMEOUT);
    }
}

/* What no event announces: deadlines, and connections to dial again. */
static void
on_tick(uv_timer_t *timer)
{
    wl_load *load = timer->data;
    load->now_ns = wl__now_ns();
    wl__record_window(load);
    for (uint32_t i = 0; i < load->dialled; i++) {
        wl__conn *conn = &load->conns[i];
        expire(load, conn);
        if (conn->state == WL__CLOSED && !load->ending
            && load->now_ns >= conn->retry_ns) {
            wl__conn_dial(load, conn);
        }
    }
}

static void
on_events(uv_poll_t *handle, int status, int events)
{
    wl_load *load = handle->data;
    struct epoll_event ready[BATCH];
    int count;
    (void)status;
    (void)events;
    do {
        count = epoll_wait(load->epoll, ready, BATCH, 0);
        for (int i = 0; i < count; i++) {
            wl__conn_ready(load, ready[i].data.ptr, ready[i].events);
        }
    } while (count == BATCH);
}

static uint64_t
under_way(const wl_load *load)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < load->dialled; i++) {
        sum += load->conns[i].under_way;
    }
    return sum;
}

static int
all_asked(const wl_load *load)
{
    uint64_t max = load->config.max_requests;
    return load->now_ns >= load->end_ns || load->stop_asked
        || (max > 0 && load->scheduled >= max && load->queue_size == 0
            && under_way(load) == 0);
}

static void
finish(wl_load *load)
{
    load->cpu_end_ns = cpu_ns();
    wl__record_window(load);
    load->classes[WL__UNSENT] += load->queue_size;
    load->queue_size = 0;
    for (uint32_t i = 0; i < load->dialled; i++) {
        load->classes[WL__IN_FLIGHT] += load->conns[i].under_way;
        load->conns[i].under_way = 0;
        wl__conn_close(load, &load->conns[i]);
    }
    load->over = 1;
}

static void
start(wl_load *load)
{
    load->started = 1;
    load->cpu_start_ns = cpu_ns();
    load->start_ns = load->now_ns = wl__now_ns();
    load->end_ns = load->start_ns + load->config.duration_ns;
    load->window_end_ns = load->start_ns + load->config.window_ns;
    wl__schedule_init(load);
}

/* Open loop: requests that wait go to whoever is free. */
static void
feed(wl_load *load)
{
    for (uint32_t i = 0; i < load->dialled && load->queue_size > 0; i++) {
        /* Not always from the first, or the last would never be used. */
        uint64_t at = (load->arrivals + i) % load->dialled;
        if (load->conns[at].state == WL__OPEN) {
            wl__conn_pump(load, &load->conns[at]);
        }
    }
}

static void
step(wl_load *load)
{
    int open_loop = load->config.rate > 0 && !load->ending;
    int dialling = load->dialled < load->config.connections;
    uv_run(&load->loop, open_loop || dialling ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    load->now_ns = wl__now_ns();
    if (!load->ending) {
        dial_due(load);
        wl__schedule_advance(load);
        if (load->queue_size > 0) {
            feed(load);
        }
        if (all_asked(load)) {
            load->ending = 1;
            load->interrupted = load->stop_asked != 0;
            load->drain_until_ns = load->now_ns + load->config.drain_ns;
        }
    }
    if (load->ending
        && (under_way(load) == 0 || load->now_ns >= load->drain_until_ns)) {
        finish(load);
    }
}

int
wl_poll(wl_load *load, int timeout_ms)
{
    if (!load->started) {
        start(load);
    }
    uint64_t until = wl__now_ns() + (uint64_t)timeout_ms * 1000000u;
    while (!load->over && load->now_ns < until) {
        step(load);
    }
    return !load->over;
}

void
wl_stop(wl_load *load)
{
    load->stop_asked = 1;
}

void
wl_live_now(const wl_load *load, wl_live *out)
{
    *out = (wl_live) {
        .ok = load->classes[WL__OK],
        .sent = load->scheduled,
        .connected = load->established,
        .elapsed_ns = load->now_ns - load->start_ns,
        .p50_ns = wl__histogram_quantile(&load->service, 0.5),
        .p99_ns = wl__histogram_quantile(&load->service, 0.99),
    };
    for (int i = WL__OK + 1; i < WL__CLASSES; i++) {
        out->failed += load->classes[i];
    }
}

/* ---- birth and death --------------------------------------------------------------------- */

static char *
copy(char **room, const void *data, size_t size)
{
    char *at = *room;
    memcpy(at, data, size);
    *room += size;
    return at;
}

static int
copy_config(wl_load *load, const wl_config *config)
{
    size_t host = strlen(config->host) + 1;
    size_t source = strlen(config->source) + 1;
    size_t ends = config->request_count * sizeof(uint32_t);
    load->config = *config;
    load->memory = malloc(ends + host + source + config->request_size
                          + config->expect_size);
    if (load->memory == NULL) {
        return -ENOMEM;
    }
    char *room = load->memory; /* the numbers first: they need alignment */
    load->config.request_ends
        = (const uint32_t *)(void *)copy(&room, config->request_ends, ends);
    load->config.host = copy(&room, config->host, host);
    load->config.source = copy(&room, config->source, source);
    load->config.request
        = copy(&room, config->request, config->request_size);
    load->config.expect_body
        = copy(&room, config->expect_body, config->expect_size);
    load->body = (wl__body) { load->config.expect_body, config->expect_size,
                              config->check_body };
    return 0;
}

static int
read_address(wl_load *load)
{
    const wl_config *config = &load->config;
    if (strncmp(config->host, "unix:", 5) == 0) {
        const char *path = config->host + 5;
        size_t size = strlen(path);
        if (size == 0 || size >= sizeof(load->address.un.sun_path)) {
            return -ENAMETOOLONG;
        }
        load->address.un.sun_family = AF_UNIX;
        memcpy(load->address.un.sun_path, path, size);
        load->address_size
            = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
        if (path[0] == '@') {
            load->address.un.sun_path[0] = '\0';
        } else {
            load->address_size++;
        }
        return 0;
    }
    load->address_size = sizeof(load->address.in);
    if (uv_ip4_addr(config->host, (int)config->port, &load->address.in)
        == 0) {
        return 0;
    }
    load->address_size = sizeof(load->address.in6);
    return uv_ip6_addr(config->host, (int)config->port, &load->address.in6);
}

static int
make_conns(wl_load *load)
{
    const wl_config *config = &load->config;
    load->conns = calloc(config->connections, sizeof(*load->conns));
    load->sent_room = calloc((size_t)config->connections * config->pipeline,
                             sizeof(*load->sent_room));
    if (load->conns == NULL || load->sent_room == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < config->connections; i++) {
        load->conns[i].fd = -1;
        load->conns[i].number = i;
        load->conns[i].sent
            = load->sent_room + (size_t)i * config->pipeline;
    }
    return 0;
}

static int
make_loop(wl_load *load)
{
    int error = uv_loop_init(&load->loop);
    if (error < 0) {
        return error;
    }
    load->loop_made = 1;
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->epoll < 0) {
        return -errno;
    }
    error = uv_poll_init(&load->loop, &load->events, load->epoll);
    if (error < 0) {
        return error;
    }
    load->events.data = load;
    uv_timer_init(&load->loop, &load->tick);
    load->tick.data = load;
    uv_timer_start(&load->tick, on_tick, TICK_MS, TICK_MS);
    return uv_poll_start(&load->events, UV_READABLE, on_events);
}

int
wl_new(const wl_config *config, wl_load **out)
{
    if (config->connections == 0 || config->pipeline == 0
        || config->request_count == 0 || config->window_ns == 0
        || config->rate < 0) {
        return -EINVAL;
    }
    wl_load *load = calloc(1, sizeof(*load));
    if (load == NULL) {
        return -ENOMEM;
    }
    load->epoll = -1;
    int error = copy_config(load, config);
    if (error == 0) {
        error = read_address(load);
    }
    if (error == 0) {
        error = make_conns(load);
    }
    if (error == 0) {
        error = make_loop(load);
    }
    if (error < 0) {
        wl_free(load);
        return error;
    }
    *out = load;
    return 0;
}

static void
close_any(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

void
wl_free(wl_load *load)
{
    if (load == NULL) {
        return;
    }
    for (uint32_t i = 0; load->conns != NULL && i < load->config.connections;
         i++) {
        wl__conn_close(load, &load->conns[i]);
    }
    if (load->loop_made) {
        uv_walk(&load->loop, close_any, NULL);
        while (uv_run(&load->loop, UV_RUN_NOWAIT) != 0) {
        }
        uv_loop_close(&load->loop);
    }
    if (load->epoll >= 0) {
        close(load->epoll);
    }
    free(load->conns);
    free(load->sent_room);
    free(load->queue);
    free(load->windows);
    free(load->memory);
    free(load->text);
    free(load);
}
