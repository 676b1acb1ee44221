/* A thread that waits for its request: for the body, or for the client. */
#include "base/posix.h"

#include "server/attend.h"
#include "server/conn.h"
#include "server/lead.h"
#include "server/lock.h"
#include "server/ready.h"
#include "server/request.h"
#include "server/turn.h"

/* What a waiting request waits for: 1 it is there, 0 not yet, WB_GONE,
 * WB_OVER. */
static int
arrived(const wb__request *request, int for_body)
{
    if (request->over || request->server->closing) {
        return WB_OVER;
    }
    if (for_body) {
        const wb__body *body = request->body;
        return body == NULL || body->complete || body->read < body->received
            || request->body_status != 0 || request->gone;
    }
    if (request->gone) {
        return WB_GONE;
    }
    return !request->conn->stream.blocked && request->file.fd < 0;
}

/* The loop is another thread's: of one that turns it anyway, or that waits
 * like this one. */
static int
has_turner(wb_server *server)
{
    return server->config.threaded ? wb__lead_yield(server)
                                   : !wb__server_on_loop(server);
}

static int
wait_for(wb_server *server, const wb__request *request, int for_body,
         int timeout_ms)
{
    uint64_t until
        = wb__now_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms);
    struct timespec when = wb__until(timeout_ms < 0 ? 0 : timeout_ms);
    int state;
    while ((state = arrived(request, for_body)) == 0) {
        uint64_t now = wb__now_ms();
        if (timeout_ms >= 0 && now >= until) {
            return WB_AGAIN;
        }
        if (has_turner(server)) {
            wb__sleep_on(server, &server->progress_cond, timeout_ms, &when);
            continue;
        }
        wb__attend_all(server);
        wb__turn_for(server, timeout_ms < 0 ? -1 : (int)(until - now));
    }
    return state;
}

int
wb_request_wait(wb_request *pub, int for_body, int timeout_ms)
{
    wb__request *request = (wb__request *)pub;
    int state = wb__request_enter(request);
    if (state < 0) {
        return state;
    }
    wb_server *server = request->server;
    if (!for_body) {
        /* The caller waits here: it must not be handed the request again. */
        request->resume_wanted = 0;
        wb__ready_remove(server, request);
    }
    state = wait_for(server, request, for_body, timeout_ms);
    wb__request_show_body(request);
    wb__server_unlock(server);
    return state > 0 ? 0 : state;
}

/* ---- reading the body --------------------------------------------------- */

static int64_t
read_body(wb__request *request, char *out, size_t size)
{
    wb__body *body = request->body;
    request->pub.body = NULL; /* it may move or go from here on */
    if (body == NULL || size == 0) {
        return 0;
    }
    if (request->continue_due && !request->pub.head_sent
        && wb__conn_continue(request->conn) < 0) {
        return WB_GONE;
    }
    int64_t n = wb__body_read(body, out, size);
    if (n == WB_AGAIN) {
        return request->body_status != 0 ? WB_BADBODY
            : request->gone              ? WB_GONE
                                         : WB_AGAIN;
    }
    return n;
}

int64_t
wb_request_read(wb_request *pub, char *out, size_t size)
{
    wb__request *request = (wb__request *)pub;
    int64_t n = wb__request_enter(request);
    if (n < 0) {
        return n;
    }
    n = read_body(request, out, size);
    wb__request_show_body(request);
    wb__server_unlock(request->server);
    return n;
}
