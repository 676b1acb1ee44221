#include "base/posix.h"

#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "server/certificates.h"

enum {
    TICK_MS = 100, /* while something must be looked at again */
    LOG_MS = 500,
    WARM_MS = 500, /* how long a client on a busy machine may be silent */
    MAX_LINE = 1 << 20,
    MAX_HEAD = 65536
};

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

/* ---- locks -------------------------------------------------------------- */

/* A child's copy of the lock may be held by a thread that it does not have. */
void
wb__server_lock(wb_server *server)
{
    if (server->shared && !wb__server_forked(server)) {
        pthread_mutex_lock(&server->lock);
    }
}

void
wb__server_unlock(wb_server *server)
{
    if (server->shared && !wb__server_forked(server)) {
        pthread_mutex_unlock(&server->lock);
    }
}

void
wb__server_share(wb_server *server)
{
    if (!server->shared) {
        server->shared = 1;
    }
}

int
wb__server_on_loop(const wb_server *server)
{
    return !server->turning
        || pthread_equal(pthread_self(), server->loop_thread);
}

void
wb__server_progress(wb_server *server)
{
    if (server->shared) {
        pthread_cond_broadcast(&server->progress_cond);
    }
}

void
wb__server_give_back(wb_server *server, wb__segment *done)
{
    while (done != NULL) {
        wb__segment *next = done->next;
        done->next
            = atomic_load_explicit(&server->released, memory_order_relaxed);
        atomic_store_explicit(&server->released, done, memory_order_relaxed);
        done = next;
    }
}

void *
wb_server_released(wb_server *server)
{
    void *owner = NULL;
    if (atomic_load_explicit(&server->released, memory_order_relaxed)
        == NULL) {
        return NULL;
    }
    wb__server_lock(server);
    wb__segment *segment
        = atomic_load_explicit(&server->released, memory_order_relaxed);
    if (segment != NULL) {
        owner = segment->owner;
        atomic_store_explicit(&server->released, segment->next,
                              memory_order_relaxed);
        wb__free(segment);
    }
    wb__server_unlock(server);
    return owner;
}

/* ---- the ready queue ---------------------------------------------------- */

void
wb__server_enqueue(wb_server *server, wb__request *request)
{
    request->hand = WB__QUEUED;
    request->next = NULL;
    request->prev = server->ready_last;
    if (server->ready_last != NULL) {
        server->ready_last->next = request;
    } else {
        server->ready_first = request;
    }
    server->ready_last = request;
    server->ready++;
    if (server->config.threaded) {
        pthread_cond_signal(&server->ready_cond);
    } else {
        wb__server_progress(server); /* wb_server_poll() may wait for it */
    }
}

void
wb__server_dequeue(wb_server *server, wb__request *request)
{
    if (request->hand != WB__QUEUED) {
        return;
    }
    if (request->prev != NULL) {
        request->prev->next = request->next;
    } else {
        server->ready_first = request->next;
    }
    if (request->next != NULL) {
        request->next->prev = request->prev;
    } else {
        server->ready_last = request->prev;
    }
    request->hand = WB__OUT;
    server->ready--;
}

wb_request *
wb__server_take(wb_server *server)
{
    wb__request *request = server->ready_first;
    if (request == NULL) {
        return NULL;
    }
    wb__server_dequeue(server, request);
    if (request->pub.event == WB_NEW) {
        const wb__conn *conn = request->conn;
        request->pub.peer = conn->peer;
        request->pub.peer_port = conn->peer_port;
        server->stats.busy++;
        server->taken_ms = wb__now_ms();
        wb__metrics_taken(server, request);
    }
    return &request->pub;
}

wb_request *
wb_server_take(wb_server *server)
{
    if (wb__server_forked(server)) {
        return NULL;
    }
    wb__server_lock(server);
    wb_request *request = wb__server_take(server);
    wb__server_unlock(server);
    if (!server->config.threaded) {
        wb__server_count_turn(server);
    }
    return request;
}

/* ---- deadlines ---------------------------------------------------------- */

static void on_tick(uv_timer_t *timer);

void
wb__server_tick_by(wb_server *server, uint64_t due)
{
    /* shared: other threads arm deadlines, so the tick never rests. */
    if (due >= server->tick_due || server->closing
        || !wb__server_on_loop(server)) {
        return;
    }
    uint64_t now = wb__now_ms();
    /* A little late rather than early: the clock is coarse. */
    uint64_t wait = due > now ? due - now + 5 : 5;
    server->tick_due = due;
    uv_update_time(&server->loop);
    uv_timer_start(&server->tick, on_tick, wait, 0);
}

static void
schedule_tick(wb_server *server)
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
        wb__server_tick_by(server, now + (uint64_t)next);
    }
}

static void
on_tick(uv_timer_t *timer)
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
        wb__conn_timeout(conn, kind);
    }
    if (server->accept_again != 0 && now >= server->accept_again) {
        wb__listener_resume(server);
    }
    wb__log_flush(server);
    wb__server_drain_step(server);
    schedule_tick(server);
    wb__server_unlock(server);
}

/* ---- what other threads leave to the loop ------------------------------- */

void
wb__server_attend(wb_server *server, wb__conn *conn)
{
    if (!conn->needs_attention) {
        conn->needs_attention = 1;
        conn->attention = server->attention;
        server->attention = conn;
    }
    if (!wb__server_on_loop(server)) {
        uv_async_send(&server->async);
    }
}

void
wb__server_attend_all(wb_server *server)
{
    wb__conn *conn = server->attention;
    server->attention = NULL;
    while (conn != NULL) {
        wb__conn *next = conn->attention;
        conn->needs_attention = 0;
        if (conn->doomed) {
            conn->doomed = 0;
            uv_close((uv_handle_t *)&conn->poll, wb__conn_on_closed);
            close(conn->fd);
        }
        if (conn->dead) {
            wb__conn_release(conn);
        } else {
            wb__conn_update(conn);
        }
        conn = next;
    }
    if (!server->accepting && server->accept_again == 0) {
        wb__listener_resume(server);
    }
}

/* ---- stopping ----------------------------------------------------------- */

/* Idle: nothing of a request has come, nothing of an answer waits. */
static int
is_idle(const wb__conn *conn)
{
    return !conn->dead && conn->request == NULL
        && conn->reading == WB__READ_HEAD && wb__buf_size(&conn->in) == 0
        && conn->out.size == 0;
}

/* Who has connected, or got an answer, only just now may have a request on
 * its way, and was not told that no more are welcome. */
static int
is_warm(const wb_server *server, const wb__conn *conn, uint64_t now)
{
    /* Who is idle was given a deadline when that began, if only one of 0. */
    uint64_t length = server->deadlines.length[conn->timed.kind];
    return now < conn->timed.due - length + WARM_MS;
}

static void
close_idle(wb_server *server)
{
    uint64_t now = wb__now_ms();
    wb__conn *conn = server->conns;
    for (uint32_t n = server->stats.connections; n > 0; n--) {
        wb__conn *next = conn->next;
        if (is_idle(conn) && !is_warm(server, conn, now)) {
            /* A request may be in the kernel: it is answered. */
            wb__conn_ready(conn, 0, UV_READABLE);
            if (is_idle(conn)) {
                wb__conn_close(conn);
            }
        }
        conn = next;
    }
}

static void
begin_drain(wb_server *server)
{
    server->draining = 1;
    wb__listener_close(server);
    wb__server_tick_by(server, wb__now_ms() + TICK_MS);
}

void
wb__server_drain_step(wb_server *server)
{
    int grace = atomic_load(&server->stop_grace);
    if (grace < 0) {
        return;
    }
    uint64_t until = wb__now_ms() + (uint64_t)grace;
    if (!server->draining) {
        server->drain_until = until;
        begin_drain(server);
    } else if (until < server->drain_until) {
        server->drain_until = until;
    }
    close_idle(server);
    if (wb__now_ms() >= server->drain_until) {
        while (server->conns != NULL) {
            wb__conn_close(server->conns);
        }
    }
    if (server->conns == NULL && server->stats.busy == 0
        && server->ready == 0) {
        atomic_store(&server->stopped, 1);
        if (server->config.threaded) {
            pthread_cond_broadcast(&server->ready_cond);
        }
    }
}

void
wb_server_stop(wb_server *server, int grace_ms)
{
    int grace = grace_ms < 0 ? 0 : grace_ms;
    if (wb__server_forked(server)) {
        return; /* the eventfd is the parent's, too */
    }
    atomic_store(&server->stop_grace, grace);
    uv_async_send(&server->async);
}

int
wb_server_stopped(wb_server *server)
{
    return wb__server_forked(server) || atomic_load(&server->stopped);
}

static void
on_async(uv_async_t *async)
{
    wb_server *server = async->data;
    wb__server_lock(server);
    wb__server_attend_all(server);
    wb__server_drain_step(server);
    wb__server_unlock(server);
}

void
wb_server_wake(wb_server *server)
{
    if (!wb__server_forked(server)) {
        uv_async_send(&server->async);
    }
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
    for (const char *p = name; *p != '\0'; p++) {
        if ((unsigned char)*p < 32 || *p == 127) {
            return WB_INVALID;
        }
    }
    server->strings = wb__alloc(name_size + dir_size);
    if (server->strings == NULL) {
        return WB_NOMEM;
    }
    memcpy(server->strings, name, name_size);
    config->server_name = server->strings;
    if (dir != NULL) {
        memcpy(server->strings + name_size, dir, dir_size);
        config->temp_dir = server->strings + name_size;
    }
    return 0;
}

static int
make_sync(wb_server *server)
{
    pthread_condattr_t clock;
    if (pthread_mutex_init(&server->lock, NULL) != 0) {
        return WB_NOMEM;
    }
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&server->ready_cond, &clock);
    pthread_cond_init(&server->progress_cond, &clock);
    pthread_condattr_destroy(&clock);
    server->sync_made = 1;
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
    int error = uv_async_init(&server->loop, &server->async, on_async);
    if (error < 0) {
        return error;
    }
    server->async.data = server;
    uv_timer_init(&server->loop, &server->tick);
    uv_timer_init(&server->loop, &server->sleep);
    server->tick.data = server;
    server->sleep.data = server;
    schedule_tick(server);
    return wb__listener_open(server);
}

int
wb_server_new(const wb_config *config, wb_server **out)
{
    int fd = config->listen_fd, error;
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
    memset(server, 0, offsetof(wb_server, read_buffer));
    server->config = *config;
    no_limits(&server->config);
    server->wake_pipe[0] = server->wake_pipe[1] = -1;
    atomic_init(&server->stop_grace, -1);
    atomic_init(&server->stopped, 0);
    atomic_init(&server->turns, 0);
    atomic_init(&server->released, NULL);
    server->process = wb__process_number;
    server->references = 1;
    server->shared = config->threaded;
    server->quick = 1;
    server->tick_due = UINT64_MAX;
    set_deadlines(server);
    error = uv_loop_init(&server->loop);
    if (error < 0) {
        wb__free(server);
        return error;
    }
    error = copy_strings(server);
    if (error == 0 && config->tls_cert != NULL) {
        error = wb__certificates_open(config, &server->tls);
    }
    if (error == 0) {
        error = wb__log_open(server);
        wb__metrics_init(server);
    }
    if (error == 0) {
        error = wb__proxied_open(server);
    }
    if (error == 0) {
        error = make_sync(server);
    }
    if (error == 0) {
        error = make_handles(server);
    }
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
    server->shared = server->turning = 0;
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
    while (!wb__server_on_loop(server)) {
        uv_async_send(&server->async);
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
            wb__server_dequeue(server, conn->request);
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
    wb__server_attend_all(server);
    wb__server_unlock(server);
    if (use_loop) {
        close_loop(server);
    }
    wb__server_lock(server);
    close_descriptors(server);
    wb__log_close(server);
    wb__proxied_close(server);
    wb__memo_close(&server->memo);
    wb__reader_close(&server->reader);
    wb__responder_close(&server->responder);
    wb__tls_context_unref(server->tls);
    server->tls = NULL;
    free_requests(server);
    atomic_store(&server->stopped, 1);
    wb__server_unlock(server);
}

void
wb__server_free(wb_server *server)
{
    if (server->sync_made) {
        pthread_cond_destroy(&server->progress_cond);
        pthread_cond_destroy(&server->ready_cond);
        pthread_mutex_destroy(&server->lock);
    }
    wb__free(server->strings);
    wb__free(server);
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
    wb__server_lock(server);
    int last = --server->references == 0;
    wb__server_unlock(server);
    if (last) {
        wb__server_free(server);
    }
}

/* ---- figures ------------------------------------------------------------ */

void
wb_server_stats(wb_server *server, wb_stats *out)
{
    wb__server_lock(server);
    *out = server->stats;
    out->log_lost = server->log.lost;
    out->memo_hits = server->memo.hits;
    out->memo_misses = server->memo.misses;
    wb__server_unlock(server);
}

void
wb_server_log_flush(wb_server *server)
{
    if (wb__server_forked(server)) {
        return;
    }
    wb__server_lock(server);
    wb__log_flush(server);
    wb__server_unlock(server);
}
