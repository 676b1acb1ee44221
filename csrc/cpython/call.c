/* The life of a call: one request, from the moment the core hands it over
 * until its answer is out or given up and the application's close() has run.
 *
 * The server owns its live calls; they are all on its list. A call that is
 * over refers to neither request nor server; start_response and others may
 * still refer to it. */
#include "module.h"

#include <stddef.h>
#include <structmember.h>

static void
link_call(wp_call *call, wp_server *server)
{
    call->server = server;
    call->live_prev = NULL;
    call->live_next = server->calls;
    if (server->calls != NULL) {
        server->calls->live_prev = call;
    }
    server->calls = call;
}

static void
unlink_call(wp_call *call)
{
    if (call->live_prev != NULL) {
        call->live_prev->live_next = call->live_next;
    } else {
        call->server->calls = call->live_next;
    }
    if (call->live_next != NULL) {
        call->live_next->live_prev = call->live_prev;
    }
    call->server = NULL;
}

static wp_call *
make_call(wp_server *server)
{
    wp_call *call = server->free_calls;
    if (call != NULL) {
        server->free_calls = call->next;
        server->free_count--;
        return call;
    }
    call = PyObject_GC_New(wp_call, server->state->call_type);
    if (call == NULL) {
        return NULL;
    }
    call->vectorcall = wp_start_response;
    call->gate = Py_NewRef(server->gate);
    call->result = call->iterator = NULL;
    call->input = NULL;
    call->writer = NULL;
    call->loan.environ = NULL;
    call->loan.slot = NULL;
    call->block = call->block_inline;
    call->block_room = WP_BLOCK;
    return call;
}

wp_call *
wp_call_new(wp_server *server, wb_request *request)
{
    wp_call *call = make_call(server);
    if (call == NULL) {
        return NULL;
    }
    call->next = NULL;
    call->request = request;
    call->held = NULL;
    call->section = NULL;
    call->started = call->head_given = call->detached = 0;
    call->wrote = call->sending_file = call->suspended = 0;
    request->user = call;
    link_call(call, server);
    return call;
}

void
wp_call_hold(wp_call *call)
{
    /* Without a request its answer is out, and its close() runs. */
    if (call->held == NULL && call->request != NULL) {
        call->held = call->request;
        wb_request_hold(call->held);
    }
}

/* A call that waits is the server's alone, so the collector may see it. */
void
wp_call_suspend(wp_call *call)
{
    call->suspended = 1;
    call->section = NULL;
    wp_environ_return(call->server, call);
    if (!PyObject_GC_IsTracked((PyObject *)call)) {
        PyObject_GC_Track(call);
    }
}

void
wp_call_step_out(wp_call *call)
{
    if (call->section != NULL) {
        wp_section_end(call->section);
    }
}

void
wp_call_step_in(wp_call *call)
{
    if (call->section != NULL) {
        wp_section_begin(call->section, call->gate);
    }
}

/* ---- the end ------------------------------------------------------------ */

/* What the application may still hold says from now on that it is over. */
static void
detach(wp_call *call)
{
    call->request = NULL;
    if (call->input != NULL) {
        wp_input_detach(call->input);
    }
    if (call->writer != NULL) {
        call->writer->call = NULL;
    }
}

void
wp_call_disown(wp_call *call)
{
    unlink_call(call);
    detach(call);
    if (PyObject_GC_IsTracked((PyObject *)call)) {
        PyObject_GC_UnTrack(call);
    }
}

static int
close_result(wp_call *call)
{
    wp_server *server = call->server;
    PyObject *result = call->result;
    if (result == NULL || PyList_CheckExact(result)
        || PyTuple_CheckExact(result)) {
        return 0;
    }
    wp_call_step_out(call);
    PyObject *close = PyObject_GetAttr(result, server->state->words.close);
    PyObject *done = close == NULL ? NULL
        : close == Py_None         ? Py_NewRef(Py_None) /* as if it had none */
                                   : PyObject_CallNoArgs(close);
    wp_call_step_in(call);
    if (close == NULL) {
        if (PyErr_ExceptionMatches(PyExc_AttributeError)) {
            PyErr_Clear();
            return 0;
        }
        return wp_log_exception(server, NULL);
    }
    Py_DECREF(close);
    Py_XDECREF(done);
    return done == NULL ? wp_log_exception(server, NULL) : 0;
}

void
wp_call_release(wp_call *call)
{
    wp_server *server = call->server;
    unlink_call(call);
    detach(call);
    if (call->held != NULL) {
        wb_request_release(call->held);
        call->held = NULL;
    }
    if (PyObject_GC_IsTracked((PyObject *)call)) {
        PyObject_GC_UnTrack(call);
    }
    Py_CLEAR(call->iterator);
    Py_CLEAR(call->result);
    wp_environ_return(server, call);
    Py_CLEAR(call->input);
    if (call->writer != NULL && Py_REFCNT(call->writer) > 1) {
        Py_CLEAR(call->writer);
    }
    wp_block_drop(call);
    if (Py_REFCNT(call) == 1 && server->free_count < WP_FREE) {
        call->next = server->free_calls;
        server->free_calls = call;
        server->free_count++;
    } else {
        Py_DECREF(call);
    }
}

int
wp_call_end(wp_call *call)
{
    PyObject *leaving = PyErr_Occurred() ? wp_take_exception() : NULL;
    detach(call);
    int error = close_result(call);
    wp_call_release(call);
    if (leaving == NULL) {
        return error;
    }
    if (error < 0) {
        PyErr_Clear();
    }
    wp_set_exception(leaving);
    return -1;
}

/* ---- the type ----------------------------------------------------------- */

static int
call_traverse(wp_call *call, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(call));
    Py_VISIT(call->iterator);
    Py_VISIT(call->result);
    Py_VISIT(call->input);
    Py_VISIT(call->writer);
    Py_VISIT(call->loan.environ);
    return 0;
}

static int
call_clear(wp_call *call)
{
    Py_CLEAR(call->iterator);
    Py_CLEAR(call->result);
    Py_CLEAR(call->loan.environ);
    return 0;
}

static void
call_dealloc(wp_call *call)
{
    PyTypeObject *type = Py_TYPE(call);
    wp_section section;
    PyObject_GC_UnTrack(call);
    call_clear(call);
    Py_CLEAR(call->input);
    if (call->writer != NULL) {
        wp_section_begin(&section, call->gate);
        call->writer->call = NULL;
        wp_section_end(&section);
        Py_CLEAR(call->writer);
    }
    wp_block_drop(call);
    Py_DECREF(call->gate);
    PyObject_GC_Del(call);
    Py_DECREF(type);
}

static PyMemberDef call_members[] = {
    { "__vectorcalloffset__", T_PYSSIZET, offsetof(wp_call, vectorcall),
      READONLY, NULL },
    { NULL, 0, 0, 0, NULL },
};

enum { EARLY = 4096 };

static PyObject *
detach_connection(wp_call *call)
{
    size_t room = EARLY, size = 0;
    int fd = WB_INVALID;
    if (call->request == NULL) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the connection is taken over while its request is "
                        "served, or never");
        return NULL;
    }
    while (fd == WB_INVALID) {
        PyObject *early = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room);
        if (early == NULL) {
            return NULL;
        }
        fd = wb_request_detach(call->request, PyBytes_AS_STRING(early), room,
                               &size);
        if (fd >= 0) {
            call->started = call->head_given = call->wrote = 1;
            call->detached = 1;
        }
        if (fd >= 0 && _PyBytes_Resize(&early, (Py_ssize_t)size) == 0) {
            return Py_BuildValue("iN", fd, early);
        }
        Py_XDECREF(early);
        room = size;
    }
    return fd >= 0 ? NULL : wp_raise_code(fd);
}

static PyObject *
call_detach(wp_call *call, PyObject *unused)
{
    wp_section section;
    (void)unused;
    wp_section_begin(&section, call->gate);
    PyObject *result = detach_connection(call);
    wp_section_end(&section);
    return result;
}

static PyMethodDef call_methods[] = {
    { "detach", (PyCFunction)call_detach, METH_NOARGS,
      "detach() -> (descriptor, bytes that came after the request): the "
      "connection is the application's." },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot call_slots[] = {
    { Py_tp_dealloc, call_dealloc },
    { Py_tp_traverse, call_traverse },
    { Py_tp_clear, call_clear },
    { Py_tp_call, PyVectorcall_Call },
    { Py_tp_members, call_members },
    { Py_tp_methods, call_methods },
    { Py_tp_doc,
      "start_response(status, response_headers, exc_info=None) -> write" },
    { 0, NULL },
};

PyType_Spec wp_call_spec = {
    .name = "wsgibench.native._capi.StartResponse",
    .basicsize = sizeof(wp_call),
    .flags
    = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL,
    .slots = call_slots,
};
