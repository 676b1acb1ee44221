#include "base/posix.h"

#include "server/proxied.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/text.h"
#include "net/forwarded.h"
#include "net/proxy_protocol.h"
#include "server/conn.h"
#include "server/server.h"

enum { REQUIRED = 1, FROM_SOME = 2 }; /* config.proxy_protocol */

/* ---- the server's ------------------------------------------------------- */

static int
copy_root(wb__proxied *proxied, const char *path)
{
    size_t size = strlen(path);
    while (size > 0 && path[size - 1] == '/') {
        size--;
    }
    if (size == 0) {
        return 0;
    }
    proxied->root_path = wb__alloc(size);
    if (path[0] != '/' || proxied->root_path == NULL) {
        return path[0] != '/' ? WB_INVALID : WB_NOMEM;
    }
    memcpy(proxied->root_path, path, size);
    proxied->root_size = size;
    return 0;
}

int
wb__proxied_open(wb_server *server)
{
    wb__proxied *proxied = &server->proxied;
    wb_config *config = &server->config;
    int error = 0;
    if (config->forwarded_allow != NULL) {
        error
            = wb__networks_new(config->forwarded_allow, &proxied->forwarders);
    }
    if (error == 0) {
        const char *fields = config->forwarded_headers;
        proxied->fields = fields == NULL ? ~0 : wb__forwarded_fields(fields);
        error = fields != NULL && proxied->fields < 0 ? WB_INVALID : 0;
    }
    if (error == 0 && config->proxy_protocol != 0) {
        const char *allow = config->proxy_allow;
        error = config->proxy_protocol > FROM_SOME
            ? WB_INVALID
            : wb__networks_new(allow == NULL ? "127.0.0.1,::1,unix" : allow,
                               &proxied->balancers);
    }
    if (error == 0 && config->root_path != NULL) {
        error = copy_root(proxied, config->root_path);
    }
    return error;
}

void
wb__proxied_close(wb_server *server)
{
    wb__proxied *proxied = &server->proxied;
    wb__networks_free(proxied->forwarders);
    wb__networks_free(proxied->balancers);
    wb__free(proxied->root_path);
    memset(proxied, 0, sizeof(*proxied));
}

/* ---- a connection's ----------------------------------------------------- */

int
wb__proxied_accept(wb__conn *conn)
{
    const wb_server *server = conn->server;
    const wb__proxied *proxied = &server->proxied;
    conn->trusted = wb__networks_hold(proxied->forwarders, conn->peer) != 0;
    if (server->config.proxy_protocol != 0) {
        if (wb__networks_hold(proxied->balancers, conn->peer)) {
            wb__conn_become(conn, WB__CONN_PROXY);
        } else if (server->config.proxy_protocol == REQUIRED) {
            return -1;
        }
    }
    return 0;
}

static void
take_header(wb__conn *conn, const wb__proxy_header *header)
{
    wb__conn_become(conn, WB__CONN_WAITING);
    wb__buf_free(&conn->in);
    if (conn->stream.tls == NULL) {
        wb__conn_arm(conn, WB__IDLE);
    }
    if (!header->is_own) {
        size_t size = strlen(header->address);
        /* There is room: see wb__conn_new(). */
        memcpy(conn->peer, header->address, size + 1);
        conn->peer_size = (uint8_t)size;
        conn->peer_port = header->port;
        conn->trusted
            = wb__networks_hold(conn->server->proxied.forwarders, conn->peer)
            != 0;
    }
}

/* What belongs to the header is known only when it was looked at; what does
 * not must stay in the kernel for TLS, and what does must not, or the
 * descriptor would be readable for ever. */
int
wb__proxied_read(wb__conn *conn)
{
    char data[WB__PROXY_MAX];
    wb__proxy_header header;
    size_t before = wb__buf_size(&conn->in);
    ssize_t n = recv(conn->stream.fd, data, sizeof(data) - before, MSG_PEEK);
    if (n < 0) {
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0
                                                                         : -1;
    }
    if (n == 0 || wb__buf_append(&conn->in, data, (size_t)n) < 0) {
        return -1;
    }
    int state = wb__proxy_parse(wb__buf_data(&conn->in),
                                wb__buf_size(&conn->in), &header);
    size_t used = state > 0 ? header.size - before : (size_t)n;
    if (state < 0 || recv(conn->stream.fd, data, used, 0) != (ssize_t)used) {
        conn->server->stats.refused += state < 0;
        return -1;
    }
    if (state > 0) {
        take_header(conn, &header);
    }
    return state;
}

/* ---- a request's -------------------------------------------------------- */

static int
put(wb__request *request, const char *name, const char *value, size_t size)
{
    int error = wb__request_add_variables(request, name, strlen(name) + 1, 0);
    if (error == 0 && size > 0) {
        error = wb__request_add_variables(request, value, size, 0);
    }
    return error < 0 ? error : wb__request_add_variables(request, "", 1, 1);
}

static int
put_text(wb__request *request, const char *name, const char *value)
{
    return put(request, name, value, strlen(value));
}

static int
put_client(wb__request *request, const wb__forwarded *told)
{
    char port[24];
    *wb__put_decimal(port, told->port) = '\0';
    int error = put_text(request, "REMOTE_ADDR", told->address);
    return error < 0
        ? error
        : put_text(request, "REMOTE_PORT", told->port == 0 ? "" : port);
}

/* HTTP_HOST, and SERVER_NAME and _PORT as they follow from it. */
static int
put_host(wb__request *request, const wb__forwarded *told)
{
    const char *host = told->host;
    size_t size = told->host_size, name = size;
    const char *colon = host + size;
    while (colon > host && colon[-1] >= '0' && colon[-1] <= '9') {
        colon--;
    }
    int has_port = colon > host && colon[-1] == ':';
    if (has_port) {
        name = (size_t)(colon - 1 - host);
    }
    int error = put(request, "HTTP_HOST", host, size);
    if (error == 0) {
        error = put(request, "SERVER_NAME", host, name);
    }
    if (error < 0) {
        return error;
    }
    int https = told->scheme != NULL ? strcmp(told->scheme, "https") == 0
                                     : request->conn->stream.tls != NULL;
    size_t digits = size - name - (size_t)has_port;
    return digits > 0 && has_port
        ? put(request, "SERVER_PORT", colon, digits)
        : put_text(request, "SERVER_PORT", https ? "443" : "80");
}

static int
put_forwarded(wb__request *request)
{
    const wb__proxied *proxied = &request->server->proxied;
    wb__forwarded told;
    int error = 0;
    wb__forwarded_read(request->pub.fields, proxied->forwarders,
                       proxied->fields, &told);
    if (told.address[0] != '\0') {
        error = put_client(request, &told);
    }
    if (error == 0 && told.scheme != NULL) {
        error = put_text(request, "wsgi.url_scheme", told.scheme);
    }
    if (error == 0 && told.host != NULL) {
        error = put_host(request, &told);
    }
    return error;
}

/* The application is mounted there: SCRIPT_NAME is the binding's. A path that
 * does not begin so has lost it in the proxy already. */
static void
cut_root(wb__request *request)
{
    const wb__proxied *proxied = &request->server->proxied;
    wb_span *path = &request->pub.path;
    uint32_t size = (uint32_t)proxied->root_size;
    const char *data = request->pub.base + path->off;
    if (path->len >= size && memcmp(data, proxied->root_path, size) == 0
        && (path->len == size || data[size] == '/')) {
        path->off += size;
        path->len -= size;
    }
}

int
wb__proxied_request(wb__request *request)
{
    if (request->server->proxied.root_size > 0) {
        cut_root(request);
    }
    return request->conn->trusted ? put_forwarded(request) : 0;
}
