/* Birth and death of a run. Enters: the caller's configuration, which is
 * copied whole; leaves: a wl_load that owns everything. */
#include "base/posix.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "load.h"

enum {
    RENDERED_ROOM = 65536,
    MAX_CONNECTIONS = 1 << 24,
    MAX_PIPELINE = 1 << 16
};

void
wl_config_init(wl_config *config)
{
    *config = (wl_config) {
        .host = "127.0.0.1",
        .source = "",
        .port = 8000,
        .connections = 1,
        .pipeline = 1,
        .duration_ns = 1000000000u,
        .drain_ns = 2000000000u,
        .timeout_ns = 5000000000u,
        .window_ns = 100000000u,
        .seed = 1,
        .parts = 1,
        .tls_name = "",
        .tls_ca = "",
        .tls_cert = "",
        .tls_key = "",
    };
}

/* ---- the configuration -------------------------------------------------- */

static int
is_right(const wl_config *config)
{
    return config->connections > 0 && config->connections <= MAX_CONNECTIONS
        && config->pipeline > 0 && config->pipeline <= MAX_PIPELINE
        && config->window_ns > 0 && config->duration_ns > 0
        && config->think_ns <= config->think_most_ns
        && (config->pipeline == 1 || !(config->follow || config->cookies))
        && config->port <= UINT16_MAX && config->part < config->parts;
}

static int
copy_config(wl_load *load, const wl_config *from)
{
    wl_config *to = &load->config;
    enum { TEXTS = 6 };
    const char *const *texts[TEXTS]
        = { &from->host,   &from->source,   &from->tls_name,
            &from->tls_ca, &from->tls_cert, &from->tls_key };
    const char **copies[TEXTS] = { &to->host,   &to->source,   &to->tls_name,
                                   &to->tls_ca, &to->tls_cert, &to->tls_key };
    size_t size = 0;
    for (int i = 0; i < TEXTS; i++) {
        size += strlen(*texts[i]) + 1;
    }
    *to = *from;
    char *room = load->memory = wb__alloc(size);
    if (room == NULL) {
        return -ENOMEM;
    }
    for (int i = 0; i < TEXTS; i++) {
        size_t one = strlen(*texts[i]) + 1;
        *copies[i] = memcpy(room, *texts[i], one);
        room += one;
    }
    return 0;
}

/* ---- what it owns ------------------------------------------------------- */

static int
make_conns(wl_load *load)
{
    const wl_config *config = &load->config;
    size_t count = config->connections;
    load->conns = wb__calloc(count * sizeof(*load->conns));
    load->idle = wb__calloc(count * sizeof(wl__conn *));
    load->timers = wb__calloc(count * sizeof(wl__conn *));
    load->sent_room
        = wb__calloc(count * config->pipeline * sizeof(*load->sent_room));
    for (uint32_t i = 0; load->conns != NULL && i < count; i++) {
        load->conns[i].fd = -1; /* before anything is undone */
    }
    if (load->conns == NULL || load->idle == NULL || load->timers == NULL
        || load->sent_room == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        load->conns[i].number = i;
        load->conns[i].sent = load->sent_room + (size_t)i * config->pipeline;
    }
    return 0;
}

static int
make_visits(wl_load *load)
{
    const wl_config *config = &load->config;
    if (!config->follow && !config->cookies) {
        return 0;
    }
    load->visits = wb__calloc(config->connections * sizeof(*load->visits));
    if (load->visits == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < config->connections; i++) {
        load->visits[i].most = config->follow;
        load->visits[i].keeps = config->cookies;
        load->conns[i].response.visit = &load->visits[i];
    }
    return 0;
}

int
wl_has_tls(void)
{
    return wb__tls_available();
}

static int
make_tls(wl_load *load)
{
    wb__tls_client options = {
        load->config.tls_ca,  load->config.tls_name,   load->config.tls_cert,
        load->config.tls_key, load->config.tls_resume,
    };
    switch (wb__tls_client_new(&options, &load->tls)) {
    case 0:
        return 0;
    case WB__TLS_MISSING:
        return -ENOTSUP;
    case WB__TLS_CA:
        return -ENOENT;
    case WB__TLS_CERT:
        return -EKEYREJECTED;
    default:
        return -ENOMEM;
    }
}

static int
make(wl_load *load, const wl_config *config)
{
    int error = copy_config(load, config);
    if (error < 0 || (error = wl__addresses_init(load)) < 0
        || (error = make_conns(load)) < 0 || (error = make_visits(load)) < 0) {
        return error;
    }
    load->slow = config->send_size > 0 || config->read_size > 0;
    if (config->tls && (error = make_tls(load)) < 0) {
        return error;
    }
    return wl__loop_init(load);
}

int
wl_new(const wl_config *config, wl_load **out)
{
    if (!is_right(config)) {
        return -EINVAL;
    }
    wl_load *load = wb__calloc(sizeof(*load));
    if (load == NULL) {
        return -ENOMEM;
    }
    load->epoll = -1;
    load->users = load->users_most = config->connections;
    int error = make(load, config);
    if (error < 0) {
        wl_free(load);
        return error;
    }
    *out = load;
    return 0;
}

/* ---- what is sent ------------------------------------------------------- */

/* Room for one more; sizes double. NULL without memory. */
static void *
one_more(void **all, uint32_t count, size_t size)
{
    if (count == 0 || (count & (count - 1)) == 0) {
        void *more = wb__realloc(*all, (count == 0 ? 1 : 2 * count) * size);
        if (more == NULL) {
            return NULL;
        }
        *all = more;
    }
    return (char *)*all + count * size;
}

int
wl_add_pool(wl_load *load, const wl_pool *pool)
{
    wl__pool *next
        = one_more((void **)&load->pools, load->pool_count, sizeof(*next));
    int error = next == NULL ? -ENOMEM : wl__pool_copy(next, pool);
    return error < 0 ? error : (int)load->pool_count++;
}

static int
make_visited(wl_load *load, const wl__request *request)
{
    size_t room = 2 * request->longest + WL__VISIT_ROOM;
    if (load->visits == NULL || load->visited_room >= room) {
        return 0;
    }
    char *visited = wb__realloc(load->visited, room);
    if (visited == NULL) {
        return -ENOMEM;
    }
    load->visited = visited;
    load->visited_room = room;
    return 0;
}

static int
make_room(wl_load *load, const wl__request *request)
{
    size_t room = request->longest;
    load->longest = load->longest > room ? load->longest : room;
    if (make_visited(load, request) < 0) {
        return -ENOMEM;
    }
    room = room < RENDERED_ROOM ? RENDERED_ROOM : room;
    if (request->is_fixed || load->rendered_room >= room) {
        return 0;
    }
    char *rendered = wb__realloc(load->rendered, room);
    if (rendered == NULL) {
        return -ENOMEM;
    }
    load->rendered = rendered;
    load->rendered_room = room;
    return 0;
}

int
wl_add_request(wl_load *load, const wl_request *request)
{
    wl__request *next = one_more((void **)&load->requests, load->request_count,
                                 sizeof(*next));
    int error = next == NULL
        ? -ENOMEM
        : wl__request_copy(next, request, load->pools, load->pool_count);
    if (error == 0 && (error = make_room(load, next)) < 0) {
        wl__request_free(next);
    }
    if (error < 0) {
        return error;
    }
    if (request->route >= load->route_count) {
        load->route_count = request->route + 1;
    }
    return (int)load->request_count++;
}

int
wl_add_stage(wl_load *load, double seconds, double start, double end)
{
    if (!(seconds > 0) || !(start >= 0) || !(end >= 0)) {
        return -EINVAL;
    }
    wl__stage *next
        = one_more((void **)&load->stages, load->stage_count, sizeof(*next));
    if (next == NULL) {
        return -ENOMEM;
    }
    *next = (wl__stage) { seconds, start, end };
    load->stage_count++;
    return 0;
}

int
wl_set_order(wl_load *load, const uint32_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (order[i] >= load->request_count) {
            return -EINVAL;
        }
    }
    if (count == 0 || count > UINT32_MAX) {
        return -EINVAL;
    }
    uint32_t *copied = wb__alloc(count * sizeof(*copied));
    if (copied == NULL) {
        return -ENOMEM;
    }
    memcpy(copied, order, count * sizeof(*copied));
    wb__free(load->order);
    load->order = copied;
    load->order_count = (uint32_t)count;
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

static void
free_window(const wl_load *load, wl__window *window)
{
    for (uint32_t i = 0; window->routes != NULL && i < load->route_count;
         i++) {
        wb__free(window->routes[i].response.pairs);
    }
    wb__free(window->routes);
    wb__free(window->service.pairs);
    wb__free(window->response.pairs);
}

static void
free_messages(wl_load *load)
{
    for (uint32_t i = 0; i < load->request_count; i++) {
        wl__request_free(&load->requests[i]);
    }
    for (uint32_t i = 0; i < load->pool_count; i++) {
        wl__pool_free(&load->pools[i]);
    }
    wb__free(load->requests);
    wb__free(load->pools);
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
    for (uint32_t i = 0; load->visits != NULL && i < load->config.connections;
         i++) {
        wl__visit_free(&load->visits[i]);
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
    for (uint32_t i = 0; i < load->window_count; i++) {
        free_window(load, &load->windows[i]);
    }
    free_window(load, &load->drain);
    wb__tls_context_unref(load->tls);
    wb__free(load->conns);
    wb__free(load->idle);
    wb__free(load->timers);
    wb__free(load->addresses);
    wb__free(load->stages);
    wb__free(load->sent_room);
    wb__free(load->routes);
    wb__free(load->order);
    wb__free(load->rendered);
    wb__free(load->visits);
    wb__free(load->visited);
    free_messages(load);
    wb__free(load->queue);
    wb__free(load->windows);
    wb__free(load->memory);
    wb__free(load->text);
    wb__free(load);
}
