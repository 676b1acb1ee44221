/* The application takes its connection over, for a protocol that is not ours
 * (WebSocket). The server counts it until the call is back, so that a stop
 * waits for it and, after the grace, ends it. */
#include "base/posix.h"

#include <fcntl.h>
#include <string.h>

#include "server/conn.h"
#include "server/lock.h"
#include "server/request.h"

/* A copy of the descriptor, blocking as the caller expects sockets to be: ours
 * is not used any more. */
static int
copy_descriptor(const wb__conn *conn)
{
    int fd = fcntl(conn->stream.fd, F_DUPFD_CLOEXEC, 3);
    int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
    if (flags >= 0) {
        fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    }
    return fd;
}

static int
may_detach(wb__conn *conn, const wb__request *request)
{
    /* A head that was given is not one that was sent: it is forgotten. */
    if (request->pub.head_sent || conn->state != WB__CONN_ANSWER
        || conn->stream.tls != NULL) {
        return WB_STATE;
    }
    /* Answers before this one. */
    if (conn->stream.pending.size > 0) {
        return conn->stream.blocked || wb__conn_flush(conn) != 0 ? WB_AGAIN
                                                                 : 0;
    }
    return 0;
}

static int
detach(wb__request *request, char *early, size_t room, size_t *size)
{
    wb__conn *conn = request->conn;
    if (request->gone) {
        return WB_GONE;
    }
    int error = may_detach(conn, request);
    if (error < 0) {
        return error;
    }
    *size = wb__buf_size(&conn->in);
    if (*size > room) {
        return WB_INVALID;
    }
    int fd = copy_descriptor(conn);
    if (fd < 0) {
        return WB_NOMEM;
    }
    if (*size > 0) {
        memcpy(early, wb__buf_data(&conn->in), *size);
        wb__buf_free(&conn->in);
    }
    request->detached = 1;
    request->answer.status = 101;
    request->answer.close = 1;
    wb__deadline_clear(&conn->timed);
    wb__conn_become(conn, WB__CONN_DETACHED);
    wb__conn_update(conn);
    return fd;
}

int
wb_request_detach(wb_request *pub, char *early, size_t room, size_t *size)
{
    wb__request *request = (wb__request *)pub;
    int result = wb__request_enter(request);
    if (result == 0) {
        *size = 0;
        result = request->detached ? WB_STATE
                                   : detach(request, early, room, size);
        wb__server_unlock(request->server);
    }
    return result;
}
