/* Opening the system's OpenSSL.
 *
 * It is not linked: the module that holds TLS also holds a plain server, whose
 * memory is measured. */
#ifdef WB_OPENSSL
#include "base/posix.h"

#include "tls/openssl.h"

#include <dlfcn.h>
#include <string.h>

#define TEXT_OF(number)      #number
#define VERSION_TEXT(number) TEXT_OF(number)
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
#define LIBRARY "libssl.so." VERSION_TEXT(OPENSSL_SHLIB_VERSION)
#else
#define LIBRARY "libssl.so.1.1"
#endif

int
wb__tls_available(void)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library != NULL) {
        dlclose(library);
    }
    return library != NULL;
}

/* The library stays open: what it registered to run at exit lies in it.
 * ISO C has no way from void * to a function; POSIX promises this one. */
int
wb__openssl_load(wb__openssl *lib)
{
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return WB__TLS_MISSING;
    }
#define FIND(name)                                                            \
    {                                                                         \
        void *found = dlsym(library, #name);                                  \
        if (found == NULL) {                                                  \
            return WB__TLS_MISSING;                                           \
        }                                                                     \
        memcpy(&lib->name, &found, sizeof(found));                            \
    }
    WB__OPENSSL(FIND)
#undef FIND
    return 0;
}

SSL_CTX *
wb__openssl_context(const wb__openssl *lib, const SSL_METHOD *method)
{
    SSL_CTX *ssl = lib->SSL_CTX_new(method);
    if (ssl == NULL) {
        return NULL;
    }
    /* RELEASE_BUFFERS: an idle connection holds no record buffers. */
    lib->SSL_CTX_ctrl(ssl, SSL_CTRL_MODE,
                      SSL_MODE_ENABLE_PARTIAL_WRITE
                          | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                          | SSL_MODE_RELEASE_BUFFERS,
                      NULL);
    lib->SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
    return ssl;
}
#else
typedef int wb__not_empty; /* ISO C forbids an empty translation unit */
#endif
