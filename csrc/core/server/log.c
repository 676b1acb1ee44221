#include "base/posix.h"

#include "server/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "server/server.h"

enum { LINE_ROOM = 4096, FLUSH_MS = 500 };

void
wb__log_flush(wb_server *server)
{
    wb__log *log = &server->log;
    size_t done = 0;
    while (done < log->size) {
        ssize_t n = write(server->config.log_fd, log->block + done,
                          log->size - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break; /* a log that cannot be written is not worth an answer */
        }
        done += (size_t)n;
    }
    log->size = 0;
}

void
wb__log_close(wb_server *server)
{
    if (server->log.block != NULL) {
        wb__log_flush(server);
        wb__free(server->log.block);
        server->log.block = NULL;
    }
}

/* A client must not be able to forge lines: quotes, backslashes and what is
 * not printable are escaped as Apache does. */
static char *
put_quoted(char *out, const char *end, const char *data, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < size && end - out > 8; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == '"' || c == '\\') {
            *out++ = '\\';
            *out++ = (char)c;
        } else if (c < 32 || c >= 127) {
            *out++ = '\\';
            *out++ = 'x';
            *out++ = hex[c >> 4];
            *out++ = hex[c & 15];
        } else {
            *out++ = (char)c;
        }
    }
    return out;
}

static char *
put_field(char *out, const char *end, const wb_fields *fields, int32_t at)
{
    *out++ = ' ';
    *out++ = '"';
    if (at >= 0) {
        const wb_span *value = &fields->spans[2 * at + 1];
        out = put_quoted(out, end, fields->base + value->off, value->len);
    } else {
        *out++ = '-';
    }
    *out++ = '"';
    return out;
}

static void
renew_time(wb__log *log)
{
    struct tm tm;
    time_t now = time(NULL);
    if (now == log->second) {
        return;
    }
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    log->second = now;
    gmtime_r(&now, &tm);
    snprintf(log->time, sizeof(log->time), "%02d/%.3s/%04d:%02d:%02d:%02d",
             tm.tm_mday % 100, months + 3 * (tm.tm_mon % 12),
             (tm.tm_year + 1900) % 10000, tm.tm_hour % 100, tm.tm_min % 100,
             tm.tm_sec % 100);
}

void
wb__log_request(wb_server *server, const wb__request *request)
{
    wb__log *log = &server->log;
    const wb_request *pub = &request->pub;
    if (log->block == NULL) {
        log->block = wb__alloc(WB__LOG_BLOCK);
        if (log->block == NULL) {
            return;
        }
    }
    if (log->size + LINE_ROOM > WB__LOG_BLOCK) {
        wb__log_flush(server);
    }
    renew_time(log);
    const char *peer = request->conn->peer;
    char *start = log->block + log->size, *end = start + LINE_ROOM - 64;
    char *out = start;
    out += snprintf(out, 128, "%s - - [%s +0000] \"",
                    peer[0] == '\0' ? "-" : peer, log->time);
    out = put_quoted(out, end, pub->base + pub->method.off, pub->method.len);
    *out++ = ' ';
    out = put_quoted(out, end - 1024, pub->base + pub->target.off,
                     pub->target.len);
    out += snprintf(out, 64, " HTTP/1.%d\" %d %llu", pub->minor_version,
                    request->status, (unsigned long long)request->sent);
    if (server->config.log_format == 2) {
        out = put_field(out, end - 512, pub->fields, request->block->referer);
        out = put_field(out, end, pub->fields, request->block->user_agent);
    }
    *out++ = '\n';
    log->size += (size_t)(out - start);
    wb__server_tick_by(server, wb__now_ms() + FLUSH_MS);
}
