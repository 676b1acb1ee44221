/* TLS by the system's OpenSSL, on the connection's own descriptor.
 *
 * The library is opened when a run asks for TLS and not linked: the module
 * that holds the generator also holds the server, whose memory is measured. */
#ifdef WL_OPENSSL
#include "posix.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "tls.h"

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
    F(ERR_error_string_n)                                                     \
    F(ERR_peek_error)                                                         \
    F(SSL_CTX_ctrl)                                                           \
    F(SSL_CTX_free)                                                           \
    F(SSL_CTX_load_verify_locations)                                          \
    F(SSL_CTX_new)                                                            \
    F(SSL_CTX_set_alpn_protos)                                                \
    F(SSL_CTX_set_verify)                                                     \
    F(SSL_SESSION_free)                                                       \
    F(SSL_SESSION_is_resumable)                                               \
    F(SSL_ctrl)                                                               \
    F(SSL_do_handshake)                                                       \
    F(SSL_free)                                                               \
    F(SSL_get1_session)                                                       \
    F(SSL_get_error)                                                          \
    F(SSL_new)                                                                \
    F(SSL_read)                                                               \
    F(SSL_set1_host)                                                          \
    F(SSL_set_connect_state)                                                  \
    F(SSL_set_fd)                                                             \
    F(SSL_set_quiet_shutdown)                                                 \
    F(SSL_set_session)                                                        \
    F(SSL_shutdown)                                                           \
    F(SSL_write)                                                              \
    F(TLS_client_method)

#define MEMBER(name) __typeof__(name) *name;
struct wl__tls_context {
    void *library;        /* dlopen's handle; owned */
    SSL_CTX *ssl;
    SSL_SESSION *session; /* of the last handshake, to be resumed; owned */
    const char *name;     /* borrowed from the run's configuration */
    int resume;
    FUNCTIONS(MEMBER)
};

struct wl__tls {
    SSL *ssl;
    wl__tls_context *of;
};

int
wl_has_tls(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) {
        dlclose(library);
    }
    return library != NULL;
}

/* ---- the context -------------------------------------------------------- */

/* ISO C has no way from void * to a function; POSIX promises this one. */
static int
load_functions(wl__tls_context *context)
{
    context->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (context->library == NULL) {
        return -ENOTSUP;
    }
#define LOAD(name)                                                            \
    *(void **)&context->name = dlsym(context->library, #name);                \
    if (context->name == NULL) {                                              \
        return -ENOTSUP;                                                      \
    }
    FUNCTIONS(LOAD)
    return 0;
}

static int
configure(wl__tls_context *context, const wl_config *config)
{
    static const unsigned char http11[] = "\x08http/1.1";
    context->ssl = context->SSL_CTX_new(context->TLS_client_method());
    if (context->ssl == NULL) {
        return -ENOMEM;
    }
    context->SSL_CTX_ctrl(context->ssl, SSL_CTRL_MODE,
                          SSL_MODE_ENABLE_PARTIAL_WRITE
                              | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                              | SSL_MODE_RELEASE_BUFFERS,
                          NULL);
    context->SSL_CTX_set_alpn_protos(context->ssl, http11, sizeof(http11) - 1);
    if (config->tls_ca[0] == '\0') {
        return 0;
    }
    context->SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
    return context->SSL_CTX_load_verify_locations(context->ssl, config->tls_ca,
                                                  NULL)
            == 1
        ? 0
        : -ENOENT;
}

int
wl__tls_context_new(const wl_config *config, wl__tls_context **out)
{
    wl__tls_context *context = calloc(1, sizeof(*context));
    if (context == NULL) {
        return -ENOMEM;
    }
    context->name = config->tls_name;
    context->resume = config->tls_resume;
    int error = load_functions(context);
    if (error == 0) {
        error = configure(context, config);
    }
    if (error < 0) {
        wl__tls_context_free(context);
        return error;
    }
    *out = context;
    return 0;
}

void
wl__tls_context_free(wl__tls_context *context)
{
    if (context == NULL) {
        return;
    }
    if (context->session != NULL) {
        context->SSL_SESSION_free(context->session);
    }
    if (context->ssl != NULL) {
        context->SSL_CTX_free(context->ssl);
    }
    if (context->library != NULL) {
        dlclose(context->library);
    }
    free(context);
}

/* ---- one connection ----------------------------------------------------- */

static void
prepare(const wl__tls_context *of, SSL *ssl)
{
    if (of->name[0] != '\0') {
        of->SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                     TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)of->name);
        of->SSL_set1_host(ssl, of->name); /* when verified */
    }
    if (of->session != NULL) {
        of->SSL_set_session(ssl, of->session);
    }
    of->SSL_set_connect_state(ssl);
}

wl__tls *
wl__tls_new(wl__tls_context *context, int fd)
{
    wl__tls *tls = malloc(sizeof(*tls));
    SSL *ssl = tls == NULL ? NULL : context->SSL_new(context->ssl);
    if (ssl == NULL) {
        free(tls);
        return NULL;
    }
    *tls = (wl__tls) { ssl, context };
    if (context->SSL_set_fd(ssl, fd) != 1) {
        context->SSL_free(ssl);
        free(tls);
        return NULL;
    }
    prepare(context, ssl);
    return tls;
}

/* OpenSSL's result as that of a system call. An end without close_notify is
 * an end: HTTP has its own framing. */
static ssize_t
as_errno(const wl__tls *tls, int result)
{
    int saved = errno;
    switch (tls->of->SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SSL:
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
        if (ERR_GET_REASON(tls->of->ERR_peek_error())
            == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            return 0;
        }
#endif
        errno = EPROTO;
        return -1;
    default: /* the system call's own error, or an end (OpenSSL 1.1) */
        errno = saved;
        return saved == 0 ? 0 : -1;
    }
}

int
wl__tls_handshake(wl__tls *tls)
{
    tls->of->ERR_clear_error();
    int done = tls->of->SSL_do_handshake(tls->ssl);
    if (done == 1) {
        return 1;
    }
    int want = tls->of->SSL_get_error(tls->ssl, done);
    return want == SSL_ERROR_WANT_READ || want == SSL_ERROR_WANT_WRITE ? 0
                                                                       : -1;
}

ssize_t
wl__tls_send(wl__tls *tls, const char *data, size_t size)
{
    tls->of->ERR_clear_error();
    errno = 0;
    int n = tls->of->SSL_write(tls->ssl, data, (int)size);
    return n > 0 ? n : as_errno(tls, n);
}

ssize_t
wl__tls_recv(wl__tls *tls, char *data, size_t size)
{
    tls->of->ERR_clear_error();
    errno = 0;
    int n = tls->of->SSL_read(tls->ssl, data, (int)size);
    return n > 0 ? n : as_errno(tls, n);
}

/* TLS 1.3 sends sessions after the handshake, so they are fetched last. */
static void
keep_session(wl__tls *tls)
{
    wl__tls_context *of = tls->of;
    SSL_SESSION *session = of->SSL_get1_session(tls->ssl);
    if (session == NULL) {
        return;
    }
    if (of->SSL_SESSION_is_resumable(session)) {
        SSL_SESSION *before = of->session;
        of->session = session;
        session = before;
    }
    if (session != NULL) {
        of->SSL_SESSION_free(session);
    }
}

void
wl__tls_free(wl__tls *tls)
{
    if (tls == NULL) {
        return;
    }
    if (tls->of->resume) {
        keep_session(tls);
    }
    tls->of->SSL_set_quiet_shutdown(tls->ssl, 1);
    tls->of->SSL_shutdown(tls->ssl); /* or the session counts as bad */
    tls->of->SSL_free(tls->ssl);
    tls->of->ERR_clear_error();
    free(tls);
}

void
wl__tls_reason(wl__tls *tls, char *room, size_t size)
{
    tls->of->ERR_error_string_n(tls->of->ERR_peek_error(), room, size);
}
#else
typedef int wl__not_empty; /* ISO C forbids an empty translation unit */
#endif
