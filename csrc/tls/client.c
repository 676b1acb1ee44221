/* The load generator's side of TLS. */
#ifdef WB_OPENSSL
#include "base/posix.h"

#include "tls/openssl.h"

#include <arpa/inet.h>

#include "base/alloc.h"

static int
load_certificate(const wb__openssl *lib, SSL_CTX *ssl,
                 const wb__tls_client *client)
{
    if (client->cert[0] == '\0') {
        return 0;
    }
    const char *key = client->key[0] == '\0' ? client->cert : client->key;
    return lib->SSL_CTX_use_certificate_chain_file(ssl, client->cert) == 1
            && lib->SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM)
                == 1
        ? 0
        : WB__TLS_CERT;
}

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
    int error = load_certificate(lib, context->ssl, &context->client);
    if (error < 0 || context->client.ca[0] == '\0') {
        return error;
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

static int
is_address(const char *name)
{
    unsigned char room[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, room) == 1
        || inet_pton(AF_INET6, name, room) == 1;
}

void
wb__tls_client_prepare(const wb__tls_context *context, SSL *ssl)
{
    const wb__openssl *lib = &context->lib;
    const char *name = context->client.name;
    if (is_address(name)) {
        lib->X509_VERIFY_PARAM_set1_ip_asc(lib->SSL_get0_param(ssl), name);
    } else if (name[0] != '\0') {
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
