/* Bytes out: to the kernel at once, the rest when it has room again. */
#include "base/posix.h"

#include "net/stream.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fork.h"
#include "wsgibench.h"

enum {
    RECORD = 16384, /* the largest of TLS, RFC 8446 5.1 */
    MAX_COPIED = RECORD, /* of a block that could be kept by reference. Not
                            less: TLS must be offered the same record again */
    MAX_SENDFILE = 1 << 20
};

/* ---- bytes in ----------------------------------------------------------- */

ssize_t
wb__stream_receive(const wb__stream *stream, char *data, size_t size)
{
    ssize_t n;
    do {
        n = stream->tls == NULL ? recv(stream->fd, data, size, 0)
                                : wb__tls_recv(stream->tls, data, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

int
wb__stream_has_more(const wb__stream *stream)
{
    return stream->tls != NULL && wb__tls_pending(stream->tls);
}

int
wb__stream_wants_room(const wb__stream *stream)
{
    return stream->tls != NULL && wb__tls_wants_room(stream->tls);
}

/* ---- to the kernel ------------------------------------------------------ */

/* Head and body in one record, if they fit. As sendmsg(2). */
static ssize_t
push_tls(wb__tls *tls, const struct iovec *parts, int count)
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
        return wb__tls_send(tls, record, total);
    }
    ssize_t sent = 0;
    for (int i = 0; i < count; i++) {
        const char *data = parts[i].iov_base;
        size_t left = parts[i].iov_len;
        while (left > 0) {
            ssize_t n = wb__tls_send(tls, data, left);
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
push(wb__stream *stream, wb__outlet *outlet, struct iovec *parts, int count)
{
    ssize_t n;
    do {
        if (stream->tls != NULL) {
            n = push_tls(stream->tls, parts, count);
        } else if (count == 1) {
            n = send(stream->fd, parts->iov_base, parts->iov_len,
                     MSG_NOSIGNAL);
        } else {
            struct msghdr message
                = { .msg_iov = parts, .msg_iovlen = (size_t)count };
            n = sendmsg(stream->fd, &message, MSG_NOSIGNAL);
        }
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : WB_GONE;
    }
    outlet->bytes += (uint64_t)n;
    return n;
}

static void
give_back(wb__outlet *outlet, wb__segment *done)
{
    while (done != NULL) {
        wb__segment *next = done->next;
        done->next = atomic_load_explicit(&outlet->done, memory_order_relaxed);
        atomic_store_explicit(&outlet->done, done, memory_order_relaxed);
        done = next;
    }
}

static int
flush_pending(wb__stream *stream, wb__outlet *outlet)
{
    while (stream->pending.size > 0) {
        struct iovec parts[2];
        ssize_t n = push(stream, outlet, parts,
                         wb__pending_front(&stream->pending, parts));
        if (n <= 0) {
            return n < 0 ? WB_GONE : WB_FULL;
        }
        wb__segment *done = NULL;
        wb__pending_consume(&stream->pending, (size_t)n, &done);
        give_back(outlet, done);
    }
    return 0;
}

/* ---- files -------------------------------------------------------------- */

void
wb__file_close(wb__file *file)
{
    if (file->fd >= 0 && file->owned) {
        close(file->fd);
    }
    file->fd = -1;
    file->owned = 0;
}

/* sendfile(2), or read and send where it cannot. As push(). */
static ssize_t
push_file(wb__stream *stream, wb__outlet *outlet, const wb__file *file)
{
    size_t size
        = file->left > MAX_SENDFILE ? MAX_SENDFILE : (size_t)file->left;
    off_t offset = (off_t)file->offset;
    ssize_t n = -1;
    errno = EINVAL;
    if (stream->tls == NULL) {
        n = sendfile(stream->fd, file->fd, &offset, size);
    }
    if (n < 0 && (errno == EINVAL || errno == ENOSYS)) {
        char block[16384];
        struct iovec part
            = { block, size < sizeof(block) ? size : sizeof(block) };
        n = pread(file->fd, block, part.iov_len, (off_t)file->offset);
        if (n <= 0) {
            return WB_GONE;
        }
        part.iov_len = (size_t)n;
        return push(stream, outlet, &part, 1);
    }
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : WB_GONE;
    }
    outlet->bytes += (uint64_t)n;
    return n == 0 ? WB_GONE : n; /* the file is shorter than was said */
}

static int
flush_file(wb__stream *stream, wb__outlet *outlet, wb__file *file)
{
    while (file->left > 0) {
        ssize_t n = push_file(stream, outlet, file);
        if (n <= 0) {
            return n < 0 ? WB_GONE : WB_FULL;
        }
        file->offset += n;
        file->left -= n;
    }
    wb__file_close(file);
    if (file->chunked && wb__pending_copy(&stream->pending, "\r\n", 2) < 0) {
        return WB_GONE;
    }
    return flush_pending(stream, outlet);
}

/* ---- bytes out ---------------------------------------------------------- */

int
wb__stream_flush(wb__stream *stream, wb__outlet *outlet, wb__file *file)
{
    int result = flush_pending(stream, outlet);
    if (result == 0 && file != NULL && file->fd >= 0) {
        result = flush_file(stream, outlet, file);
    }
    stream->blocked = result == WB_FULL;
    return result;
}

/* Keeps what lies behind the first `skip` bytes. 0 or WB_NOMEM. */
static int
keep(wb__pending *pending, const struct iovec *parts, int count, size_t skip,
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
            error = wb__pending_keep(pending, data, size, *owner);
            *owner = error == 0 ? NULL : *owner;
        } else {
            error = wb__pending_copy(pending, data, size);
        }
        if (error < 0) {
            return error;
        }
    }
    return 0;
}

int
wb__stream_send(wb__stream *stream, wb__outlet *outlet, struct iovec *parts,
                int count, int hold, void **owner)
{
    ssize_t sent = 0;
    size_t total = 0;
    int behind = stream->pending.size > 0;
    for (int i = 0; i < count; i++) {
        total += parts[i].iov_len;
    }
    if (!hold && !behind) {
        sent = push(stream, outlet, parts, count);
        if (sent == (ssize_t)total) {
            return 0;
        }
    }
    if (sent < 0
        || keep(&stream->pending, parts, count, (size_t)sent, owner) < 0) {
        return WB_GONE;
    }
    if (hold) {
        return 0;
    }
    if (behind && !stream->blocked) {
        return wb__stream_flush(stream, outlet, NULL);
    }
    stream->blocked = 1;
    return WB_FULL;
}

/* ---- the end ------------------------------------------------------------ */

void
wb__stream_drop(wb__stream *stream, wb__outlet *outlet)
{
    wb__segment *done = NULL;
    wb__pending_free(&stream->pending, &done);
    give_back(outlet, done);
    wb__tls_free(stream->tls);
    stream->tls = NULL;
    stream->blocked = 0;
}

/* The FIN of a plain close() would make a body that ends with the connection
 * look whole: a reset does not. */
static void
set_reset(const wb__stream *stream, int reset)
{
    struct linger hard = { reset, 0 };
    setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
}

void
wb__stream_guard(wb__stream *stream)
{
    stream->guarded = 1;
    set_reset(stream, 1);
}

void
wb__stream_unguard(wb__stream *stream)
{
    if (stream->guarded) {
        stream->guarded = 0;
        set_reset(stream, 0);
    }
}

void
wb__stream_end(const wb__stream *stream, int reset)
{
    if (reset) {
        set_reset(stream, 1);
    }
    if (wb__children > 0) {
        if (reset) {
            struct sockaddr none = { .sa_family = AF_UNSPEC };
            connect(stream->fd, &none, sizeof(none)); /* resets */
        } else {
            shutdown(stream->fd, SHUT_RDWR);
        }
    }
}
