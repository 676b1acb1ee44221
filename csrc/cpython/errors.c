#include "module.h"

#include <errno.h>

static int
leaves(void)
{
    return PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)
        || PyErr_ExceptionMatches(PyExc_SystemExit);
}

/* As traceback.print_exception() does it. */
static PyObject *
print_exception(wp_server *server, PyObject *exception)
{
    PyObject *traceback = PyException_GetTraceback(exception);
    PyObject *arguments
        = PyTuple_Pack(3, (PyObject *)Py_TYPE(exception), exception,
                       traceback == NULL ? Py_None : traceback);
    PyObject *keywords = Py_BuildValue("{s:O}", "file", server->errors);
    PyObject *done = NULL;
    if (arguments != NULL && keywords != NULL) {
        done = PyObject_Call(server->state->print_exception, arguments,
                             keywords);
    }
    Py_XDECREF(keywords);
    Py_XDECREF(arguments);
    Py_XDECREF(traceback);
    return done;
}

/* "GET /path", as it was sent. */
static PyObject *
request_text(const wb_request *request)
{
    if (request == NULL) {
        return PyUnicode_FromString("a request that is answered");
    }
    PyObject *method
        = PyUnicode_DecodeLatin1(request->base + request->method.off,
                                 (Py_ssize_t)request->method.len, NULL);
    PyObject *target
        = PyUnicode_DecodeLatin1(request->base + request->target.off,
                                 (Py_ssize_t)request->target.len, NULL);
    PyObject *text = method == NULL || target == NULL
        ? NULL
        : PyUnicode_FromFormat("%U %U", method, target);
    Py_XDECREF(method);
    Py_XDECREF(target);
    return text;
}

static PyObject *
tell(wp_server *server, const wb_request *request, PyObject *exception)
{
    if (server->log_exception == NULL) {
        return print_exception(server, exception);
    }
    PyObject *text = request_text(request);
    PyObject *done = text == NULL
        ? NULL
        : PyObject_CallFunctionObjArgs(server->log_exception, text, exception,
                                       NULL);
    Py_XDECREF(text);
    return done;
}

/* An application's failure goes to wsgi.errors with its traceback; the client
 * learns nothing of it. A log that fails must not fail the server. Of what
 * leaves the server, SystemExit is the application's doing and told as well.
 */
int
wp_log_exception(wp_server *server, const wb_request *request)
{
    if (PyErr_Occurred() == NULL) {
        return 0;
    }
    if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
        return -1;
    }
    int leaving = leaves();
    PyObject *exception = wp_take_exception();
    wp_section_waits(server->gate);
    PyObject *done = tell(server, request, exception);
    wp_section_waited(server->gate);
    if (leaving) {
        Py_XDECREF(done);
        PyErr_Clear();
        wp_set_exception(exception);
        return -1;
    }
    Py_DECREF(exception);
    if (done == NULL && leaves()) {
        return -1;
    }
    Py_XDECREF(done);
    PyErr_Clear();
    return 0;
}

PyObject *
wp_raise_head(int code, const wb_head *head)
{
    if (code != WB_INVALID) {
        return wp_raise_code(code);
    }
    size_t size;
    const char *refused = wb_head_refused(head, &size);
    if (refused == NULL) {
        PyErr_SetString(PyExc_ValueError,
                        "these response headers cannot be sent together");
        return NULL;
    }
    PyObject *text = PyUnicode_DecodeLatin1(refused, (Py_ssize_t)size, NULL);
    if (text != NULL) {
        PyErr_Format(PyExc_ValueError,
                     refused == head->status
                         ? "the status %R cannot be sent"
                         : "the response header %R cannot be sent: its name "
                           "or value is not HTTP, or the server's to give",
                     text);
        Py_DECREF(text);
    }
    return NULL;
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
