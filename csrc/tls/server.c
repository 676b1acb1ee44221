/* The server's side of TLS: certificates, also by the name that the client
 * asks for (SNI), and which clients must show one of their own. */
#ifdef WB_OPENSSL
#include "base/posix.h"

#include "tls/openssl.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"

/* ---- what it was told --------------------------------------------------- */

static size_t
put_text(const char **text, char *out)
{
    size_t size = *text == NULL ? 0 : strlen(*text) + 1;
    if (size > 0 && out != NULL) {
        memcpy(out, *text, size);
        *text = out;
    }
    return size;
}

/* Into `out`, or with NULL the room it takes. */
static size_t
put_texts(wb__tls_server *options, char *out)
{
    const char **texts[] = {
        &options->cert,  &options->key,     &options->password,
        &options->ca,    &options->ciphers, &options->min_version,
        &options->hosts,
    };
    size_t size = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        size += put_text(texts[i], out == NULL ? NULL : out + size);
    }
    return size;
}

static int
copy_options(wb__tls_context *context, const wb__tls_server *options)
{
    context->options = *options;
    size_t size = put_texts(&context->options, NULL);
    context->strings = wb__alloc(size + 1);
    if (context->strings == NULL) {
        return WB__TLS_NOMEM;
    }
    put_texts(&context->options, context->strings);
    return 0;
}

/* ---- one SSL_CTX -------------------------------------------------------- */

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

/* Without one OpenSSL would ask at the terminal. */
static int
give_password(char *room, int size, int writing, void *password)
{
    (void)writing;
    size_t length = password == NULL ? 0 : strlen(password);
    if (size <= 0 || length >= (size_t)size) {
        return 0;
    }
    memcpy(room, password == NULL ? "" : password, length);
    room[length] = '\0';
    return (int)length;
}

/* OpenSSL takes the names of TLS 1.3 (TLS_AES_...) and of those before it by
 * two calls; its own tools take one list. */
static int
set_ciphers(const wb__openssl *lib, SSL_CTX *ssl, const char *list)
{
    size_t size = strlen(list) + 1;
    char *tls13 = wb__alloc(2 * size);
    if (tls13 == NULL) {
        return WB__TLS_NOMEM;
    }
    char *older = tls13 + size, *to13 = tls13, *to12 = older;
    while (*list != '\0') {
        size_t length = strcspn(list, ": ,");
        char **to = strncmp(list, "TLS_", 4) == 0 ? &to13 : &to12;
        if (length > 0) {
            memcpy(*to, list, length);
            *to += length;
            *(*to)++ = ':';
        }
        list += length + (list[length] != '\0');
    }
    int good = to13 > tls13 || to12 > older;
    if (to13 > tls13) {
        to13[-1] = '\0';
        good = lib->SSL_CTX_set_ciphersuites(ssl, tls13) == 1;
    }
    if (to12 > older) {
        to12[-1] = '\0';
        good = good && lib->SSL_CTX_set_cipher_list(ssl, older) == 1;
    }
    wb__free(tls13);
    return good ? 0 : WB__TLS_CIPHERS;
}

static int
set_version(const wb__openssl *lib, SSL_CTX *ssl, const char *name)
{
    long version = name == NULL || strcmp(name, "tls1.2") == 0 ? TLS1_2_VERSION
        : strcmp(name, "tls1.3") == 0                          ? TLS1_3_VERSION
                                                               : 0;
    if (version == 0) {
        return WB__TLS_OPTION;
    }
    lib->SSL_CTX_ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, version, NULL);
    return 0;
}

/* Whose certificates a client may show, and whether it must. */
static int
set_verify(const wb__openssl *lib, SSL_CTX *ssl, const wb__tls_server *options)
{
    static const unsigned char id[] = "wsgibench";
    if (options->verify == WB__TLS_NO_CLIENT_CERT) {
        return 0;
    }
    if (options->ca == NULL
        || lib->SSL_CTX_load_verify_locations(ssl, options->ca, NULL) != 1) {
        return WB__TLS_CA;
    }
    STACK_OF(X509_NAME) *names = lib->SSL_load_client_CA_file(options->ca);
    if (names == NULL) {
        return WB__TLS_CA;
    }
    lib->SSL_CTX_set_client_CA_list(ssl, names); /* takes them over */
    lib->SSL_CTX_set_verify(ssl,
                            options->verify == WB__TLS_REQUIRED
                                ? SSL_VERIFY_PEER
                                    | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                : SSL_VERIFY_PEER,
                            NULL);
    /* A session with a client's certificate can only be resumed under it. */
    lib->SSL_CTX_set_session_id_context(ssl, id, sizeof(id) - 1);
    return 0;
}

static int
configure(const wb__tls_context *context, const char *cert, const char *key,
          SSL_CTX **out)
{
    const wb__openssl *lib = &context->lib;
    const wb__tls_server *options = &context->options;
    SSL_CTX *ssl = wb__openssl_context(lib, lib->TLS_server_method());
    if (ssl == NULL) {
        return WB__TLS_NOMEM;
    }
    *out = ssl;
#ifdef SSL_OP_IGNORE_UNEXPECTED_EOF
    /* An end without close_notify is an end: HTTP has its own framing. */
    lib->SSL_CTX_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
#endif
    lib->SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, NULL);
    lib->SSL_CTX_set_default_passwd_cb(ssl, give_password);
    lib->SSL_CTX_set_default_passwd_cb_userdata(
        ssl, (void *)(uintptr_t)options->password);
    int error = set_version(lib, ssl, options->min_version);
    if (error == 0 && options->ciphers != NULL) {
        error = set_ciphers(lib, ssl, options->ciphers);
    }
    if (error == 0) {
        error = set_verify(lib, ssl, options);
    }
    if (error < 0) {
        return error;
    }
    key = key == NULL ? cert : key;
    return lib->SSL_CTX_use_certificate_chain_file(ssl, cert) == 1
            && lib->SSL_CTX_use_PrivateKey_file(ssl, key, SSL_FILETYPE_PEM)
                == 1
            && lib->SSL_CTX_check_private_key(ssl) == 1
        ? 0
        : WB__TLS_CERT;
}

/* ---- certificates by name ----------------------------------------------- */

/* RFC 6125 6.4.3: "*" stands for one whole label, the leftmost. */
static int
host_matches(const char *pattern, const char *name)
{
    if (strncmp(pattern, "*.", 2) == 0) {
        const char *dot = strchr(name, '.');
        return dot != NULL && dot != name && strcasecmp(pattern + 1, dot) == 0;
    }
    return strcasecmp(pattern, name) == 0;
}

/* A name without a certificate of its own gets the usual one. */
static int
choose_host(SSL *ssl, int *alert, void *arg)
{
    const wb__tls_context *context = arg;
    const wb__openssl *lib = &context->lib;
    const char *name = lib->SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    for (size_t i = 0; name != NULL && i < context->host_count; i++) {
        if (host_matches(context->hosts[i].name, name)) {
            lib->SSL_set_SSL_CTX(ssl, context->hosts[i].ssl);
            break;
        }
    }
    return SSL_TLSEXT_ERR_OK;
}

/* One line: host TAB certificate [TAB key]. Cuts it up. */
static int
read_host(char *line, wb__tls_host *out)
{
    char *cert = strchr(line, '\t');
    if (cert == NULL || cert == line) {
        return WB__TLS_OPTION;
    }
    *cert++ = '\0';
    char *key = strchr(cert, '\t');
    if (key != NULL) {
        *key++ = '\0';
    }
    *out = (wb__tls_host) { .name = line, .cert = cert, .key = key };
    return *cert == '\0' ? WB__TLS_OPTION : 0;
}

static int
make_hosts(wb__tls_context *context)
{
    const wb__openssl *lib = &context->lib;
    size_t lines = 1;
    /* `hosts` is the last of the texts in `strings`: cut in a copy of it, for
     * they are needed as they were when the files are read again. */
    size_t size = strlen(context->options.hosts) + 1;
    for (const char *p = context->options.hosts; *p != '\0'; p++) {
        lines += *p == '\n';
    }
    size_t room = lines * sizeof(wb__tls_host);
    context->hosts = wb__calloc(room + size);
    if (context->hosts == NULL) {
        return WB__TLS_NOMEM;
    }
    char *line = (char *)context->hosts + room;
    memcpy(line, context->options.hosts, size);
    while (line != NULL && *line != '\0') {
        char *next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        wb__tls_host *host = &context->hosts[context->host_count];
        int error = read_host(line, host);
        context->host_count += error == 0;
        if (error == 0) {
            error = configure(context, host->cert, host->key, &host->ssl);
        }
        if (error < 0) {
            return error;
        }
        line = next;
    }
    lib->SSL_CTX_callback_ctrl(context->ssl, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                               (void (*)(void))choose_host);
    lib->SSL_CTX_ctrl(context->ssl, SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG, 0,
                      context);
    return 0;
}

/* ---- the context -------------------------------------------------------- */

int
wb__tls_server_new(const wb__tls_server *options, wb__tls_context **out)
{
    wb__tls_context *context = wb__calloc(sizeof(*context));
    if (context == NULL) {
        return WB__TLS_NOMEM;
    }
    context->refs = 1;
    int error = wb__openssl_load(&context->lib);
    int loaded = error == 0;
    if (error == 0) {
        error = copy_options(context, options);
    }
    if (error == 0) {
        error = configure(context, context->options.cert, context->options.key,
                          &context->ssl);
    }
    if (error == 0 && context->options.hosts != NULL) {
        error = make_hosts(context);
    }
    if (loaded) {
        context->lib.ERR_clear_error();
    }
    if (error < 0) {
        wb__tls_context_unref(context);
        return error;
    }
    *out = context;
    return 0;
}

int
wb__tls_server_again(const wb__tls_context *context, wb__tls_context **out)
{
    return wb__tls_server_new(&context->options, out);
}

void
wb__tls_context_unref(wb__tls_context *context)
{
    if (context == NULL || --context->refs > 0) {
        return;
    }
    for (size_t i = 0; i < context->host_count; i++) {
        if (context->hosts[i].ssl != NULL) {
            context->lib.SSL_CTX_free(context->hosts[i].ssl);
        }
    }
    if (context->session != NULL) {
        context->lib.SSL_SESSION_free(context->session);
    }
    if (context->ssl != NULL) {
        context->lib.SSL_CTX_free(context->ssl);
    }
    wb__free(context->hosts);
    wb__free(context->strings);
    wb__free(context);
}
#else
typedef int wb__not_empty; /* ISO C forbids an empty translation unit */
#endif
