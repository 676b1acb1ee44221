/* start_response and write (PEP 3333, "The start_response() Callable").
 *
 * The head is put into its form for the core at once (response_head.c); the
 * core checks what may be sent when the first byte of the body is there. */
#include "module.h"

#include <stddef.h>
#include <structmember.h>

static PyObject *write_body(PyObject *self, PyObject *const *args,
                            size_t flags, PyObject *keywords);

/* ---- start_response ----------------------------------------------------- */

/* exc_info after the head went out: the exception goes on (PEP 3333). */
static int
raise_again(PyObject *exc_info)
{
    if (!PyTuple_Check(exc_info) || PyTuple_GET_SIZE(exc_info) != 3
        || !PyExceptionClass_Check(PyTuple_GET_ITEM(exc_info, 0))) {
        PyErr_SetString(PyExc_TypeError,
                        "exc_info must be what sys.exc_info() returned");
        return -1;
    }
    PyObject *traceback = PyTuple_GET_ITEM(exc_info, 2);
    PyErr_Restore(Py_NewRef(PyTuple_GET_ITEM(exc_info, 0)),
                  Py_NewRef(PyTuple_GET_ITEM(exc_info, 1)),
                  traceback == Py_None ? NULL : Py_NewRef(traceback));
    return -1;
}

static int
may_start(wp_call *call, PyObject *exc_info)
{
    if (call->request == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "start_response called after the response was over");
        return -1;
    }
    if (exc_info != Py_None) {
        return call->request->head_sent ? raise_again(exc_info) : 0;
    }
    if (call->started && !call->detached) {
        PyErr_SetString(PyExc_AssertionError,
                        "start_response called again without exc_info");
        return -1;
    }
    return 0;
}

static PyObject *
writer_of(wp_call *call)
{
    if (call->writer == NULL) {
        PyTypeObject *type = call->server->state->writer_type;
        call->writer = PyObject_New(wp_writer, type);
        if (call->writer == NULL) {
            return NULL;
        }
        call->writer->vectorcall = write_body;
        call->writer->gate = Py_NewRef(call->gate);
    }
    call->writer->call = call;
    return Py_NewRef((PyObject *)call->writer);
}

/* The optional third argument, by position or name. NULL: wrong call. */
static PyObject *
exc_info_argument(wp_call *call, PyObject *const *args, Py_ssize_t count,
                  PyObject *keywords)
{
    Py_ssize_t named = keywords == NULL ? 0 : PyTuple_GET_SIZE(keywords);
    if (count == 2 && named == 0) {
        return Py_None;
    }
    if (count == 3 && named == 0) {
        return args[2];
    }
    if (count == 2 && named == 1
        && PyUnicode_Compare(PyTuple_GET_ITEM(keywords, 0),
                             call->server->state->words.exc_info)
            == 0) {
        return args[2];
    }
    PyErr_SetString(
        PyExc_TypeError,
        "start_response(status, response_headers, exc_info=None) takes "
        "positional arguments");
    return NULL;
}

static PyObject *
start_response(wp_call *call, PyObject *const *args, size_t flags,
               PyObject *keywords)
{
    if (call->request == NULL) {
        may_start(call, Py_None);
        return NULL;
    }
    PyObject *exc_info
        = exc_info_argument(call, args, PyVectorcall_NARGS(flags), keywords);
    if (exc_info == NULL || may_start(call, exc_info) < 0) {
        return NULL;
    }
    if (wp_block_fill(call, args[0], args[1]) < 0) {
        call->started = 0;
        return NULL;
    }
    call->started = 1;
    call->head_given = 0;
    return writer_of(call);
}

PyObject *
wp_start_response(PyObject *self, PyObject *const *args, size_t flags,
                  PyObject *keywords)
{
    wp_call *call = (wp_call *)self;
    wp_section section;
    wp_section_begin(&section, call->gate);
    PyObject *result = start_response(call, args, flags, keywords);
    wp_section_end(&section);
    return result;
}

wb_head
wp_call_head(const wp_call *call)
{
    return (wb_head) { .status = call->block,
                       .status_size = call->status_size,
                       .lines = call->block + call->status_size,
                       .lines_size = call->block_size - call->status_size,
                       .count = call->count };
}

int
wp_call_send(wp_call *call, PyObject *block)
{
    void *owner = Py_NewRef(block); /* the core's, if it keeps the bytes */
    int result = wb_request_write(call->request, PyBytes_AS_STRING(block),
                                  (size_t)PyBytes_GET_SIZE(block), &owner);
    Py_XDECREF((PyObject *)owner);
    return result;
}

int
wp_call_give_head(wp_call *call, int64_t length)
{
    const wb_head head = wp_call_head(call);
    int result = wb_request_head(call->request, &head, length);
    if (result < 0) {
        wp_raise_head(result, &head);
    } else {
        call->head_given = 1;
    }
    return result;
}

/* ---- write -------------------------------------------------------------- */

int
wp_call_wait(wp_call *call)
{
    wb_request *request = call->request;
    PyObject *gate = call->gate;
    int result;
    /* Another thread may end the call meanwhile: only the request is safe. */
    wb_request_hold(request);
    Py_INCREF(gate);
    wp_section_waits(gate);
    do {
        Py_BEGIN_ALLOW_THREADS result = wb_request_wait(request, 0, 200);
        Py_END_ALLOW_THREADS if (PyErr_CheckSignals() < 0)
        {
            result = -1;
        }
    } while (result == WB_AGAIN);
    wp_section_waited(gate);
    Py_DECREF(gate);
    wb_request_release(request);
    return result;
}

/* Whether this thread may write now. Once the application has returned its
 * iterable, and that waits, the loop's thread may be in the core. */
static int
may_write(const wp_call *call)
{
    if (call == NULL || call->request == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "write called after the response was over");
        return 0;
    }
    if (call->suspended) {
        PyErr_SetString(PyExc_RuntimeError,
                        "write called while the response's iterable is sent");
        return 0;
    }
    return 1;
}

static PyObject *
write_block(wp_call *call, PyObject *block)
{
    if (!may_write(call)) {
        return NULL;
    }
    call->wrote = 1;
    if (PyBytes_GET_SIZE(block) == 0) {
        Py_RETURN_NONE;
    }
    if (!call->head_given && wp_call_give_head(call, -1) < 0) {
        return NULL;
    }
    int result = wp_call_send(call, block);
    if (result == WB_FULL) {
        result = wp_call_wait(call);
    }
    if (result < 0) {
        if (!PyErr_Occurred()) {
            wp_raise_code(result);
        }
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
write_body(PyObject *self, PyObject *const *args, size_t flags,
           PyObject *keywords)
{
    wp_writer *writer = (wp_writer *)self;
    wp_section section;
    if (PyVectorcall_NARGS(flags) != 1 || keywords != NULL
        || !PyBytes_Check(args[0])) {
        PyErr_SetString(PyExc_TypeError, "write() takes one bytes object");
        return NULL;
    }
    wp_section_begin(&section, writer->gate);
    PyObject *result = write_block(writer->call, args[0]);
    wp_section_end(&section);
    return result;
}

/* ---- the type of write -------------------------------------------------- */

static void
writer_dealloc(wp_writer *writer)
{
    PyTypeObject *type = Py_TYPE(writer);
    Py_DECREF(writer->gate);
    PyObject_Free(writer);
    Py_DECREF(type);
}

static PyMemberDef writer_members[] = {
    { "__vectorcalloffset__", T_PYSSIZET, offsetof(wp_writer, vectorcall),
      READONLY, NULL },
    { NULL, 0, 0, 0, NULL },
};

static PyType_Slot writer_slots[] = {
    { Py_tp_dealloc, writer_dealloc },
    { Py_tp_call, PyVectorcall_Call },
    { Py_tp_members, writer_members },
    { Py_tp_doc, "write(data): send body bytes at once." },
    { 0, NULL },
};

PyType_Spec wp_writer_spec = {
    .name = "wsgibench.native._capi.Write",
    .basicsize = sizeof(wp_writer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = writer_slots,
};
