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

/* How a change of a dict is noticed: by a watcher from 3.12 on, by its version
 * (PEP 509) before; on free-threaded builds not at all. */
#ifdef Py_GIL_DISABLED
#define WP_DICT_WATCHERS 0
#define WP_DICT_VERSIONS 0
#elif PY_VERSION_HEX >= 0x030c0000
#define WP_DICT_WATCHERS 1
#define WP_DICT_VERSIONS 0
#else
#define WP_DICT_WATCHERS 0
#define WP_DICT_VERSIONS 1
#endif

static inline uint64_t
wp_dict_version(PyObject *dict)
{
#if WP_DICT_VERSIONS
    return ((PyDictObject *)dict)->ma_version_tag;
#else
    (void)dict;
    return 0;
#endif
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

/* The reverse of it; takes over the reference. */
static inline void
wp_set_exception(PyObject *exception)
{
#if PY_VERSION_HEX >= 0x030c0000
    PyErr_SetRaisedException(exception);
#else
    PyErr_Restore(Py_NewRef((PyObject *)Py_TYPE(exception)), exception,
                  PyException_GetTraceback(exception));
#endif
}

#endif
