/* The load generator's side of TLS. */
#ifdef WB_OPENSSL
#include "base/posix.h"

#include "tls/openssl.h"

#include "base/alloc.h"

static int
configure(wb__tls_context *context)
{
    static const unsigned char http11[] = "\x08http/1.1";
    const wb__openssl *lib = &context->lib;
    context->ssl = wb__openssl_context(lib, lib->TLS_client_method());
    if (context->ssl == NULL) {
        return WB__TLS_NOMEM;
    }
    lib->SSL_CTX_set_alpn_protos(context->ssl, http11, sizeof(http11) - 1);
    if (context->client.ca[0] == '\0') {
        return 0;
    }
    lib->SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
    int loaded = lib->SSL_CTX_load_verify_locations(context->ssl,
                                                    context->client.ca, NULL);
    return loaded == 1 ? 0 : WB__TLS_CA;
}

int
wb__tls_client_new(const wb__tls_client *options, wb__tls_context **out)
{
    wb__tls_context *context = wb__calloc(sizeof(*context));
    if (context == NULL) {
        return WB__TLS_NOMEM;
    }
    context->refs = 1;
    context->client = *options;
    int error = wb__openssl_load(&context->lib);
    if (error == 0) {
        error = configure(context);
    }
    if (error < 0) {
        wb__tls_context_unref(context);
        return error;
    }
    *out = context;
    return 0;
}

void
wb__tls_client_prepare(const wb__tls_context *context, SSL *ssl)
{
    const wb__openssl *lib = &context->lib;
    const char *name = context->client.name;
    if (name[0] != '\0') {
        lib->SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
                      TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)name);
        lib->SSL_set1_host(ssl, name); /* when verified */
    }
    if (context->session != NULL) {
        lib->SSL_set_session(ssl, context->session);
    }
    lib->SSL_set_connect_state(ssl);
}

/* TLS 1.3 sends sessions after the handshake, so they are fetched last. */
static void
keep_session(wb__tls *tls)
{
    wb__tls_context *context = tls->context;
    const wb__openssl *lib = &context->lib;
    SSL_SESSION *session = lib->SSL_get1_session(tls->ssl);
    if (session == NULL) {
        return;
    }
    if (lib->SSL_SESSION_is_resumable(session)) {
        SSL_SESSION *before = context->session;
        context->session = session;
        session = before;
    }
    if (session != NULL) {
        lib->SSL_SESSION_free(session);
    }
}

void
wb__tls_client_keep(wb__tls *tls)
{
    const wb__openssl *lib = &tls->context->lib;
    if (tls->context->client.resume) {
        keep_session(tls);
    }
    lib->SSL_set_quiet_shutdown(tls->ssl, 1);
    lib->SSL_shutdown(tls->ssl); /* or the session counts as bad */
}
#else
typedef int wb__not_empty; /* ISO C forbids an empty translation unit */
#endif
