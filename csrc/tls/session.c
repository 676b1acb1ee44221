/* One connection under TLS. */
#ifdef WB_OPENSSL
#include "base/posix.h"

#include "tls/openssl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

wb__tls *
wb__tls_new(wb__tls_context *context, int fd)
{
    const wb__openssl *lib = &context->lib;
    wb__tls *tls = wb__calloc(sizeof(*tls));
    if (tls == NULL) {
        return NULL;
    }
    tls->context = context;
    context->refs++;
    tls->ssl = lib->SSL_new(context->ssl);
    if (tls->ssl == NULL || lib->SSL_set_fd(tls->ssl, fd) != 1) {
        wb__tls_free(tls);
        return NULL;
    }
    if (context->strings != NULL) {
        lib->SSL_set_accept_state(tls->ssl);
    } else {
        wb__tls_client_prepare(context, tls->ssl);
    }
    return tls;
}

int
wb__tls_handshake(wb__tls *tls)
{
    const wb__openssl *lib = &tls->context->lib;
    lib->ERR_clear_error(); /* the queue is the thread's, not ours */
    int done = lib->SSL_do_handshake(tls->ssl);
    if (done == 1) {
        return 1;
    }
    int want = lib->SSL_get_error(tls->ssl, done);
    return want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE ? 0
                                                                       : -1;
}

void
wb__tls_reason(wb__tls *tls, char *room, size_t size)
{
    const wb__openssl *lib = &tls->context->lib;
    const char *more = NULL;
    lib->ERR_error_string_n(lib->ERR_peek_error(), room, size);
    if (tls->context->client.ca != NULL
        && tls->context->client.ca[0] != '\0') {
        more = lib->X509_verify_cert_error_string(
            lib->SSL_get_verify_result(tls->ssl));
    }
    size_t used = strlen(room);
    if (more != NULL && strcmp(more, "ok") != 0) {
        snprintf(room + used, size - used, ": %s", more);
    }
}

/* OpenSSL 3 says so; 1.1 has no error at all. */
static int
is_cut(const wb__openssl *lib, int kind, int error)
{
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
    if (kind == SSL_ERROR_SSL
        && ERR_GET_REASON(lib->ERR_peek_error())
            == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        return 1;
    }
#else
    (void)lib;
#endif
    return kind == SSL_ERROR_SYSCALL && error == 0;
}

/* What recv(2) and send(2) would have said. */
static ssize_t
result(wb__tls *tls, int n)
{
    const wb__openssl *lib = &tls->context->lib;
    int saved = errno;
    int kind = n > 0 ? SSL_ERROR_NONE : lib->SSL_get_error(tls->ssl, n);
    tls->was_cut |= is_cut(lib, kind, saved);
    lib->ERR_clear_error();
    tls->wants_room = kind == SSL_ERROR_WANT_WRITE;
    if (tls->was_cut) {
        return 0;
    }
    switch (kind) {
    case SSL_ERROR_NONE:
        return n;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_SYSCALL:
        errno = saved;
        return -1;
    default:
        errno = EPROTO;
        return -1;
    }
}

ssize_t
wb__tls_recv(wb__tls *tls, char *data, size_t size)
{
    int room = size > INT_MAX ? INT_MAX : (int)size;
    tls->context->lib.ERR_clear_error(); /* others use the queue, too */
    errno = 0;
    return result(tls, tls->context->lib.SSL_read(tls->ssl, data, room));
}

ssize_t
wb__tls_send(wb__tls *tls, const char *data, size_t size)
{
    int length = size > INT_MAX ? INT_MAX : (int)size;
    if (length == 0) {
        return 0;
    }
    tls->context->lib.ERR_clear_error();
    errno = 0;
    ssize_t n
        = result(tls, tls->context->lib.SSL_write(tls->ssl, data, length));
    if (n == 0) {
        errno = EPIPE; /* the peer has ended the session */
        return -1;
    }
    tls->wants_room = 0; /* a sender waits for room in any case */
    return n;
}

int
wb__tls_is_made(const wb__tls *tls)
{
    return tls->context->lib.SSL_is_init_finished(tls->ssl);
}

int
wb__tls_was_cut(const wb__tls *tls)
{
    return tls->was_cut;
}

int
wb__tls_pending(wb__tls *tls)
{
    return tls->context->lib.SSL_pending(tls->ssl) > 0;
}

int
wb__tls_wants_room(const wb__tls *tls)
{
    return tls->wants_room;
}

void
wb__tls_end(wb__tls *tls)
{
    tls->context->lib.SSL_shutdown(tls->ssl);
    tls->context->lib.ERR_clear_error();
}

void
wb__tls_free(wb__tls *tls)
{
    if (tls == NULL) {
        return;
    }
    wb__tls_context *context = tls->context;
    if (tls->ssl != NULL) {
        if (context->strings == NULL) {
            wb__tls_client_keep(tls);
        }
        context->lib.SSL_free(tls->ssl);
        context->lib.ERR_clear_error();
    }
    wb__free(tls->variables);
    wb__free(tls);
    wb__tls_context_unref(context);
}
#else
typedef int wb__not_empty; /* ISO C forbids an empty translation unit */
#endif
