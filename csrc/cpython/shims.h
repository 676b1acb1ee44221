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

/* Builds with a GIL have it keep other threads out of our objects while C
 * runs. Free-threaded builds have a critical section on the server's gate (an
 * object() of its own) for that. Like the GIL it is given up while the thread
 * waits without its thread state, and at a fork. */
#ifdef Py_GIL_DISABLED
typedef struct wp_section {
    PyCriticalSection section;
    PyObject *gate; /* borrowed */
} wp_section;

/* ThreadSanitizer does not see the locks of an interpreter that was not built
 * for it. */
#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define WP_TSAN(what, gate) __tsan_##what(gate)
#else
#define WP_TSAN(what, gate) ((void)0)
#endif

/* Around what gives up the thread state, and the sections with it. */
static inline void
wp_section_waits(PyObject *gate)
{
    WP_TSAN(release, gate);
    (void)gate;
}

static inline void
wp_section_waited(PyObject *gate)
{
    WP_TSAN(acquire, gate);
    (void)gate;
}

static inline void
wp_section_begin(wp_section *section, PyObject *gate)
{
    PyCriticalSection_Begin(&section->section, gate);
    section->gate = gate;
    WP_TSAN(acquire, gate);
}

static inline void
wp_section_end(wp_section *section)
{
    WP_TSAN(release, section->gate);
    PyCriticalSection_End(&section->section);
}

/* A new reference to the gate of a server. */
static inline PyObject *
wp_gate_new(void)
{
    return PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type);
}
#else
typedef struct wp_section {
    char unused;
} wp_section;

static inline void
wp_section_begin(wp_section *section, PyObject *gate)
{
    (void)section;
    (void)gate;
}

static inline void
wp_section_end(wp_section *section)
{
    (void)section;
}

static inline void
wp_section_waits(PyObject *gate)
{
    (void)gate;
}

static inline void
wp_section_waited(PyObject *gate)
{
    (void)gate;
}

static inline PyObject *
wp_gate_new(void)
{
    return Py_NewRef(Py_None);
}
#endif

/* A new reference to an item of a list or tuple, or NULL without an exception:
 * another thread has made the list shorter. */
static inline PyObject *
wp_item(PyObject *sequence, Py_ssize_t i)
{
#ifdef Py_GIL_DISABLED
    if (PyList_Check(sequence)) {
        PyObject *item = PyList_GetItemRef(sequence, i);
        PyErr_Clear();
        return item;
    }
#endif
    return Py_NewRef(PySequence_Fast_GET_ITEM(sequence, i));
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
