/* TLS for the load generator, in tls_openssl.c; where OpenSSL is not there,
 * tls_none.c says so. Results are those of send(2) and recv(2). */
#ifndef WL_TLS_H
#define WL_TLS_H

#include <stddef.h>
#include <sys/types.h>

#include "wsgibench_load.h"

typedef struct wl__tls_context wl__tls_context;
typedef struct wl__tls wl__tls;

/* 0, -ENOTSUP when it is not built in, or another negated errno. */
int wl__tls_context_new(const wl_config *config, wl__tls_context **out);
void wl__tls_context_free(wl__tls_context *context);
/* NULL without memory. The descriptor stays the caller's. */
wl__tls *wl__tls_new(wl__tls_context *context, int fd);
/* 1: done, 0: goes on at the next event, -1: failed. */
int wl__tls_handshake(wl__tls *tls);
ssize_t wl__tls_send(wl__tls *tls, const char *data, size_t size);
ssize_t wl__tls_recv(wl__tls *tls, char *data, size_t size);
void wl__tls_free(wl__tls *tls);
/* Why the handshake failed, in `room`. */
void wl__tls_reason(wl__tls *tls, char *room, size_t size);

#endif
