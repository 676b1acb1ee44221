#include "module.h"

#include <errno.h>

/* An application's failure goes to wsgi.errors with its traceback; the client
 * learns nothing of it. A log that fails must not fail the server. */
void
wp_log_exception(wp_server *server)
{
    PyObject *exception = wp_take_exception();
    if (exception == NULL) {
        return;
    }
    PyObject *type = (PyObject *)Py_TYPE(exception);
    PyObject *traceback = PyException_GetTraceback(exception);
    PyObject *arguments = PyTuple_Pack(
        3, type, exception, traceback == NULL ? Py_None : traceback);
    PyObject *keywords = Py_BuildValue("{s:O}", "file", server->errors);
    PyObject *done = NULL;
    if (arguments != NULL && keywords != NULL) {
        done = PyObject_Call(server->state->print_exception, arguments,
                             keywords);
    }
    Py_XDECREF(done);
    Py_XDECREF(keywords);
    Py_XDECREF(arguments);
    Py_XDECREF(traceback);
    Py_DECREF(exception);
    PyErr_Clear();
}

PyObject *
wp_raise_code(int code)
{
    switch (code) {
    case WB_NOMEM:
        return PyErr_NoMemory();
    case WB_GONE:
        PyErr_SetString(PyExc_ConnectionResetError, wb_strerror(code));
        return NULL;
    case WB_INVALID:
        PyErr_SetString(PyExc_ValueError, wb_strerror(code));
        return NULL;
    case WB_BADBODY:
        PyErr_SetString(PyExc_OSError, wb_strerror(code));
        return NULL;
    case WB_STATE:
    case WB_OVER:
    case WB_FORKED:
        PyErr_SetString(PyExc_RuntimeError, wb_strerror(code));
        return NULL;
    default:
        if (code < 0 && code > -4096) {
            errno = -code;
            return PyErr_SetFromErrno(PyExc_OSError);
        }
        PyErr_SetString(PyExc_OSError, wb_strerror(code));
        return NULL;
    }
}
