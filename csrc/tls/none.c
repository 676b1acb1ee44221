/* Built where OpenSSL's headers were not found: no context can be made, so
 * nothing else is ever called. */
#ifndef WB_OPENSSL
#include "base/posix.h"

#include "tls/tls.h"

#include <errno.h>

int
wb__tls_available(void)
{
    return 0;
}

int
wb__tls_server_new(const wb__tls_server *options, wb__tls_context **out)
{
    (void)options;
    (void)out;
    return WB__TLS_MISSING;
}

int
wb__tls_client_new(const wb__tls_client *options, wb__tls_context **out)
{
    (void)options;
    (void)out;
    return WB__TLS_MISSING;
}

int
wb__tls_server_again(const wb__tls_context *context, wb__tls_context **out)
{
    (void)context;
    (void)out;
    return WB__TLS_MISSING;
}

void
wb__tls_context_unref(wb__tls_context *context)
{
    (void)context;
}

wb__tls *
wb__tls_new(wb__tls_context *context, int fd)
{
    (void)context;
    (void)fd;
    return NULL;
}

int
wb__tls_handshake(wb__tls *tls)
{
    (void)tls;
    return -1;
}

void
wb__tls_reason(wb__tls *tls, char *room, size_t size)
{
    (void)tls;
    (void)room;
    (void)size;
}

ssize_t
wb__tls_recv(wb__tls *tls, char *data, size_t size)
{
    (void)tls;
    (void)data;
    (void)size;
    errno = ENOTSUP;
    return -1;
}

ssize_t
wb__tls_send(wb__tls *tls, const char *data, size_t size)
{
    (void)tls;
    (void)data;
    (void)size;
    errno = ENOTSUP;
    return -1;
}

int
wb__tls_is_made(const wb__tls *tls)
{
    (void)tls;
    return 0;
}

int
wb__tls_was_cut(const wb__tls *tls)
{
    (void)tls;
    return 0;
}

int
wb__tls_pending(wb__tls *tls)
{
    (void)tls;
    return 0;
}

int
wb__tls_wants_room(const wb__tls *tls)
{
    (void)tls;
    return 0;
}

const char *
wb__tls_variables(wb__tls *tls, size_t *size, uint32_t *count)
{
    (void)tls;
    *size = *count = 0;
    return NULL;
}

void
wb__tls_end(wb__tls *tls)
{
    (void)tls;
}

void
wb__tls_free(wb__tls *tls)
{
    (void)tls;
}
#else
typedef int wb__not_empty; /* ISO C forbids an empty translation unit */
#endif
