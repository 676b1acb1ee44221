/* wb_config's fields by name: what CoreServer's keywords may say. */
#include "module.h"

#include <stddef.h>

typedef enum { U8, U32, U64, INT, TEXT } kind;

typedef struct setting {
    const char *name;
    kind kind;
    size_t offset;
} setting;

#define SETTING(name, kind) { #name, kind, offsetof(wb_config, name) }
/* clang-format off */
static const setting settings[] = {
    SETTING(backlog, INT),
    SETTING(threaded, U8),
    SETTING(stream_body, U8),
    SETTING(measure, U8),
    SETTING(log_format, TEXT),
    SETTING(defer_accept, U8),
    SETTING(log_fd, INT),
    SETTING(error_fd, INT),
    SETTING(max_line, U32),
    SETTING(max_head, U32),
    SETTING(max_fields, U32),
    SETTING(max_field, U32),
    SETTING(max_body, U64),
    SETTING(body_memory, U32),
    SETTING(body_memory_all, U64),
    SETTING(write_high, U32),
    SETTING(max_connections, U32),
    SETTING(head_timeout, U32),
    SETTING(body_timeout, U32),
    SETTING(body_quantum, U32),
    SETTING(idle_timeout, U32),
    SETTING(write_timeout, U32),
    SETTING(server_name, TEXT),
    SETTING(temp_dir, TEXT),
    SETTING(tls_cert, TEXT),
    SETTING(tls_key, TEXT),
    SETTING(tls_password, TEXT),
    SETTING(tls_ca, TEXT),
    SETTING(tls_verify, U8),
    SETTING(tls_ciphers, TEXT),
    SETTING(tls_min_version, TEXT),
    SETTING(tls_hosts, TEXT),
    SETTING(forwarded_allow, TEXT),
    SETTING(forwarded_headers, TEXT),
    SETTING(proxy_protocol, U8),
    SETTING(proxy_allow, TEXT),
    SETTING(root_path, TEXT),
    SETTING(accept_batch, U32),
    { NULL, U8, 0 },
};
/* clang-format on */

static int
set_number(void *field, kind kind, PyObject *value)
{
    if (kind == INT) {
        long number = PyLong_AsLong(value);
        *(int *)field = (int)number;
        return number == -1 && PyErr_Occurred() ? -1 : 0;
    }
    unsigned long long number = PyLong_AsUnsignedLongLong(value);
    unsigned long long max = kind == U8 ? UINT8_MAX
        : kind == U32                   ? UINT32_MAX
                                        : UINT64_MAX;
    if (number == (unsigned long long)-1 && PyErr_Occurred()) {
        return -1;
    }
    if (number > max) {
        PyErr_Format(PyExc_OverflowError, "%llu is too large", number);
        return -1;
    }
    if (kind == U8) {
        *(uint8_t *)field = (uint8_t)number;
    } else if (kind == U32) {
        *(uint32_t *)field = (uint32_t)number;
    } else {
        *(uint64_t *)field = number;
    }
    return 0;
}

int
wp_setting_put(wb_config *config, PyObject *name, PyObject *value)
{
    for (const setting *s = settings; s->name != NULL; s++) {
        if (PyUnicode_CompareWithASCIIString(name, s->name) != 0) {
            continue;
        }
        void *field = (char *)config + s->offset;
        if (s->kind != TEXT) {
            return set_number(field, s->kind, value);
        }
        const char *text = value == Py_None ? NULL : PyUnicode_AsUTF8(value);
        *(const char **)field = text;
        return text == NULL && value != Py_None ? -1 : 0;
    }
    PyErr_Format(PyExc_TypeError, "CoreServer has no setting %R", name);
    return -1;
}

PyObject *
wp_defaults(void)
{
    wb_config config;
    wb_config_init(&config);
    PyObject *defaults = PyDict_New();
    for (const setting *s = settings; defaults != NULL && s->name != NULL;
         s++) {
        const char *field = (const char *)&config + s->offset;
        PyObject *value = NULL;
        switch (s->kind) {
        case U8:
            value = PyLong_FromLong(*(const uint8_t *)field);
            break;
        case U32:
            value = PyLong_FromUnsignedLong(*(const uint32_t *)field);
            break;
        case U64:
            value = PyLong_FromUnsignedLongLong(*(const uint64_t *)field);
            break;
        case INT:
            value = PyLong_FromLong(*(const int *)field);
            break;
        case TEXT:
            value = Py_BuildValue("z", *(const char *const *)field);
            break;
        }
        if (value == NULL
            || PyDict_SetItemString(defaults, s->name, value) < 0) {
            Py_CLEAR(defaults);
        }
        Py_XDECREF(value);
    }
    return defaults;
}
