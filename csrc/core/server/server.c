#include "base/posix.h"

#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "server/attend.h"
#include "server/certificates.h"
#include "server/input.h"
#include "server/lead.h"
#include "server/listener.h"
#include "server/lock.h"
#include "server/loop.h"
#include "server/ready.h"

enum { MAX_LINE = 1 << 20, MAX_HEAD = 65536 };

/* ---- configuration ------------------------------------------------------ */

void
wb_config_init(wb_config *config)
{
    *config = (wb_config) {
        .listen_fd = -1,
        .backlog = 2048,
        .log_fd = -1,
        .error_fd = 2,
        .max_line = 16384,
        .max_head = 32768,
        .max_fields = 128,
        .max_field = 0,
        .max_body = (uint64_t)256 << 20,
        .body_memory = 256 << 10,
        .body_memory_all = (uint64_t)256 << 20,
        .write_high = 256 << 10,
        .max_connections = 0,
        .head_timeout = 10000,
        .body_timeout = 30000,
        .body_quantum = 16 << 10,
        .idle_timeout = 60000,
        .write_timeout = 60000,
        .accept_batch = 64,
        .server_name = "wsgibench",
    };
}

/* ---- making ---------------------------------------------------- */

/* 0 is "no limit of yours": what remains is the core's. */
static void
no_limits(wb_config *config)
{
    config->max_line = config->max_line == 0 ? MAX_LINE : config->max_line;
    config->max_head = config->max_head == 0 ? MAX_HEAD : config->max_head;
    if (config->max_fields == 0) {
        config->max_fields = UINT32_MAX;
    }
}

static int
copy_strings(wb_server *server)
{
    wb_config *config = &server->config;
    const char *name = config->server_name == NULL ? "" : config->server_name;
    const char *dir = config->temp_dir;
    size_t name_size = strlen(name) + 1;
    size_t dir_size = dir == NULL ? 0 : strlen(dir) + 1;
    const char *kept = config->underscored;
    size_t kept_size = kept == NULL ? 0 : strlen(kept) + 2;
    for (const char *p = name; *p != '\0'; p++) {
        if ((unsigned char)*p < 32 || *p == 127) {
            return WB_INVALID;
        }
    }
    server->strings = wb__alloc(name_size + dir_size + kept_size);
    if (server->strings == NULL) {
        return WB_NOMEM;
    }
    memcpy(server->strings, name, name_size);
    config->server_name = server->strings;
    server->responder.server_name = server->strings;
    if (dir != NULL) {
        memcpy(server->strings + name_size, dir, dir_size);
        config->temp_dir = server->strings + name_size;
    }
    if (kept != NULL) {
        char *list = server->strings + name_size + dir_size;
        for (size_t i = 0; i < kept_size; i++) {
            list[i] = i < kept_size - 2 && kept[i] != ',' ? kept[i] : '\0';
        }
        server->parser.reader.names.underscored = list;
    }
    return 0;
}

static void
set_deadlines(wb_server *server)
{
    wb__deadlines *deadlines = &server->deadlines;
    wb__deadlines_init(deadlines);
    deadlines->length[WB__HEAD] = server->config.head_timeout;
    deadlines->length[WB__BODY] = server->config.body_timeout;
    deadlines->length[WB__IDLE] = server->config.idle_timeout;
    deadlines->length[WB__WRITE] = server->config.write_timeout;
    deadlines->length[WB__LINGER] = 2000;
}

/* Handles that live as long as the loop. 0 or an error; wb_server_free()
 * undoes. */
static int
make_handles(wb_server *server)
{
    int error
        = uv_async_init(&server->loop, &server->async, wb__loop_on_async);
    if (error < 0) {
        return error;
    }
    server->async.data = server;
    uv_timer_init(&server->loop, &server->tick);
    uv_timer_init(&server->loop, &server->sleep);
    server->tick.data = server;
    server->sleep.data = server;
    wb__loop_schedule(server);
    return wb__listener_open(server);
}

/* All that needs no memory and cannot fail. */
static void
set_members(wb_server *server, const wb_config *config)
{
    memset(server, 0, offsetof(wb_server, read_buffer));
    server->config = *config;
    no_limits(&server->config);
    server->parser.limits = (wb__limits) {
        .line = server->config.max_line,
        .head = server->config.max_head,
        .field = server->config.max_field,
        .fields = server->config.max_fields,
    };
    server->wake_pipe[0] = server->wake_pipe[1] = -1;
    atomic_init(&server->stop_grace, -1);
    atomic_init(&server->stopped, 0);
    atomic_init(&server->turns, 0);
    atomic_init(&server->outlet.done, NULL);
    server->on_tick = wb__loop_on_tick;
    server->on_poll = wb__input_on_poll;
    server->process = wb__process_number;
    server->references = 1;
    server->shared = config->threaded;
    server->quick = 1;
    server->tick_due = UINT64_MAX;
    set_deadlines(server);
}

/* All the rest; wb_server_free() undoes. 0 or an error. */
static int
open_parts(wb_server *server)
{
    int error = wb__lock_init(server);
    if (error == 0) {
        error = copy_strings(server);
    }
    if (error == 0 && server->config.tls_cert != NULL) {
        error = wb__certificates_open(&server->config, &server->tls);
    }
    if (error == 0) {
        error = wb__log_open(server);
        wb__metrics_init(server);
    }
    if (error == 0) {
        error = wb__proxied_open(server);
    }
    return error < 0 ? error : make_handles(server);
}

int
wb_server_new(const wb_config *config, wb_server **out)
{
    int fd = config->listen_fd;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        return -errno;
    }
    if (config->accept_batch == 0 || config->max_head > MAX_HEAD
        || config->max_line > MAX_LINE) {
        return WB_INVALID;
    }
    wb_server *server = wb__alloc(sizeof(*server));
    if (server == NULL || wb__fork_watch() < 0) {
        wb__free(server);
        return WB_NOMEM;
    }
    set_members(server, config);
    int error = uv_loop_init(&server->loop);
    if (error < 0) {
        wb__free(server);
        return error;
    }
    error = open_parts(server);
    if (error < 0) {
        server->config.listen_fd = -1; /* stays the caller's */
        wb_server_free(server);
        return error;
    }
    *out = server;
    return 0;
}

/* ---- closing ------------------------------------------------------------ */

static void
close_any(uv_handle_t *handle, void *context)
{
    (void)context;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

/* In a child the poll set is the parent's, too: libuv gets one of its own, and
 * closing handles leaves the parent's alone. If another thread was turning the
 * loop when the process was forked, what libuv remembers may be half changed:
 * then it is left as it is. 0: libuv may be used. */
static int
disown(wb_server *server)
{
    int was_turning = server->turning;
    server->disowned = 1;
    server->shared = server->turning = server->lead.standby = 0;
    server->log.size = 0; /* the parent writes it */
    if (was_turning || uv_loop_fork(&server->loop) < 0) {
        wb__conn *conn = server->conns;
        for (uint32_t n = server->stats.connections; n > 0; n--) {
            conn->registered = 0;
            conn = conn->next;
        }
        server->listener_open = 0;
        close(uv_backend_fd(&server->loop));
        return -1;
    }
    return 0;
}

/* Waits until no other thread turns the loop; this one takes its place. */
static void
take_loop(wb_server *server)
{
    while (!wb__server_on_loop(server) || server->lead.standby) {
        if (server->turning) {
            uv_async_send(&server->async);
        }
        wb__lead_dismiss(server);
        pthread_cond_wait(&server->progress_cond, &server->lock);
    }
}

static void
close_conns(wb_server *server)
{
    while (server->conns != NULL) {
        wb__conn *conn = server->conns;
        wb__conn_close(conn);
        if (conn->request != NULL) { /* with the caller */
            wb__ready_remove(server, conn->request);
            wb__request_free(conn->request);
            conn->request = NULL;
        }
    }
}

static void
close_loop(wb_server *server)
{
    uv_walk(&server->loop, close_any, NULL);
    while (uv_run(&server->loop, UV_RUN_NOWAIT) != 0) {
    }
    uv_loop_close(&server->loop);
}

static void
close_descriptors(wb_server *server)
{
    if (server->config.listen_fd >= 0) {
        close(server->config.listen_fd);
        server->config.listen_fd = -1;
    }
    if (server->wake_pipe[0] >= 0) {
        close(server->wake_pipe[0]);
        close(server->wake_pipe[1]);
        server->wake_pipe[0] = -1;
    }
}

static void
free_requests(wb_server *server)
{
    while (server->free_requests != NULL) {
        wb__request *request = server->free_requests;
        server->free_requests = request->next;
        wb__free(request);
    }
}

void
wb_server_close(wb_server *server)
{
    if (server->closing) {
        return;
    }
    int use_loop = !wb__server_forked(server) || disown(server) == 0;
    wb__server_lock(server);
    server->closing = 1;
    take_loop(server);
    close_conns(server);
    if (server->listener_open) {
        wb__listener_close(server);
    }
    wb__attend_all(server);
    wb__server_unlock(server);
    if (use_loop) {
        close_loop(server);
    }
    wb__server_lock(server);
    close_descriptors(server);
    wb__log_close(server);
    wb__proxied_close(server);
    wb__parser_close(&server->parser);
    wb__responder_close(&server->responder);
    wb__tls_context_unref(server->tls);
    server->tls = NULL;
    free_requests(server);
    atomic_store(&server->stopped, 1);
    wb__server_unlock(server);
}

void
wb_server_free(wb_server *server)
{
    if (server == NULL) {
        return;
    }
    wb_server_close(server);
    while (wb_server_released(server) != NULL) {
    }
    wb__server_unref(server);
}

/* ---- figures ------------------------------------------------------------ */

void
wb_server_stats(wb_server *server, wb_stats *out)
{
    wb__server_lock(server);
    *out = server->stats;
    out->log_lost = server->log.lost;
    out->bytes_out = server->outlet.bytes;
    out->memo_hits = server->parser.memo.hits;
    out->memo_misses = server->parser.memo.misses;
    wb__server_unlock(server);
}
