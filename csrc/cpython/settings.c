/* wb_config's fields by name: what CoreServer's keywords may say. */
#include "module.h"

#include <stddef.h>

typedef enum { U8, U32, U64, INT, TEXT } kind;

typedef struct setting {
    const char *name;
    kind kind;
    size_t offset;
} setting;

#define FIELD(name, kind) { #name, kind, offsetof(wb_config, name) },
static const setting settings[] = {
#include "config_fields.h"
    { NULL, U8, 0 },
};

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
