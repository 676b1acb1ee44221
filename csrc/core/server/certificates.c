#include "base/posix.h"

#include "server/certificates.h"

#include "server/lock.h"

static int
as_error(int error)
{
    switch (error) {
    case 0:
        return 0;
    case WB__TLS_MISSING:
        return WB_NOTLS;
    case WB__TLS_NOMEM:
        return WB_NOMEM;
    case WB__TLS_CERT:
        return WB_BADCERT;
    case WB__TLS_CA:
        return WB_BADCA;
    default:
        return WB_BADTLS;
    }
}

int
wb__certificates_open(const wb_config *config, wb__tls_context **out)
{
    wb__tls_server options = {
        .cert = config->tls_cert,
        .key = config->tls_key,
        .password = config->tls_password,
        .ca = config->tls_ca,
        .ciphers = config->tls_ciphers,
        .min_version = config->tls_min_version,
        .hosts = config->tls_hosts,
        .verify = config->tls_verify,
    };
    if (options.verify > WB__TLS_REQUIRED) {
        return WB_INVALID;
    }
    return as_error(wb__tls_server_new(&options, out));
}

/* Connections hold a reference to the context they began with. */
int
wb_server_tls_reload(wb_server *server)
{
    wb__tls_context *fresh;
    if (wb__server_forked(server)) {
        return WB_FORKED;
    }
    if (server->tls == NULL) {
        return 0;
    }
    int error = as_error(wb__tls_server_again(server->tls, &fresh));
    if (error < 0) {
        return error;
    }
    wb__server_lock(server);
    wb__tls_context *old = server->tls;
    server->tls = fresh;
    wb__tls_context_unref(old);
    wb__server_unlock(server);
    return 0;
}
