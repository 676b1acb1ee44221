#include "keywords.h"

#include <limits.h>
#include <stdint.h>

int
wp_number_put(void *field, wp_kind kind, PyObject *value)
{
    if (kind == INT) {
        long number = PyLong_AsLong(value);
        if (number < INT_MIN || number > INT_MAX) {
            PyErr_Format(PyExc_OverflowError, "%ld does not fit", number);
        }
        *(int *)field = (int)number;
        return PyErr_Occurred() ? -1 : 0;
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

static int
put_text(const char **field, PyObject *value)
{
    *field = value == Py_None ? NULL : PyUnicode_AsUTF8(value);
    return *field == NULL && value != Py_None ? -1 : 0;
}

int
wp_keyword_put(void *config, const wp_keyword *fields, const char *owner,
               PyObject *name, PyObject *value)
{
    const wp_keyword *field = fields;
    while (field->name != NULL
           && PyUnicode_CompareWithASCIIString(name, field->name) != 0) {
        field++;
    }
    if (field->name == NULL) {
        PyErr_Format(PyExc_TypeError, "%s has no setting %R", owner, name);
        return -1;
    }
    void *at = (char *)config + field->offset;
    return field->kind == TEXT ? put_text(at, value)
                               : wp_number_put(at, field->kind, value);
}

static PyObject *
get(const void *at, wp_kind kind)
{
    switch (kind) {
    case U8:
        return PyLong_FromLong(*(const uint8_t *)at);
    case U32:
        return PyLong_FromUnsignedLong(*(const uint32_t *)at);
    case U64:
        return PyLong_FromUnsignedLongLong(*(const uint64_t *)at);
    case INT:
        return PyLong_FromLong(*(const int *)at);
    default:
        return Py_BuildValue("z", *(const char *const *)at);
    }
}

PyObject *
wp_keywords_get(const void *config, const wp_keyword *fields)
{
    PyObject *dict = PyDict_New();
    for (; dict != NULL && fields->name != NULL; fields++) {
        PyObject *value
            = get((const char *)config + fields->offset, fields->kind);
        if (value == NULL
            || PyDict_SetItemString(dict, fields->name, value) < 0) {
            Py_CLEAR(dict);
        }
        Py_XDECREF(value);
    }
    return dict;
}
