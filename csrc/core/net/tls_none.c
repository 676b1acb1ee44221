/* Built where OpenSSL was not found. */
#ifndef WB_OPENSSL
#include "base/posix.h"

#include "net/tls.h"

#include <errno.h>

int
wb__tls_context_new(const wb_config *config, wb__tls_context **out)
{
    (void)config;
    (void)out;
    return WB_NOTLS;
}

void
wb__tls_context_free(wb__tls_context *context)
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
