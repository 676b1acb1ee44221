/* From what the application returns to bytes for the client.
 *
 * The three roads, quickest first: one bytes object (head and body in one call
 * of the core), a list or tuple of them (the length is known), any other
 * iterable (sent block by block as it yields). A client that is slow, or one
 * iterable that never ends, gives way to the others: the iteration is put
 * aside in the call and gone on with later. close() is called once, whatever
 * happened.
 */
#include "module.h"

enum { BURST = 16 }; /* blocks of one iterable before others get their turn */

/* ---- endings ------------------------------------------------------------ */

static void
close_result(wp_call *call)
{
    wp_server *server = call->server;
    PyObject *result = call->result;
    if (result == NULL || PyList_CheckExact(result)
        || PyTuple_CheckExact(result)) {
        return;
    }
    PyObject *close = PyObject_GetAttr(result, server->state->words.close);
    if (close == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            wp_log_exception(server);
        }
        PyErr_Clear();
        return;
    }
    PyObject *done = PyObject_CallNoArgs(close);
    Py_DECREF(close);
    if (done == NULL) {
        wp_log_exception(server);
    }
    Py_XDECREF(done);
}

/* The request has been ended; now the application's side. wsgi.input is let
 * go of first: its bytes belonged to the request. */
static void
end(wp_call *call)
{
    call->request = NULL;
    if (call->input != NULL) {
        wp_input_detach(call->input);
    }
    close_result(call);
    wp_call_release(call);
}

/* The application raised, or did what it must not: the client gets a 500, or
 * a connection that ends before the answer does. */
static void
fail(wp_call *call)
{
    wb_request *request = call->request;
    wp_log_exception(call->server);
    if (call->input != NULL) {
        wp_input_detach(call->input);
    }
    wb_request_error(request, 500); /* or abort, if the head is out */
    end(call);
}

static void
never_started(wp_call *call)
{
    PyErr_SetString(PyExc_AssertionError,
                    "the application did not call start_response before its "
                    "first body byte");
    fail(call);
}

static void
finish(wp_call *call)
{
    if (!call->started) {
        never_started(call);
        return;
    }
    if (!call->head_given && wp_call_give_head(call, -1) < 0) {
        fail(call);
        return;
    }
    int result = wb_request_finish(call->request);
    if (result == WB_STATE) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the body is shorter than its Content-Length; the "
                        "connection was closed");
        wp_log_exception(call->server);
    }
    end(call);
}

static void
lose_client(wp_call *call)
{
    wb_request_abort(call->request);
    end(call);
}

/* ---- iteration ---------------------------------------------------------- */

static void
put_aside(wp_call *call)
{
    wp_server *server = call->server;
    call->next = NULL;
    if (server->resume_last != NULL) {
        server->resume_last->next = call;
    } else {
        server->resume_first = call;
    }
    server->resume_last = call;
}

/* One block. 0: go on, WB_COMPLETE, WB_FULL, below 0: over, -1 with an
 * exception. */
static int
send_block(wp_call *call, PyObject *block, int64_t length)
{
    if (!PyBytes_Check(block)) {
        PyErr_Format(PyExc_TypeError,
                     "the application must yield bytes, not %.100s",
                     Py_TYPE(block)->tp_name);
        return -1;
    }
    if (PyBytes_GET_SIZE(block) == 0) {
        return 0; /* the head stays changeable until there is a byte */
    }
    if (!call->started) {
        PyErr_SetString(PyExc_AssertionError,
                        "the application did not call start_response before "
                        "its first body byte");
        return -1;
    }
    if (!call->head_given) {
        int given = wp_call_give_head(call, length);
        if (given != 0) {
            return given < 0 ? -1 : given;
        }
    }
    return wp_call_send(call, block);
}

/* After a block. 1: the next may follow, 0: this call is over or put
 * aside. */
static int
after_block(wp_call *call, int result)
{
    if (result == WB_FULL) {
        if (!call->server->threaded) {
            return 0; /* WB_RESUME brings it back */
        }
        /* An iteration stays in its thread, for what is thread-local. */
        result = wp_call_wait(call, 0);
    }
    if (result == WB_COMPLETE) {
        finish(call);
        return 0;
    }
    if (result == 0) {
        return 1;
    }
    if (PyErr_Occurred()) {
        fail(call);
    } else {
        lose_client(call);
    }
    return 0;
}

static void
iterate(wp_call *call, int64_t length)
{
    for (int i = 0; i < BURST || call->server->threaded; i++) {
        PyObject *block = PyIter_Next(call->iterator);
        if (block == NULL) {
            if (PyErr_Occurred()) {
                fail(call);
            } else {
                finish(call);
            }
            return;
        }
        int result = send_block(call, block, length);
        Py_DECREF(block);
        if (after_block(call, result) == 0) {
            return;
        }
    }
    put_aside(call);
}

void
wp_call_go_on(wp_call *call)
{
    if (call->sending_file) {
        finish(call); /* back from WB_FULL: it is sent, or the client left */
    } else {
        iterate(call, -1);
    }
}

/* ---- the three roads ---------------------------------------------------- */

/* The only block, if that is what the result is and nothing went before. */
static PyObject *
only_block(const wp_call *call, PyObject *result)
{
    PyObject *block;
    if (!call->started || call->wrote) {
        return NULL;
    }
    if (PyList_CheckExact(result) && PyList_GET_SIZE(result) == 1) {
        block = PyList_GET_ITEM(result, 0);
    } else if (PyTuple_CheckExact(result) && PyTuple_GET_SIZE(result) == 1) {
        block = PyTuple_GET_ITEM(result, 0);
    } else {
        return NULL;
    }
    return PyBytes_CheckExact(block) ? block : NULL;
}

static void
respond(wp_call *call, PyObject *block)
{
    const wb_head head = wp_call_head(call);
    void *owner = Py_NewRef(block); /* the core's, if it keeps the bytes */
    int result
        = wb_request_respond(call->request, &head, PyBytes_AS_STRING(block),
                             (size_t)PyBytes_GET_SIZE(block), &owner);
    Py_XDECREF((PyObject *)owner);
    if (result == WB_INVALID || result == WB_NOMEM) {
        wp_raise_code(result);
        fail(call);
        return;
    }
    if (result == WB_STATE) {
        PyErr_SetString(PyExc_RuntimeError,
                        "the body is shorter than its Content-Length; the "
                        "connection was closed");
        wp_log_exception(call->server);
    }
    wp_call_release(call); /* a list has no close() */
}

/* The sum of the blocks, or -1 if they are not all bytes here and now. */
static int64_t
known_length(const wp_call *call, PyObject *result)
{
    int64_t sum = 0;
    if (call->wrote
        || !(PyList_CheckExact(result) || PyTuple_CheckExact(result))) {
        return -1;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(result); i++) {
        PyObject *block = PySequence_Fast_GET_ITEM(result, i);
        if (!PyBytes_Check(block)) {
            return -1;
        }
        sum += PyBytes_GET_SIZE(block);
    }
    return sum;
}

/* 1: the file is on its way (or it has failed), 0: read it like any other. */
static int
send_file(wp_call *call, PyObject *result)
{
    wp_state *state = call->server->state;
    int64_t offset, size;
    if (Py_TYPE(result) != state->file_wrapper_type || !call->started
        || call->wrote) {
        return 0;
    }
    int fd = wp_file_behind(state, result, &offset, &size);
    if (fd < 0) {
        return 0;
    }
    int sent = wp_call_give_head(call, size);
    if (sent < 0) {
        fail(call);
        return 1;
    }
    if (sent == 0 && size > 0) {
        sent = wb_request_file(call->request, fd, offset, size);
    }
    call->sending_file = 1;
    if (sent == WB_FULL && call->server->threaded) {
        sent = wp_call_wait(call, 0);
    }
    if (sent == 0 || sent == WB_COMPLETE) {
        finish(call);
    } else if (sent < 0) {
        PyErr_Clear();
        lose_client(call);
    }
    return 1;
}

static void
answer(wp_call *call, PyObject *result)
{
    PyObject *block = only_block(call, result);
    if (block != NULL) {
        respond(call, block);
        return;
    }
    if (send_file(call, result)) {
        return;
    }
    call->iterator = PyObject_GetIter(result);
    if (call->iterator == NULL) {
        fail(call);
        return;
    }
    iterate(call, known_length(call, result));
}

void
wp_answer(wp_server *server, wb_request *request)
{
    if (request->event == WB_RESUME) {
        wp_call_go_on(request->user);
        return;
    }
    wp_call *call = wp_call_new(server, request);
    if (call == NULL) {
        wp_log_exception(server);
        wb_request_error(request, 503);
        return;
    }
    if (wp_environ_make(server, request, call) < 0) {
        fail(call);
        return;
    }
    PyObject *arguments[] = { NULL, call->loan.environ, (PyObject *)call };
    call->result = PyObject_Vectorcall(
        server->app, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    wp_environ_return(server, call);
    if (call->result == NULL) {
        fail(call);
    } else {
        answer(call, call->result);
    }
}
