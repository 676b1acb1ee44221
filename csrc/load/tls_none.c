/* Built where OpenSSL was not found. */
#ifndef WL_OPENSSL
#include "posix.h"

#include <errno.h>

#include "tls.h"

int
wl_has_tls(void)
{
    return 0;
}

int
wl__tls_context_new(const wl_config *config, wl__tls_context **out)
{
    (void)config;
    (void)out;
    return -ENOTSUP;
}

void
wl__tls_context_free(wl__tls_context *context)
{
    (void)context;
}

wl__tls *
wl__tls_new(wl__tls_context *context, int fd)
{
    (void)context;
    (void)fd;
    return NULL;
}

int
wl__tls_handshake(wl__tls *tls)
{
    (void)tls;
    return -1;
}

ssize_t
wl__tls_send(wl__tls *tls, const char *data, size_t size)
{
    (void)tls;
    (void)data;
    (void)size;
    errno = ENOTSUP;
    return -1;
}

ssize_t
wl__tls_recv(wl__tls *tls, char *data, size_t size)
{
    (void)tls;
    (void)data;
    (void)size;
    errno = ENOTSUP;
    return -1;
}

void
wl__tls_free(wl__tls *tls)
{
    (void)tls;
}

void
wl__tls_reason(wl__tls *tls, char *room, size_t size)
{
    (void)tls;
    if (size > 0) {
        room[0] = '\0';
    }
}
#else
typedef int wl__not_empty; /* ISO C forbids an empty translation unit */
#endif
