/* What is known of a client that was asked for its certificate, under the
 * names that mod_ssl gave them. */
#ifdef WB_OPENSSL
#include "base/posix.h"

#include "tls/openssl.h"

#include <string.h>

#include "base/alloc.h"

/* RFC 2253 as mod_ssl and nginx write it: what is not printable ASCII is
 * escaped, so that no value can end early or begin a line. */
#define NAME_FORM XN_FLAG_RFC2253
#define TEXT_FORM (ASN1_STRFLGS_RFC2253 & ~ASN1_STRFLGS_ESC_2253)

typedef struct writer {
    const wb__openssl *lib;
    BIO *bio;
    uint32_t count;
} writer;

static void
put_name(writer *out, const char *name)
{
    out->lib->BIO_write(out->bio, name, (int)strlen(name) + 1);
}

static void
end_value(writer *out)
{
    out->lib->BIO_write(out->bio, "", 1);
    out->count++;
}

static void
put_pair(writer *out, const char *name, const char *value)
{
    put_name(out, name);
    put_name(out, value);
    out->count++;
}

static void
put_dn(writer *out, const char *name, const X509_NAME *dn)
{
    put_name(out, name);
    out->lib->X509_NAME_print_ex(out->bio, dn, 0, NAME_FORM);
    end_value(out);
}

static void
put_common_name(writer *out, const char *name, X509_NAME *dn)
{
    const wb__openssl *lib = out->lib;
    int at = lib->X509_NAME_get_index_by_NID(dn, NID_commonName, -1);
    if (at < 0) {
        return;
    }
    put_name(out, name);
    lib->ASN1_STRING_print_ex(
        out->bio,
        lib->X509_NAME_ENTRY_get_data(lib->X509_NAME_get_entry(dn, at)),
        TEXT_FORM);
    end_value(out);
}

static void
put_certificate(writer *out, X509 *cert)
{
    const wb__openssl *lib = out->lib;
    X509_NAME *subject = lib->X509_get_subject_name(cert);
    X509_NAME *issuer = lib->X509_get_issuer_name(cert);
    put_dn(out, "SSL_CLIENT_S_DN", subject);
    put_common_name(out, "SSL_CLIENT_S_DN_CN", subject);
    put_dn(out, "SSL_CLIENT_I_DN", issuer);
    put_common_name(out, "SSL_CLIENT_I_DN_CN", issuer);
    put_name(out, "SSL_CLIENT_M_SERIAL");
    lib->i2a_ASN1_INTEGER(out->bio, lib->X509_get_serialNumber(cert));
    end_value(out);
    put_name(out, "SSL_CLIENT_V_START");
    lib->ASN1_TIME_print(out->bio, lib->X509_get0_notBefore(cert));
    end_value(out);
    put_name(out, "SSL_CLIENT_V_END");
    lib->ASN1_TIME_print(out->bio, lib->X509_get0_notAfter(cert));
    end_value(out);
    put_name(out, "SSL_CLIENT_CERT");
    lib->PEM_write_bio_X509(out->bio, cert);
    end_value(out);
}

static void
put_all(writer *out, SSL *ssl)
{
    const wb__openssl *lib = out->lib;
    const SSL_CIPHER *cipher = lib->SSL_get_current_cipher(ssl);
    /* A certificate that does not verify ends the handshake. */
    X509 *cert = lib->SSL_get1_peer_certificate(ssl);
    put_pair(out, "SSL_CLIENT_VERIFY", cert == NULL ? "NONE" : "SUCCESS");
    put_pair(out, "SSL_PROTOCOL", lib->SSL_get_version(ssl));
    if (cipher != NULL) {
        put_pair(out, "SSL_CIPHER", lib->SSL_CIPHER_get_name(cipher));
    }
    if (cert != NULL) {
        put_certificate(out, cert);
        lib->X509_free(cert);
    }
}

static void
make_variables(wb__tls *tls)
{
    const wb__openssl *lib = &tls->context->lib;
    writer out = { lib, lib->BIO_new(lib->BIO_s_mem()), 0 };
    char *data;
    if (out.bio == NULL) {
        return;
    }
    put_all(&out, tls->ssl);
    long size = lib->BIO_ctrl(out.bio, BIO_CTRL_INFO, 0, &data);
    if (size > 0) {
        tls->variables = wb__alloc((size_t)size);
    }
    if (tls->variables != NULL) {
        memcpy(tls->variables, data, (size_t)size);
        tls->variables_size = (size_t)size;
        tls->variables_count = out.count;
    }
    lib->BIO_free(out.bio);
    lib->ERR_clear_error();
}

const char *
wb__tls_variables(wb__tls *tls, size_t *size, uint32_t *count)
{
    *size = *count = 0;
    if (tls->context->options.verify == WB__TLS_NO_CLIENT_CERT
        || !tls->context->lib.SSL_is_init_finished(tls->ssl)) {
        return NULL;
    }
    if (tls->variables == NULL) {
        make_variables(tls);
    }
    *size = tls->variables == NULL ? 1 : tls->variables_size;
    *count = tls->variables_count;
    return tls->variables;
}
#else
typedef int wb__not_empty; /* ISO C forbids an empty translation unit */
#endif
