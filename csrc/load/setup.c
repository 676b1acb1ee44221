/* Birth and death of a run. Enters: the caller's configuration, which is
 * copied whole; leaves: a wl_load that owns everything. */
#include "base/posix.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"

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
        .tls_name = "",
        .tls_ca = "",
        .request = "",
        .expect_body = "",
    };
}

/* ---- the configuration -------------------------------------------------- */

static int
ends_are_right(const uint32_t *ends, uint32_t count, size_t size)
{
    uint32_t before = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (ends[i] < before) {
            return 0;
        }
        before = ends[i];
    }
    return before == size;
}

static int
is_right(const wl_config *config)
{
    for (uint32_t i = 0; i < config->order_count; i++) {
        if (config->order[i] >= config->request_count) {
            return 0;
        }
    }
    if (config->check_body == 1 && config->expect_count != 1
        && config->expect_count != config->request_count) {
        return 0;
    }
    return config->connections > 0 && config->pipeline > 0
        && config->request_count > 0 && config->window_ns > 0
        && config->duration_ns > 0 && config->rate >= 0
        && config->rate_end >= 0 && config->port <= UINT16_MAX
        && ends_are_right(config->request_ends, config->request_count,
                          config->request_size)
        && ends_are_right(config->expect_ends, config->expect_count,
                          config->expect_size);
}

static void *
copy(char **room, const void *data, size_t size)
{
    char *at = *room;
    if (size > 0) {
        memcpy(at, data, size);
    }
    *room += size;
    return at;
}

/* One block; the numbers come first, for they need alignment. */
static int
copy_config(wl_load *load, const wl_config *from)
{
    wl_config *to = &load->config;
    const char *const *texts[]
        = { &from->host, &from->source, &from->tls_name, &from->tls_ca };
    const char **copies[]
        = { &to->host, &to->source, &to->tls_name, &to->tls_ca };
    size_t ends = from->request_count * sizeof(uint32_t);
    size_t order = from->order_count * sizeof(uint32_t);
    size_t expects = from->expect_count * sizeof(uint32_t);
    size_t size
        = ends + order + expects + from->request_size + from->expect_size;
    for (int i = 0; i < 4; i++) {
        size += strlen(*texts[i]) + 1;
    }
    *to = *from;
    char *room = load->memory = malloc(size);
    if (room == NULL) {
        return -ENOMEM;
    }
    to->request_ends = copy(&room, from->request_ends, ends);
    to->order = copy(&room, from->order, order);
    to->expect_ends = copy(&room, from->expect_ends, expects);
    to->request = copy(&room, from->request, from->request_size);
    to->expect_body = copy(&room, from->expect_body, from->expect_size);
    for (int i = 0; i < 4; i++) {
        *copies[i] = copy(&room, *texts[i], strlen(*texts[i]) + 1);
    }
    return 0;
}

static wl__body
body_of(const wl_config *config, uint32_t request)
{
    uint32_t start = request == 0 ? 0 : config->request_ends[request - 1];
    uint32_t size = config->request_ends[request] - start;
    wl__body body = { .is_head = size > 5
                          && memcmp(config->request + start, "HEAD ", 5) == 0,
                      .check = config->check_body != 0,
                      .size = config->expect_length };
    if (config->check_body == 1) {
        uint32_t at = config->expect_count == 1 ? 0 : request;
        uint32_t from = at == 0 ? 0 : config->expect_ends[at - 1];
        body.text = config->expect_body + from;
        body.size = config->expect_ends[at] - from;
    }
    return body;
}

static int
unix_address(wl_load *load, const char *path)
{
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof(load->address.un.sun_path)) {
        return -ENAMETOOLONG;
    }
    load->address.un.sun_family = AF_UNIX;
    memcpy(load->address.un.sun_path, path, size);
    load->address_size
        = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
    if (path[0] == '@') { /* Linux: a name that is no file */
        load->address.un.sun_path[0] = '\0';
    } else {
        load->address_size++;
    }
    return 0;
}

static int
read_address(wl_load *load)
{
    const wl_config *config = &load->config;
    struct in_addr source;
    if (strncmp(config->host, "unix:", 5) == 0) {
        return unix_address(load, config->host + 5);
    }
    if (config->source[0] != '\0'
        && uv_inet_pton(AF_INET, config->source, &source) != 0) {
        return -EINVAL;
    }
    load->address_size = sizeof(load->address.in);
    if (uv_ip4_addr(config->host, (int)config->port, &load->address.in) == 0) {
        return 0;
    }
    load->address_size = sizeof(load->address.in6);
    return uv_ip6_addr(config->host, (int)config->port, &load->address.in6);
}

/* ---- what it owns ------------------------------------------------------- */

static int
make_conns(wl_load *load)
{
    const wl_config *config = &load->config;
    size_t count = config->connections;
    load->conns = calloc(count, sizeof(*load->conns));
    load->idle = calloc(count, sizeof(wl__conn *));
    load->sent_room
        = calloc(count * config->pipeline, sizeof(*load->sent_room));
    load->bodies = calloc(config->request_count, sizeof(*load->bodies));
    if (load->conns == NULL || load->idle == NULL || load->sent_room == NULL
        || load->bodies == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) {
        load->conns[i].fd = -1;
        load->conns[i].number = i;
        load->conns[i].sent = load->sent_room + (size_t)i * config->pipeline;
    }
    for (uint32_t i = 0; i < config->request_count; i++) {
        load->bodies[i] = body_of(config, i);
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
        load->config.tls_ca,
        load->config.tls_name,
        load->config.tls_resume,
    };
    switch (wb__tls_client_new(&options, &load->tls)) {
    case 0:
        return 0;
    case WB__TLS_MISSING:
        return -ENOTSUP;
    case WB__TLS_CA:
        return -ENOENT;
    default:
        return -ENOMEM;
    }
}

static int
make(wl_load *load, const wl_config *config)
{
    int error = copy_config(load, config);
    if (error < 0 || (error = read_address(load)) < 0
        || (error = make_conns(load)) < 0) {
        return error;
    }
    load->on_demand
        = config->rate > 0 && (config->close || config->per_connection > 0);
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
    wl_load *load = calloc(1, sizeof(*load));
    if (load == NULL) {
        return -ENOMEM;
    }
    load->epoll = -1;
    int error = make(load, config);
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

static void
free_window(wl__window *window)
{
    free(window->service.pairs);
    free(window->response.pairs);
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
    for (uint32_t i = 0; i < load->window_count; i++) {
        free_window(&load->windows[i]);
    }
    free_window(&load->drain);
    wb__tls_context_unref(load->tls);
    free(load->conns);
    free(load->idle);
    free(load->sent_room);
    free(load->bodies);
    free(load->queue);
    free(load->windows);
    free(load->memory);
    free(load->text);
    free(load);
}
