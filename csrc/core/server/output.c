/* Bytes out: to the kernel at once, the rest when it has room again. */
#include "base/posix.h"

#include <errno.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "server/conn.h"
#include "server/server.h"

enum {
    RECORD = 16384, /* the largest of TLS, RFC 8446 5.1 */
    MAX_COPIED = RECORD /* of a block that could be kept by reference. Not
                           less: TLS must be offered the same record again */
};

/* Head and body in one record, if they fit. As sendmsg(2). */
static ssize_t
push_tls(wb__conn *conn, const struct iovec *parts, int count)
{
    char record[RECORD];
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        total += parts[i].iov_len;
    }
    if (count > 1 && total <= RECORD) {
        char *out = record;
        for (int i = 0; i < count; i++) {
            if (parts[i].iov_len > 0) { /* an empty one may have no base */
                memcpy(out, parts[i].iov_base, parts[i].iov_len);
                out += parts[i].iov_len;
            }
        }
        return wb__tls_send(conn->tls, record, total);
    }
    ssize_t sent = 0;
    for (int i = 0; i < count; i++) {
        const char *data = parts[i].iov_base;
        size_t left = parts[i].iov_len;
        while (left > 0) {
            ssize_t n = wb__tls_send(conn->tls, data, left);
            if (n < 0) {
                return sent > 0 && errno == EAGAIN ? sent : n;
            }
            sent += n;
            data += n;
            left -= (size_t)n;
        }
    }
    return sent;
}

/* Bytes the kernel took, 0 if it has no room, or WB_GONE. */
static ssize_t
push(wb__conn *conn, struct iovec *parts, int count)
{
    ssize_t n;
    do {
        if (conn->tls != NULL) {
            n = push_tls(conn, parts, count);
        } else if (count == 1) {
            n = send(conn->fd, parts->iov_base, parts->iov_len, MSG_NOSIGNAL);
        } else {
            struct msghdr message
                = { .msg_iov = parts, .msg_iovlen = (size_t)count };
            n = sendmsg(conn->fd, &message, MSG_NOSIGNAL);
        }
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : WB_GONE;
    }
    conn->server->stats.bytes_out += (uint64_t)n;
    return n;
}

static void
lost(wb__conn *conn)
{
    conn->server->stats.resets++;
    wb__conn_close(conn);
}

static void
wait_for_room(wb__conn *conn, int progress)
{
    if (progress || conn->timed.kind != WB__WRITE) {
        wb__conn_arm(conn, WB__WRITE);
    }
    conn->blocked = 1;
    wb__conn_update(conn);
}

/* Keeps what lies behind the first `skip` bytes. 0 or WB_NOMEM. */
static int
keep(wb__conn *conn, const struct iovec *parts, int count, size_t skip,
     void **owner)
{
    for (int i = 0; i < count; i++) {
        const char *data = parts[i].iov_base;
        size_t size = parts[i].iov_len;
        int error;
        if (skip >= size) {
            skip -= size;
            continue;
        }
        data += skip;
        size -= skip;
        skip = 0;
        if (i == 1 && size > MAX_COPIED && owner != NULL && *owner != NULL) {
            error = wb__pending_keep(&conn->out, data, size, *owner);
            *owner = error == 0 ? NULL : *owner;
        } else {
            error = wb__pending_copy(&conn->out, data, size);
        }
        if (error < 0) {
            return error;
        }
    }
    return 0;
}

int
wb__conn_send(wb__conn *conn, struct iovec *parts, int count, int hold,
              void **owner)
{
    if (conn->dead) {
        return WB_GONE;
    }
    ssize_t sent = 0;
    size_t total = 0;
    int kept = conn->out.size > 0;
    for (int i = 0; i < count; i++) {
        total += parts[i].iov_len;
    }
    if (!hold && !kept) {
        sent = push(conn, parts, count);
        if (sent == (ssize_t)total) {
            return 0;
        }
    }
    if (sent < 0 || keep(conn, parts, count, (size_t)sent, owner) < 0) {
        lost(conn);
        return WB_GONE;
    }
    if (!hold) {
        if (kept && !conn->blocked) {
            return wb__conn_flush(conn);
        }
        wait_for_room(conn, sent > 0);
        if (conn->dead) { /* no place in the poll set */
            return WB_GONE;
        }
    }
    return conn->out.size > conn->server->config.write_high ? WB_FULL : 0;
}

/* sendfile(2), or read and send where it cannot. As push(). */
static ssize_t
push_file(wb__conn *conn, wb__request *request)
{
    size_t size = request->file_left > (1 << 20) ? (size_t)1 << 20
                                                 : (size_t)request->file_left;
    off_t offset = (off_t)request->file_offset;
    ssize_t n = -1;
    errno = EINVAL;
    if (conn->tls == NULL) {
        n = sendfile(conn->fd, request->file, &offset, size);
    }
    if (n < 0 && (errno == EINVAL || errno == ENOSYS)) {
        char block[16384];
        struct iovec part
            = { block, size < sizeof(block) ? size : sizeof(block) };
        n = pread(request->file, block, part.iov_len,
                  (off_t)request->file_offset);
        if (n <= 0) {
            return WB_GONE;
        }
        part.iov_len = (size_t)n;
        return push(conn, &part, 1);
    }
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : WB_GONE;
    }
    conn->server->stats.bytes_out += (uint64_t)n;
    return n == 0 ? WB_GONE : n; /* the file is shorter than was said */
}

static int
flush_file(wb__conn *conn, wb__request *request, int *progress)
{
    while (request->file_left > 0) {
        ssize_t n = push_file(conn, request);
        if (n < 0) {
            return WB_GONE;
        }
        if (n == 0) {
            return WB_FULL;
        }
        *progress = 1;
        request->file_offset += n;
        request->file_left -= n;
    }
    wb__request_close_file(request);
    /* The file was one chunk; its data ends with CRLF. */
    if (request->answer == WB__CHUNKED
        && wb__pending_copy(&conn->out, "\r\n", 2) < 0) {
        return WB_GONE;
    }
    return 0;
}

static int
flush_kept(wb__conn *conn, int *progress)
{
    while (conn->out.size > 0) {
        struct iovec parts[2];
        ssize_t n = push(conn, parts, wb__pending_front(&conn->out, parts));
        if (n <= 0) {
            return n < 0 ? WB_GONE : WB_FULL;
        }
        *progress = 1;
        wb__segment *done = NULL;
        wb__pending_consume(&conn->out, (size_t)n, &done);
        wb__server_give_back(conn->server, done);
    }
    return 0;
}

int
wb__conn_flush(wb__conn *conn)
{
    int progress = 0;
    if (conn->dead) {
        return WB_GONE;
    }
    int result = flush_kept(conn, &progress);
    if (result == 0 && conn->request != NULL && conn->request->file >= 0) {
        result = flush_file(conn, conn->request, &progress);
        if (result == 0) {
            result = flush_kept(conn, &progress);
        }
    }
    if (result == WB_GONE) {
        lost(conn);
    } else if (result == WB_FULL) {
        wait_for_room(conn, progress);
        result = conn->dead ? WB_GONE : result;
    }
    return result;
}
