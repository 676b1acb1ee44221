#include "base/posix.h"

#include "server/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "server/conn.h"
#include "server/log_line.h"
#include "server/tick.h"

enum {
    FLUSH_MS = 500,
    LAST_MS = 50,     /* a wait for a reader at the end, ... */
    LAST_WAITS = 4,   /* ... how many in vain, ... */
    LAST_ROUNDS = 40, /* ... and how many at all */
    BAD_LINE = 1024 /* bytes shown of what is no request */
};

/* ---- writing without waiting -------------------------------------------- */

static int
has_room(int fd, int timeout_ms)
{
    struct pollfd one = { .fd = fd, .events = POLLOUT };
    return poll(&one, 1, timeout_ms) == 1 && (one.revents & POLLOUT) != 0;
}

/* As write(2), but never waiting: EAGAIN. The descriptor's own O_NONBLOCK
 * would be that of everybody who shares the file, so a pipe is asked first,
 * and has room for PIPE_BUF bytes if it says so. */
static ssize_t
write_some(int fd, const char *data, size_t size)
{
    struct stat info;
    if (fstat(fd, &info) < 0) {
        return -1;
    }
    if (S_ISSOCK(info.st_mode)) {
        return send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (!S_ISREG(info.st_mode)) {
        if (!has_room(fd, 0)) {
            errno = EAGAIN;
            return -1;
        }
        size = size < PIPE_BUF ? size : PIPE_BUF;
    }
    return write(fd, data, size);
}

/* To the error log, unless an earlier write to it has failed. */
static void
tell(wb_server *server, const char *text, int size)
{
    if (server->config.error_fd >= 0
        && write_some(server->config.error_fd, text, (size_t)size) < 0) {
        server->config.error_fd = -1;
    }
}

static void
lose_line(wb_server *server)
{
    wb__log *log = &server->log;
    log->lost++;
    if (!log->losing) {
        char text[256];
        log->losing = 1;
        int size = snprintf(text, sizeof(text),
                            "wsgibench: pid %ld: the access log cannot be "
                            "written, lines are lost: %s\n",
                            (long)getpid(),
                            log->error == EAGAIN  ? "nobody reads it"
                                : log->error == 0 ? "out of memory"
                                                  : strerror(log->error));
        tell(server, text, size);
    }
}

void
wb__log_body(wb_server *server, int error)
{
    char text[512];
    int size = snprintf(text, sizeof(text),
                        "wsgibench: pid %ld: a request is refused, its body "
                        "cannot be kept in %.200s: %s\n",
                        (long)getpid(), wb__body_folder(&server->config),
                        wb_strerror(error));
    tell(server, text, size);
}

static void
written_again(wb_server *server)
{
    wb__log *log = &server->log;
    if (log->losing) {
        char text[256];
        log->losing = 0;
        int size = snprintf(text, sizeof(text),
                            "wsgibench: pid %ld: the access log is written "
                            "again, %llu lines were lost\n",
                            (long)getpid(),
                            (unsigned long long)(log->lost - log->lost_told));
        tell(server, text, size);
        log->lost_told = log->lost;
    }
}

void
wb__log_flush(wb_server *server)
{
    wb__log *log = &server->log;
    size_t done = 0;
    while (done < log->size) {
        ssize_t n = write_some(server->config.log_fd, log->block + done,
                               log->size - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            log->error = n < 0 ? errno : EIO;
            break;
        }
        log->error = 0;
        done += (size_t)n;
    }
    if (done > 0) {
        log->size -= done;
        memmove(log->block, log->block + done, log->size);
        written_again(server);
    }
}

int
wb__log_open(wb_server *server)
{
    const char *text = server->config.log_format;
    server->config.log_format = NULL; /* the caller's */
    return text == NULL ? 0 : wb__log_format_new(text, &server->log.format);
}

void
wb__log_close(wb_server *server)
{
    wb__log *log = &server->log;
    if (log->block != NULL) {
        wb__log_flush(server);
        int rounds = LAST_ROUNDS, waits = LAST_WAITS;
        while (log->size > 0 && log->error == EAGAIN && waits > 0
               && rounds-- > 0) {
            waits -= !has_room(server->config.log_fd, LAST_MS);
            wb__log_flush(server);
        }
        for (size_t i = 0; i < log->size; i++) {
            if (log->block[i] == '\n') {
                lose_line(server);
            }
        }
        wb__free(log->block);
        log->block = NULL;
    }
    wb__log_format_free(log->format);
    log->format = NULL;
}

/* ---- entries ------------------------------------------------------------ */

static void
renew_time(wb__log *log)
{
    struct tm tm;
    time_t now = time(NULL);
    if (now == log->second) {
        return;
    }
    log->second = now;
    gmtime_r(&now, &tm);
    snprintf(log->time, sizeof(log->time), "%02d/%s/%04d:%02d:%02d:%02d",
             tm.tm_mday % 100, wb__month(tm.tm_mon),
             (tm.tm_year + 1900) % 10000, tm.tm_hour % 100, tm.tm_min % 100,
             tm.tm_sec % 100);
    snprintf(log->iso_time, sizeof(log->iso_time),
             "%04d-%02d-%02dT%02d:%02d:%02dZ", (tm.tm_year + 1900) % 10000,
             (tm.tm_mon + 1) % 100, tm.tm_mday % 100, tm.tm_hour % 100,
             tm.tm_min % 100, tm.tm_sec % 100);
}

static wb__log_text
part(const char *base, wb_span span)
{
    return (wb__log_text) { base + span.off, span.len };
}

static void
describe(wb__log_entry *entry, const wb__request *request)
{
    const wb_request *pub = &request->pub;
    entry->line
        = (wb__log_text) { pub->base, pub->target.off + pub->target.len };
    entry->method = part(pub->base, pub->method);
    entry->target = part(pub->base, pub->target);
    entry->path = part(pub->base, pub->path);
    entry->query = part(pub->base, pub->query);
    entry->minor_version = pub->minor_version;
    entry->fields = pub->fields;
    entry->variables = (wb__log_text) { pub->variables, pub->variables_size };
}

static void
put_entry(wb_server *server, wb__log_entry *entry)
{
    wb__log *log = &server->log;
    if (log->block == NULL) {
        log->block = wb__alloc(WB__LOG_BLOCK);
    }
    if (log->block != NULL && log->size + WB__LOG_LINE > WB__LOG_BLOCK) {
        wb__log_flush(server);
    }
    if (log->block == NULL || log->size + WB__LOG_LINE > WB__LOG_BLOCK) {
        lose_line(server);
        return;
    }
    renew_time(log);
    entry->time = log->time;
    entry->iso_time = log->iso_time;
    log->size += wb__log_line(log->format, entry, log->block + log->size,
                              WB__LOG_LINE);
    wb__tick_by(server, wb__now_ms() + FLUSH_MS);
}

void
wb__log_request(wb_server *server, const wb__request *request)
{
    wb__log_entry entry = {
        .peer = request->conn->peer,
        .status = request->answer.status,
        .sent = request->sent,
        .duration_us = request->duration_us,
        .queue_us = request->queue_us,
        .answer_head = { wb__buf_size(&request->wire_head) > 0
                             ? wb__buf_data(&request->wire_head)
                             : NULL,
                         wb__buf_size(&request->wire_head) },
    };
    describe(&entry, request);
    put_entry(server, &entry);
}

void
wb__log_refused(const wb__conn *conn, const char *data, size_t size,
                int status)
{
    wb__log_entry entry = {
        .peer = conn->peer,
        .minor_version = -1,
        .status = status,
    };
    if (conn->request != NULL) {
        describe(&entry, conn->request);
    } else {
        size_t line = 0;
        while (line < size && line < BAD_LINE && data[line] != '\r'
               && data[line] != '\n') {
            line++;
        }
        if (line > 0) {
            entry.line = (wb__log_text) { data, line };
        }
    }
    put_entry(conn->server, &entry);
}
