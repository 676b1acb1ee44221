#include "base/posix.h"

#include "server/request.h"

#include <string.h>

#include "base/alloc.h"
#include "server/conn.h"
#include "server/lock.h"

enum { MAX_FREE = 256 };

wb__request *
wb__request_new(wb_server *server)
{
    wb__request *request = server->free_requests;
    if (request != NULL) {
        server->free_requests = request->next;
        server->free_count--;
    } else {
        request = wb__alloc(sizeof(*request));
        if (request == NULL) {
            return NULL;
        }
    }
    memset(request, 0, offsetof(wb__request, line));
    request->server = server;
    request->line = request->line_inline;
    request->file.fd = -1;
    request->length = -1;
    request->pub.peer = "";
    request->pub.content_length = -1;
    return request;
}

/* It is no longer referred to. */
static void
recycle(wb__request *request)
{
    wb_server *server = request->server;
    if (request->line != request->line_inline) {
        wb__free(request->line);
    }
    wb__block_unref(request->block);
    wb__buf_free(&request->variables);
    wb__buf_free(&request->wire_head);
    if (server->free_count >= MAX_FREE || server->closing) {
        wb__free(request);
        return;
    }
    request->next = server->free_requests;
    server->free_requests = request;
    server->free_count++;
}

void
wb__request_free(wb__request *request)
{
    if (request == NULL) {
        return;
    }
    wb__body_free(request->body);
    wb__buf_free(&request->head);
    wb__file_close(&request->file);
    if (request->holds == 0) {
        recycle(request);
        return;
    }
    request->body = NULL;
    request->conn = NULL;
    request->over = 1;
    request->pub.body = NULL;
    request->pub.peer = ""; /* the address was the connection's */
    wb__server_progress(request->server);
}

/* ---- references --------------------------------------------------------- */

void
wb_request_hold(wb_request *pub)
{
    wb__request *request = (wb__request *)pub;
    wb_server *server = request->server;
    wb__server_share(server);
    wb__server_lock(server);
    if (request->holds++ == 0) {
        server->references++;
    }
    wb__server_unlock(server);
}

void
wb_request_release(wb_request *pub)
{
    wb__request *request = (wb__request *)pub;
    wb_server *server = request->server;
    wb__server_lock(server);
    int last = --request->holds == 0;
    if (last && request->over) {
        recycle(request);
    }
    wb__server_unlock(server);
    if (last) {
        wb__server_unref(server);
    }
}

int
wb__request_enter(wb__request *request)
{
    wb_server *server = request->server;
    if (wb__server_forked(server)) {
        return WB_FORKED;
    }
    wb__server_lock(server);
    if (request->over) {
        wb__server_unlock(server);
        return WB_OVER;
    }
    return 0;
}

/* ---- what it is made of ------------------------------------------------- */

int
wb__request_add_variables(wb__request *request, const char *data, size_t size,
                          uint32_t count)
{
    int error = wb__buf_append(&request->variables, data, size);
    if (error == 0) {
        request->pub.variables = wb__buf_data(&request->variables);
        request->pub.variables_size
            = (uint32_t)wb__buf_size(&request->variables);
        request->pub.variable_count += count;
    }
    return error;
}

static int
add_tls_variables(wb__request *request)
{
    size_t size;
    uint32_t count;
    const char *data
        = wb__tls_variables(request->conn->stream.tls, &size, &count);
    if (size == 0) {
        return 0;
    }
    return data == NULL
        ? WB_NOMEM
        : wb__request_add_variables(request, data, size, count);
}

int
wb__request_fill(wb__request *request, const char *data, const wb__line *line,
                 wb__block *block)
{
    wb_request *pub = &request->pub;
    if (request->conn->stream.tls != NULL && add_tls_variables(request) < 0) {
        return WB_NOMEM;
    }
    uint32_t size = line->target.off + line->target.len;
    size_t room = (size_t)size + (line->encoded ? line->path.len : 0);
    if (room > WB__LINE_INLINE) {
        char *memory = wb__alloc(room);
        if (memory == NULL) {
            return WB_NOMEM;
        }
        request->line = memory;
    }
    memcpy(request->line, data, size);
    pub->base = request->line;
    pub->method = line->method;
    pub->target = line->target;
    pub->path = line->path;
    pub->query = line->query;
    pub->authority = line->authority;
    if (line->encoded) {
        uint32_t length = wb__percent_decode(
            data + line->path.off, line->path.len, request->line + size);
        pub->path = (wb_span) { size, length };
    } else if (line->path.len == 0 && line->authority.len > 0) {
        /* An absolute-form target without a path names "/" (RFC 9110
         * 4.2.3); there is one in its own "://". */
        const char *slash
            = memchr(request->line + line->target.off, '/', line->target.len);
        pub->path = (wb_span) { (uint32_t)(slash - request->line), 1 };
    }
    pub->minor_version = line->minor_version;
    pub->tls = request->conn->stream.tls != NULL;
    pub->fields = &block->fields;
    pub->chunked = block->framing.chunked;
    pub->content_length = block->framing.chunked ? -1
        : block->framing.length > 0              ? block->framing.length
                                                 : 0;
    request->block = block;
    request->answer.is_head = line->method.len == 4
        && memcmp(data + line->method.off, "HEAD", 4) == 0;
    request->answer.minor_version = line->minor_version;
    pub->upgrade
        = line->minor_version > 0 && (block->flags & WB__UPGRADE) != 0;
    request->keep_alive = (block->flags & WB__CLOSE) == 0
        && (line->minor_version > 0 || (block->flags & WB__KEEP_ALIVE) != 0);
    return 0;
}

void
wb__request_show_body(wb__request *request)
{
    const wb__body *body = request->body;
    if (body != NULL && body->complete) {
        request->pub.body_complete = 1;
        request->pub.content_length = (int64_t)body->received;
    }
}
