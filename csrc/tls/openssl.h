/* What is used of OpenSSL, as a table of functions that is filled at run
 * time. Included by this folder's files only. */
#ifndef WB_OPENSSL_H
#define WB_OPENSSL_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "tls/tls.h"

#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#define WB__PEER_CERTIFICATE(F) F(SSL_get1_peer_certificate)
#else
#define WB__PEER_CERTIFICATE(F)   F(SSL_get_peer_certificate)
#define SSL_get1_peer_certificate SSL_get_peer_certificate
#endif

/* libcrypto's are found through libssl's handle. */
#define WB__OPENSSL(F)                                                        \
    F(ASN1_STRING_print_ex)                                                   \
    F(ASN1_TIME_print)                                                        \
    F(BIO_ctrl)                                                               \
    F(BIO_free)                                                               \
    F(BIO_new)                                                                \
    F(BIO_s_mem)                                                              \
    F(BIO_write)                                                              \
    F(ERR_clear_error)                                                        \
    F(ERR_error_string_n)                                                     \
    F(ERR_peek_error)                                                         \
    F(PEM_write_bio_X509)                                                     \
    F(SSL_CIPHER_get_name)                                                    \
    F(SSL_CTX_callback_ctrl)                                                  \
    F(SSL_CTX_check_private_key)                                              \
    F(SSL_CTX_ctrl)                                                           \
    F(SSL_CTX_free)                                                           \
    F(SSL_CTX_load_verify_locations)                                          \
    F(SSL_CTX_new)                                                            \
    F(SSL_CTX_set_alpn_protos)                                                \
    F(SSL_CTX_set_alpn_select_cb)                                             \
    F(SSL_CTX_set_cipher_list)                                                \
    F(SSL_CTX_set_ciphersuites)                                               \
    F(SSL_CTX_set_client_CA_list)                                             \
    F(SSL_CTX_set_default_passwd_cb)                                          \
    F(SSL_CTX_set_default_passwd_cb_userdata)                                 \
    F(SSL_CTX_set_options)                                                    \
    F(SSL_CTX_set_session_id_context)                                         \
    F(SSL_CTX_set_verify)                                                     \
    F(SSL_CTX_use_PrivateKey_file)                                            \
    F(SSL_CTX_use_certificate_chain_file)                                     \
    F(SSL_SESSION_free)                                                       \
    F(SSL_SESSION_is_resumable)                                               \
    F(SSL_ctrl)                                                               \
    F(SSL_do_handshake)                                                       \
    F(SSL_free)                                                               \
    F(SSL_get0_param)                                                         \
    F(SSL_get1_session)                                                       \
    F(SSL_get_current_cipher)                                                 \
    F(SSL_get_error)                                                          \
    F(SSL_get_servername)                                                     \
    F(SSL_get_verify_result)                                                  \
    F(SSL_get_version)                                                        \
    F(SSL_is_init_finished)                                                   \
    F(SSL_load_client_CA_file)                                                \
    F(SSL_new)                                                                \
    F(SSL_pending)                                                            \
    F(SSL_read)                                                               \
    F(SSL_set1_host)                                                          \
    F(SSL_set_SSL_CTX)                                                        \
    F(SSL_set_accept_state)                                                   \
    F(SSL_set_connect_state)                                                  \
    F(SSL_set_fd)                                                             \
    F(SSL_set_quiet_shutdown)                                                 \
    F(SSL_set_session)                                                        \
    F(SSL_shutdown)                                                           \
    F(SSL_write)                                                              \
    F(TLS_client_method)                                                      \
    F(TLS_server_method)                                                      \
    F(X509_NAME_ENTRY_get_data)                                               \
    F(X509_NAME_get_entry)                                                    \
    F(X509_NAME_get_index_by_NID)                                             \
    F(X509_NAME_print_ex)                                                     \
    F(X509_VERIFY_PARAM_set1_ip_asc)                                          \
    F(X509_free)                                                              \
    F(X509_get0_notAfter)                                                     \
    F(X509_get0_notBefore)                                                    \
    F(X509_get_issuer_name)                                                   \
    F(X509_get_serialNumber)                                                  \
    F(X509_get_subject_name)                                                  \
    F(X509_verify_cert_error_string)                                          \
    F(i2a_ASN1_INTEGER)                                                       \
    WB__PEER_CERTIFICATE(F)

#define WB__MEMBER(name) __typeof__(name) *name;
typedef struct wb__openssl {
    WB__OPENSSL(WB__MEMBER)
} wb__openssl;
#undef WB__MEMBER

typedef struct wb__tls_host {
    const char *name, *cert, *key; /* in the context's strings */
    SSL_CTX *ssl;                  /* owned */
} wb__tls_host;

struct wb__tls_context {
    wb__openssl lib;
    SSL_CTX *ssl;
    uint32_t refs;
    /* server */
    wb__tls_server options; /* texts are in `strings` */
    char *strings;          /* owned; NULL: a client's context */
    wb__tls_host *hosts;    /* owned, host_count of them */
    size_t host_count;
    /* client */
    wb__tls_client client;
    SSL_SESSION *session;   /* of the last handshake, to be resumed; owned */
};

struct wb__tls {
    wb__tls_context *context; /* a reference */
    SSL *ssl;
    int wants_room, was_cut;
    char *variables;          /* owned; NULL: not asked for yet */
    size_t variables_size;
    uint32_t variables_count;
};

/* openssl.c: 0 or WB__TLS_MISSING. */
int wb__openssl_load(wb__openssl *lib);
/* A context of this method with what both sides want; NULL: no memory. */
SSL_CTX *wb__openssl_context(const wb__openssl *lib, const SSL_METHOD *method);

/* client.c: before the handshake; and what is kept of a connection. */
void wb__tls_client_prepare(const wb__tls_context *context, SSL *ssl);
void wb__tls_client_keep(wb__tls *tls);

#endif
