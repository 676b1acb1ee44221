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

/* ---- endings ------------------------------------------------------------
 *
 * Each returns 0, or -1 with an exception that has to leave the server.
 */

/* The application raised, or did what it must not: the client gets a 500, or
 * a connection that ends before the answer does. */
static int
fail(wp_call *call)
{
    PyObject *leaving = wp_log_exception(call->server, call->request) < 0
        ? wp_take_exception()
        : NULL;
    wb_request_error(call->request, 500); /* or abort, if the head is out */
    if (leaving != NULL) {
        wp_set_exception(leaving);
    }
    return wp_call_end(call);
}

static int
never_started(wp_call *call)
{
    PyErr_SetString(PyExc_AssertionError,
                    "the application did not call start_response before its "
                    "first body byte");
    return fail(call);
}

/* The request has been ended. */
static int
complain_of_length(wp_call *call)
{
    PyErr_SetString(PyExc_RuntimeError,
                    "the body is shorter than its Content-Length; the "
                    "connection was closed");
    return wp_log_exception(call->server, NULL);
}

static int
finish(wp_call *call)
{
    if (!call->started) {
        return never_started(call);
    }
    if (!call->head_given && wp_call_give_head(call, -1) < 0) {
        return fail(call);
    }
    if (wb_request_finish(call->request) == WB_STATE) {
        complain_of_length(call);
    }
    return wp_call_end(call);
}

static int
lose_client(wp_call *call)
{
    wb_request_abort(call->request);
    return wp_call_end(call);
}

/* ---- iteration ---------------------------------------------------------- */

static int
put_aside(wp_call *call)
{
    wp_server *server = call->server;
    wp_call_suspend(call);
    call->next = NULL;
    if (server->aside_last != NULL) {
        server->aside_last->next = call;
    } else {
        server->aside_first = call;
    }
    server->aside_last = call;
    server->aside_count++;
    return 0;
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

static PyObject *
next_block(wp_call *call)
{
    wp_call_step_out(call);
    PyObject *block = PyIter_Next(call->iterator);
    wp_call_step_in(call);
    return block;
}

/* All that was announced is out. What the application does after its last
 * block is done, too: a generator that ends by itself need not be closed by an
 * exception. A further block is dropped. */
static int
finish_iteration(wp_call *call)
{
    PyObject *block = next_block(call);
    int error = block == NULL && PyErr_Occurred()
        ? wp_log_exception(call->server, call->request)
        : 0;
    Py_XDECREF(block);
    int ended = finish(call);
    return error < 0 ? error : ended;
}

/* After a block. 1: the next may follow. Otherwise this call is over or waits:
 * 0, or -1 with an exception that has to leave. */
static int
after_block(wp_call *call, int result)
{
    if (result == WB_FULL) {
        if (!call->server->threaded) {
            wp_call_suspend(call); /* WB_RESUME brings it back */
            return 0;
        }
        /* An iteration stays in its thread, for what is thread-local. */
        result = wp_call_wait(call);
    }
    if (result == WB_COMPLETE) {
        /* Nothing was sent to a HEAD: its body is not produced. */
        return call->request->head_sent ? finish_iteration(call)
                                        : finish(call);
    }
    if (result == 0) {
        return 1;
    }
    return PyErr_Occurred() ? fail(call) : lose_client(call);
}

static int
iterate(wp_call *call, int64_t length)
{
    for (int i = 0; i < BURST || call->server->threaded; i++) {
        PyObject *block = next_block(call);
        if (block == NULL) {
            return PyErr_Occurred() ? fail(call) : finish(call);
        }
        int result = send_block(call, block, length);
        Py_DECREF(block);
        result = after_block(call, result);
        if (result != 1) {
            return result;
        }
        if (call->server->stopping) {
            /* While the client takes all that comes at once, whoever else
             * turns the loop may never get its lock, and has to end what has
             * not ended in time. */
            wb_server_poll(call->server->core, 0);
        }
    }
    return put_aside(call);
}

int
wp_call_go_on(wp_call *call)
{
    wp_section section;
    PyObject *gate = Py_NewRef(call->gate);
    wp_section_begin(&section, gate);
    call->section = &section;
    call->suspended = 0;
    /* A file comes back from WB_FULL: it is sent, or the client left. */
    int result = call->sending_file ? finish(call) : iterate(call, -1);
    wp_section_end(&section);
    Py_DECREF(gate);
    return result;
}

/* ---- the three roads ---------------------------------------------------- */

/* A new reference to the only block, if that is what the result is and nothing
 * went before. */
static PyObject *
only_block(const wp_call *call, PyObject *result)
{
    PyObject *block;
    if (!call->started || call->wrote) {
        return NULL;
    }
    if ((PyList_CheckExact(result) && PyList_GET_SIZE(result) == 1)
        || (PyTuple_CheckExact(result) && PyTuple_GET_SIZE(result) == 1)) {
        block = wp_item(result, 0);
    } else {
        return NULL;
    }
    if (block != NULL && !PyBytes_CheckExact(block)) {
        Py_CLEAR(block);
    }
    return block;
}

/* Takes over the reference to the block. */
static int
respond(wp_call *call, PyObject *block)
{
    const wb_head head = wp_call_head(call);
    void *owner = block; /* the core's, if it keeps the bytes */
    int result
        = wb_request_respond(call->request, &head, PyBytes_AS_STRING(block),
                             (size_t)PyBytes_GET_SIZE(block), &owner);
    Py_XDECREF((PyObject *)owner);
    if (result == WB_INVALID || result == WB_NOMEM) {
        wp_raise_head(result, &head);
        return fail(call);
    }
    int error = result == WB_STATE ? complain_of_length(call) : 0;
    wp_call_release(call); /* a list has no close() */
    return error;
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
        PyObject *block = wp_item(result, i);
        if (block == NULL || !PyBytes_Check(block)) {
            Py_XDECREF(block);
            return -1;
        }
        sum += PyBytes_GET_SIZE(block);
        Py_DECREF(block);
    }
    return sum;
}

/* Whether the result is a file that can be sent as one. */
static int
find_file(const wp_call *call, PyObject *result, int64_t *offset,
          int64_t *size)
{
    wp_server *server = call->server;
    return Py_TYPE(result) == server->file_wrapper && call->started
            && !call->wrote
        ? wp_file_behind(server->state, result, offset, size)
        : -1;
}

static int
send_file(wp_call *call, int fd, int64_t offset, int64_t size)
{
    int sent = wp_call_give_head(call, size);
    if (sent < 0) {
        return fail(call);
    }
    if (sent == 0) {
        sent = wb_request_file(call->request, fd, offset, size);
    }
    call->sending_file = 1;
    if (sent == WB_FULL && call->server->threaded) {
        sent = wp_call_wait(call);
    }
    if (sent == WB_FULL) {
        wp_call_suspend(call);
        return 0;
    }
    if (sent >= 0) {
        return finish(call);
    }
    return PyErr_Occurred() ? fail(call) : lose_client(call);
}

static int
answer(wp_call *call, PyObject *result)
{
    int64_t offset, size;
    PyObject *block = only_block(call, result);
    if (block != NULL) {
        return respond(call, block);
    }
    int fd = find_file(call, result, &offset, &size);
    if (fd >= 0) {
        return send_file(call, fd, offset, size);
    }
    wp_call_step_out(call);
    call->iterator = PyObject_GetIter(result);
    wp_call_step_in(call);
    return call->iterator == NULL ? fail(call)
                                  : iterate(call, known_length(call, result));
}

/* The client asks for another protocol: the environ gets what the application
 * can take the connection over with. */
static int
offer_connection(wp_server *server, const wb_request *request, wp_call *call)
{
    if (server->on_upgrade == NULL || !server->threaded || request->tls) {
        return 0;
    }
    PyObject *detach = PyObject_GetAttrString((PyObject *)call, "detach");
    PyObject *done = detach == NULL
        ? NULL
        : PyObject_CallFunctionObjArgs(server->on_upgrade, call->loan.environ,
                                       detach, NULL);
    Py_XDECREF(detach);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

static int
serve(wp_server *server, wb_request *request, wp_section *section)
{
    wp_call *call = wp_call_new(server, request);
    if (call == NULL) {
        int error = wp_log_exception(server, request);
        wb_request_error(request, 503);
        return error;
    }
    call->section = section;
    if (wp_environ_make(server, request, call) < 0
        || (request->upgrade && offer_connection(server, request, call) < 0)) {
        return fail(call);
    }
    PyObject *arguments[] = { NULL, call->loan.environ, (PyObject *)call };
    wp_call_step_out(call);
    call->result = PyObject_Vectorcall(
        server->app, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
    wp_call_step_in(call);
    /* A generator has it until it ends, or is put aside. */
    if (call->result == NULL || !PyGen_CheckExact(call->result)) {
        wp_environ_return(server, call);
    }
    return call->result == NULL ? fail(call) : answer(call, call->result);
}

int
wp_answer(wp_server *server, wb_request *request)
{
    wp_section section;
    if (request->event == WB_RESUME) {
        return wp_call_go_on(request->user);
    }
    wp_section_begin(&section, server->gate);
    int result = serve(server, request, &section);
    wp_section_end(&section);
    return result;
}
