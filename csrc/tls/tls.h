/* TLS under a connection, for the server and for the load generator: bytes of
 * HTTP on the one side, records on the other. Made of the system's OpenSSL,
 * which is opened at run time, by the first context. A build without OpenSSL's
 * headers has none.c instead, where every context is refused.
 *
 * Results are those of recv(2) and send(2). */
#ifndef WB_TLS_H
#define WB_TLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum wb__tls_error {
    WB__TLS_MISSING = -1, /* not built in, or no libssl here */
    WB__TLS_NOMEM = -2,
    WB__TLS_CERT = -3,    /* certificate or key cannot be used */
    WB__TLS_CA = -4,      /* the file of trusted certificates cannot */
    WB__TLS_CIPHERS = -5, /* none of them is known */
    WB__TLS_OPTION = -6   /* a name of a host or version is malformed */
};

enum wb__tls_verify {
    WB__TLS_NO_CLIENT_CERT,
    WB__TLS_OPTIONAL, /* a certificate that is given must be valid */
    WB__TLS_REQUIRED
};

/* What a server is told; texts are copied. NULL: the default. */
typedef struct wb__tls_server {
    const char *cert;     /* PEM file: certificate and chain */
    const char *key;      /* PEM file; NULL: it stands in cert */
    const char *password; /* of the key; NULL: it has none */
    const char *ca;       /* PEM file: who may sign client certificates */
    const char *ciphers;  /* as openssl-ciphers(1); names of TLS 1.3 too */
    const char *min_version; /* "tls1.2" (default) or "tls1.3" */
    const char *hosts;    /* certificates by name (SNI), one a line: host TAB
                             certificate [TAB key]; "*.example.org" names all
                             hosts one label below */
    uint8_t verify;       /* enum wb__tls_verify */
} wb__tls_server;

/* What a client is told; texts are borrowed as long as the context. */
typedef struct wb__tls_client {
    const char *ca;   /* PEM file of trusted certificates; "": trust all */
    const char *name; /* to verify, and to send (SNI) if it is no address (RFC
                         6066 3); "": none */
    const char *cert; /* PEM file: certificate and chain to show; "": none */
    const char *key; /* PEM file; "": it stands in cert */
    int resume; /* sessions are resumed */
} wb__tls_client;

typedef struct wb__tls_context wb__tls_context; /* one for a server or run */
typedef struct wb__tls wb__tls; /* one for a connection */

int wb__tls_available(void);
/* 0 or an enum wb__tls_error. The context counts its references: the maker
 * has one, each connection another. */
int wb__tls_server_new(const wb__tls_server *options, wb__tls_context **out);
int wb__tls_client_new(const wb__tls_client *options, wb__tls_context **out);
/* The same server's context, from its files as they are now. */
int wb__tls_server_again(const wb__tls_context *context,
                         wb__tls_context **out);
void wb__tls_context_unref(wb__tls_context *context); /* NULL is fine */

/* NULL: no memory. The descriptor stays the caller's. */
wb__tls *wb__tls_new(wb__tls_context *context, int fd);
/* 1: done, 0: goes on at the next event, -1: failed. A server may leave it to
 * the first calls of wb__tls_recv(). */
int wb__tls_handshake(wb__tls *tls);
/* Why it failed, in `room`. */
void wb__tls_reason(wb__tls *tls, char *room, size_t size);
/* Bytes, 0 at the peer's end, or -1 with errno; EAGAIN: see
 * wb__tls_wants_room(). */
ssize_t wb__tls_recv(wb__tls *tls, char *data, size_t size);
/* Bytes taken; -1 with errno. After EAGAIN the same bytes must be offered
 * again, in the same order. */
ssize_t wb__tls_send(wb__tls *tls, const char *data, size_t size);
int wb__tls_is_made(const wb__tls *tls); /* the handshake is over */
/* The peer's end was that of its connection, without TLS's own (close_notify):
 * what was sent may have been cut off. Servers do not ask. */
int wb__tls_was_cut(const wb__tls *tls);
/* Bytes that were decrypted and not taken by wb__tls_recv() yet: the
 * descriptor will not be readable for them. */
int wb__tls_pending(wb__tls *tls);
/* The last wb__tls_recv() could not send what it had to. */
int wb__tls_wants_room(const wb__tls *tls);
/* What a server that asks for client certificates knows of this client, as
 * name NUL value NUL ... with mod_ssl's names (SSL_CLIENT_VERIFY ...); *size
 * bytes, *count pairs. Borrowed from `tls`. NULL: it does not ask, the
 * handshake is not over, or no memory (*size tells: above 0 for the last). */
const char *wb__tls_variables(wb__tls *tls, size_t *size, uint32_t *count);
/* Tells the peer that the answer ends here and was not cut off. */
void wb__tls_end(wb__tls *tls);
void wb__tls_free(wb__tls *tls); /* NULL is fine */

#endif
