/* What differs between CPython 3.9 and 3.13. */
#ifndef WP_SHIMS_H
#define WP_SHIMS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#if PY_VERSION_HEX < 0x030a00f0
static inline PyObject *
Py_NewRef(PyObject *object)
{
    Py_INCREF(object);
    return object;
}
#endif

/* A number that changes with every change of the dict (PEP 509), where there
 * is one: 3.13 has none that is kept up. */
#if PY_VERSION_HEX < 0x030d0000
#define WP_DICT_VERSIONS 1
static inline uint64_t
wp_dict_version(PyObject *dict)
{
#if defined(__GNUC__) && PY_VERSION_HEX >= 0x030c0000
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
#endif
    return ((PyDictObject *)dict)->ma_version_tag;
#if defined(__GNUC__) && PY_VERSION_HEX >= 0x030c0000
#pragma GCC diagnostic pop
#endif
}
#else
#define WP_DICT_VERSIONS 0
static inline uint64_t
wp_dict_version(PyObject *dict)
{
    (void)dict;
    return 0;
}
#endif

/* Whether whoever holds the only reference to this compact ASCII str may
 * write into it, as CPython's own str operations do. */
static inline int
wp_str_is_ours(PyObject *text)
{
    return Py_REFCNT(text) == 1 && !PyUnicode_CHECK_INTERNED(text)
#if PY_VERSION_HEX < 0x030c0000
        && ((PyASCIIObject *)text)->wstr == NULL
#endif
        ;
}

static inline void
wp_str_was_changed(PyObject *text)
{
    ((PyASCIIObject *)text)->hash = -1;
}

/* The raised exception as one object, the error indicator cleared. */
static inline PyObject *
wp_take_exception(void)
{
#if PY_VERSION_HEX >= 0x030c0000
    return PyErr_GetRaisedException();
#else
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (value != NULL && traceback != NULL) {
        PyException_SetTraceback(value, traceback);
    }
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
#endif
}

#endif
