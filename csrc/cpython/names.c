#include "module.h"

#include <string.h>

/* The names of RFC 9110 and of what browsers and proxies add. Others work as
 * well; they cost one str each. */
static const char *const known[] = {
    "HTTP_HOST",
    "HTTP_CONNECTION",
    "HTTP_USER_AGENT",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_ENCODING",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_ACCEPT_CHARSET",
    "HTTP_COOKIE",
    "HTTP_REFERER",
    "HTTP_CACHE_CONTROL",
    "HTTP_PRAGMA",
    "HTTP_UPGRADE_INSECURE_REQUESTS",
    "HTTP_SEC_FETCH_DEST",
    "HTTP_SEC_FETCH_MODE",
    "HTTP_SEC_FETCH_SITE",
    "HTTP_SEC_FETCH_USER",
    "HTTP_SEC_CH_UA",
    "HTTP_SEC_CH_UA_MOBILE",
    "HTTP_SEC_CH_UA_PLATFORM",
    "HTTP_AUTHORIZATION",
    "HTTP_PROXY_AUTHORIZATION",
    "HTTP_ORIGIN",
    "HTTP_RANGE",
    "HTTP_IF_MATCH",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_RANGE",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_EXPECT",
    "HTTP_TE",
    "HTTP_TRAILER",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_UPGRADE",
    "HTTP_VIA",
    "HTTP_DATE",
    "HTTP_FROM",
    "HTTP_MAX_FORWARDS",
    "HTTP_KEEP_ALIVE",
    "HTTP_DNT",
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_REAL_IP",
    "HTTP_X_REQUEST_ID",
    "HTTP_X_REQUESTED_WITH",
    "HTTP_X_CSRFTOKEN",
    "HTTP_X_CSRF_TOKEN",
    "HTTP_X_HTTP_METHOD_OVERRIDE",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
    "HTTP_ACCESS_CONTROL_REQUEST_HEADERS",
    "HTTP_CONTENT_ENCODING",
    "HTTP_CONTENT_LANGUAGE",
    "HTTP_CONTENT_DISPOSITION",
    "HTTP_PRIORITY",
    "HTTP_TRACEPARENT",
    "HTTP_TRACESTATE",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
};

/* Length and three letters tell these names apart well enough. */
static size_t
place(const char *data, size_t size)
{
    unsigned a = (unsigned char)data[size - 1];
    unsigned b = (unsigned char)data[size / 2];
    unsigned c = (unsigned char)data[size > 5 ? 5 : 0];
    return (size * 7 + a * 31 + b * 13 + c * 3) % WP_NAMES;
}

int
wp_names_init(wp_names *names)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        size_t at = place(known[i], strlen(known[i]));
        while (names->keys[at] != NULL) {
            at = (at + 1) % WP_NAMES;
        }
        PyObject *key = PyUnicode_InternFromString(known[i]);
        if (key == NULL || PyObject_Hash(key) == -1) {
            Py_XDECREF(key);
            return -1;
        }
        names->keys[at] = key;
    }
    return 0;
}

void
wp_names_clear(wp_names *names)
{
    for (int i = 0; i < WP_NAMES; i++) {
        Py_CLEAR(names->keys[i]);
    }
}

PyObject *
wp_names_get(const wp_names *names, const char *data, size_t size)
{
    for (size_t at = place(data, size); names->keys[at] != NULL;
         at = (at + 1) % WP_NAMES) {
        PyObject *key = names->keys[at];
        if ((size_t)PyUnicode_GET_LENGTH(key) == size
            && memcmp(PyUnicode_DATA(key), data, size) == 0) {
            return Py_NewRef(key);
        }
    }
    return PyUnicode_DecodeLatin1(data, (Py_ssize_t)size, NULL);
}

#define WORDS(X)                                                              \
    X(request_method, "REQUEST_METHOD")                                       \
    X(path_info, "PATH_INFO")                                                 \
    X(query_string, "QUERY_STRING")                                           \
    X(request_uri, "REQUEST_URI")                                             \
    X(server_protocol, "SERVER_PROTOCOL")                                     \
    X(remote_addr, "REMOTE_ADDR")                                             \
    X(remote_port, "REMOTE_PORT")                                             \
    X(content_length, "CONTENT_LENGTH")                                       \
    X(http_host, "HTTP_HOST")                                                 \
    X(wsgi_input, "wsgi.input")                                               \
    X(get, "GET")                                                             \
    X(head, "HEAD")                                                           \
    X(post, "POST")                                                           \
    X(put, "PUT")                                                             \
    X(delete, "DELETE")                                                       \
    X(options, "OPTIONS")                                                     \
    X(patch, "PATCH")                                                         \
    X(http10, "HTTP/1.0")                                                     \
    X(http11, "HTTP/1.1")                                                     \
    X(empty, "")                                                              \
    X(close, "close")                                                         \
    X(read, "read")                                                           \
    X(fileno, "fileno")                                                       \
    X(tell, "tell")                                                           \
    X(readable, "readable")                                                   \
    X(flush, "flush")                                                         \
    X(raw, "raw")                                                             \
    X(exc_info, "exc_info")

int
wp_words_init(wp_words *words)
{
#define MAKE(field, text)                                                     \
    words->field = PyUnicode_InternFromString(text);                          \
    if (words->field == NULL || PyObject_Hash(words->field) == -1) {          \
        return -1;                                                            \
    }
    WORDS(MAKE)
    return 0;
}

int
wp_words_visit(wp_words *words, visitproc visit, void *arg)
{
#define VISIT(field, text) Py_VISIT(words->field);
    WORDS(VISIT)
    return 0;
}

void
wp_words_clear(wp_words *words)
{
#define CLEAR(field, text) Py_CLEAR(words->field);
    WORDS(CLEAR)
}
