/* TLS by the system's OpenSSL, opened at run time. */
#ifdef WB_OPENSSL
#include "base/posix.h"

#include "net/tls.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "base/alloc.h"

#define TEXT_OF(number)      #number
#define VERSION_TEXT(number) TEXT_OF(number)
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#define LIBRARY "libssl.so." VERSION_TEXT(OPENSSL_SHLIB_VERSION)
#else
#define LIBRARY "libssl.so.1.1"
#endif

/* What is used of it; libcrypto's are found through libssl's handle. */
#define FUNCTIONS(F)                                                          \
    F(ERR_clear_error)                                                        \
    F(SSL_CTX_check_private_key)                                              \
    F(SSL_CTX_ctrl)                                                           \
    F(SSL_CTX_free)                                                           \
    F(SSL_CTX_new)                                                            \
    F(SSL_CTX_set_alpn_select_cb)                                             \
    F(SSL_CTX_set_options)                                                    \
    F(SSL_CTX_use_PrivateKey_file)                                            \
    F(SSL_CTX_use_certificate_chain_file)                                     \
    F(SSL_free)                                                               \
    F(SSL_get_error)                                                          \
    F(SSL_new)                                                                \
    F(SSL_pending)                                                            \
    F(SSL_read)                                                               \
    F(SSL_set_accept_state)                                                   \
    F(SSL_set_fd)                                                             \
    F(SSL_shutdown)                                                           \
    F(SSL_write)                                                              \
    F(TLS_server_method)

#define MEMBER(name) __typeof__(name) *name;
struct wb__tls_context {
    void *library; /* dlopen's handle; owned */
    SSL_CTX *ssl;
    FUNCTIONS(MEMBER)
};
#undef MEMBER

struct wb__tls {
    wb__tls_context *context; /* the server's */
    SSL *ssl;
    int wants_room;
};

static int
load(wb__tls_context *context)
{
    context->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (context->library == NULL) {
        return WB_NOTLS;
    }
#define FIND(name)                                                            \
    {                                                                         \
        void *found = dlsym(context->library, #name);                         \
        if (found == NULL) {                                                  \
            return WB_NOTLS;                                                  \
        }                                                                     \
        memcpy(&context->name, &found, sizeof(found));                        \
    }
    FUNCTIONS(FIND)
#undef FIND
    return 0;
}

/* ---- the server's ------------------------------------------------------- */

/* We speak HTTP/1.1, and say so to clients that ask (RFC 7301). */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                const unsigned char *offered, unsigned size, void *context)
{
    static const unsigned char ours[] = "http/1.1";
    (void)ssl;
    (void)context;
    for (unsigned at = 0; at < size; at += 1U + offered[at]) {
        unsigned length = offered[at];
        if (length == sizeof(ours) - 1 && at + 1 + length <= size
            && memcmp(offered + at + 1, ours, length) == 0) {
            *out = offered + at + 1;
            *out_size = (unsigned char)length;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK;
}

static int
configure(wb__tls_context *context, const wb_config *config)
{
    SSL_CTX *ssl = context->SSL_CTX_new(context->TLS_server_method());
    if (ssl == NULL) {
        return WB_NOMEM;
    }
    context->ssl = ssl;
    context->SSL_CTX_ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION,
                          NULL);
    /* RELEASE_BUFFERS: an idle connection holds no record buffers. */
    context->SSL_CTX_ctrl(ssl, SSL_CTRL_MODE,
                          SSL_MODE_ENABLE_PARTIAL_WRITE
                              | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                              | SSL_MODE_RELEASE_BUFFERS,
                          NULL);
    context->SSL_CTX_set_options(ssl,
                                 SSL_OP_NO_RENEGOTIATION
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
                                     | SSL_OP_IGNORE_UNEXPECTED_EOF
#endif
    );
    context->SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
    const char *key
        = config->tls_key == NULL ? config->tls_cert : config->tls_key;
    return context->SSL_CTX_use_certificate_chain_file(ssl, config->tls_cert)
                == 1
            && context->SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM)
                == 1
            && context->SSL_CTX_check_private_key(ssl) == 1
        ? 0
        : WB_BADCERT;
}

int
wb__tls_context_new(const wb_config *config, wb__tls_context **out)
{
    wb__tls_context *context = wb__calloc(sizeof(*context));
    if (context == NULL) {
        return WB_NOMEM;
    }
    int error = load(context);
    if (error == 0) {
        error = configure(context, config);
        context->ERR_clear_error();
    }
    if (error < 0) {
        wb__tls_context_free(context);
        return error;
    }
    *out = context;
    return 0;
}

void
wb__tls_context_free(wb__tls_context *context)
{
    if (context == NULL) {
        return;
    }
    if (context->ssl != NULL) {
        context->SSL_CTX_free(context->ssl);
    }
    /* The library stays: what it registered to run at exit lies in it. */
    wb__free(context);
}

/* ---- a connection's ----------------------------------------------------- */

wb__tls *
wb__tls_new(wb__tls_context *context, int fd)
{
    wb__tls *tls = wb__calloc(sizeof(*tls));
    if (tls == NULL) {
        return NULL;
    }
    tls->context = context;
    tls->ssl = context->SSL_new(context->ssl);
    if (tls->ssl == NULL || context->SSL_set_fd(tls->ssl, fd) != 1) {
        wb__tls_free(tls);
        return NULL;
    }
    context->SSL_set_accept_state(tls->ssl);
    return tls;
}

/* What recv(2) and send(2) would have said. */
static ssize_t
result(wb__tls *tls, int n)
{
    const wb__tls_context *context = tls->context;
    int kind = n > 0 ? SSL_ERROR_NONE : context->SSL_get_error(tls->ssl, n);
    context->ERR_clear_error(); /* the queue is the thread's, not ours */
    tls->wants_room = kind == SSL_ERROR_WANT_WRITE;
    if (kind == SSL_ERROR_NONE) {
        return n;
    }
    if (kind == SSL_ERROR_ZERO_RETURN) {
        return 0;
    }
    errno = kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE
        ? EAGAIN
        : ECONNRESET;
    return -1;
}

ssize_t
wb__tls_recv(wb__tls *tls, char *data, size_t size)
{
    int room = size > INT_MAX ? INT_MAX : (int)size;
    tls->context->ERR_clear_error(); /* others use the thread's queue, too */
    return result(tls, tls->context->SSL_read(tls->ssl, data, room));
}

ssize_t
wb__tls_send(wb__tls *tls, const char *data, size_t size)
{
    int length = size > INT_MAX ? INT_MAX : (int)size;
    if (length == 0) {
        return 0;
    }
    tls->context->ERR_clear_error();
    ssize_t n = result(tls, tls->context->SSL_write(tls->ssl, data, length));
    if (n == 0) {
        errno = EPIPE; /* the peer has ended the session */
        return -1;
    }
    tls->wants_room = 0; /* whoever sends waits for room of itself */
    return n;
}

int
wb__tls_pending(wb__tls *tls)
{
    return tls->context->SSL_pending(tls->ssl) > 0;
}

int
wb__tls_wants_room(const wb__tls *tls)
{
    return tls->wants_room;
}

void
wb__tls_end(wb__tls *tls)
{
    tls->context->SSL_shutdown(tls->ssl);
    tls->context->ERR_clear_error();
}

void
wb__tls_free(wb__tls *tls)
{
    if (tls != NULL) {
        if (tls->ssl != NULL) {
            tls->context->SSL_free(tls->ssl);
        }
        wb__free(tls);
    }
}
#else
typedef int wb__not_empty; /* ISO C forbids an empty translation unit */
#endif
