/* TLS under a connection: bytes of HTTP on the one side, records on the
 * other. tls_openssl.c, or where OpenSSL was not found tls_none.c.
 *
 * A plain connection never comes here. The library is opened when a server
 * is made with a certificate and not before: a plain server holds none of it.
 * Results are those of recv(2) and send(2); the handshake is done by the first
 * calls of wb__tls_recv(). */
#ifndef WB_TLS_H
#define WB_TLS_H

#include <stddef.h>
#include <sys/types.h>

#include "wsgibench.h"

typedef struct wb__tls_context wb__tls_context; /* one for a server */
typedef struct wb__tls wb__tls;                 /* one for a connection */

/* From config's tls_cert and tls_key (files of PEM). 0, WB_NOTLS, WB_BADCERT
 * or WB_NOMEM. */
int wb__tls_context_new(const wb_config *config, wb__tls_context **out);
void wb__tls_context_free(wb__tls_context *context);

/* NULL: no memory. The descriptor stays the caller's. */
wb__tls *wb__tls_new(wb__tls_context *context, int fd);
/* Bytes, 0 at the peer's end, or -1 with errno; EAGAIN: see
 * wb__tls_wants_room(). */
ssize_t wb__tls_recv(wb__tls *tls, char *data, size_t size);
/* Bytes taken; -1 with errno. After EAGAIN the same bytes must be offered
 * again, in the same order. */
ssize_t wb__tls_send(wb__tls *tls, const char *data, size_t size);
/* Bytes that were decrypted and not taken by wb__tls_recv() yet: the
 * descriptor will not be readable for them. */
int wb__tls_pending(wb__tls *tls);
/* The last wb__tls_recv() could not send what it had to. */
int wb__tls_wants_room(const wb__tls *tls);
/* Tells the peer that the answer ends here and was not cut off. */
void wb__tls_end(wb__tls *tls);
void wb__tls_free(wb__tls *tls); /* NULL is fine */

#endif
