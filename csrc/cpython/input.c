/* wsgi.input: read, readline, readlines, iteration (PEP 3333, "Input and
 * Error Streams").
 *
 * A body that is complete and in memory is read in place. Otherwise bytes
 * come through wb_request_read(), and waiting for them gives the GIL away.
 * Once the answer is out every read raises. Threads may read in turns; one
 * that waits for the client holds the others up, not the server.
 */
#include "module.h"

#include <string.h>

enum { AHEAD = 65536, MOST = 1 << 20, LOOK_MS = 200 /* for signals */ };

wp_input *
wp_input_new(wp_server *server, wp_call *call)
{
    wp_input *input = PyObject_New(wp_input, server->state->input_type);
    if (input == NULL) {
        return NULL;
    }
    input->call = call;
    input->gate = Py_NewRef(server->gate);
    input->data = NULL;
    input->size = 0;
    input->owned = NULL;
    input->lock = NULL;
    input->reader = 0;
    input->finished = call == NULL;
    input->over = 0;
    if (call != NULL) {
        const wb_request *request = call->request;
        if (request->body_complete && request->body != NULL) {
            input->data = request->body;
            input->size = (size_t)request->content_length;
            input->finished = 1;
        } else {
            wp_call_hold(call); /* another thread may read from the core */
        }
    }
    return input;
}

void
wp_input_detach(wp_input *input)
{
    input->call = NULL;
    input->over = 1;
    input->data = NULL;
    input->size = 0;
    PyMem_Free(input->owned);
    input->owned = NULL;
}

static void
input_dealloc(wp_input *input)
{
    PyTypeObject *type = Py_TYPE(input);
    Py_DECREF(input->gate);
    PyMem_Free(input->owned);
    if (input->lock != NULL) {
        PyThread_free_lock(input->lock);
    }
    PyObject_Free(input);
    Py_DECREF(type);
}

/* ---- one reader at a time ----------------------------------------------- */

static int
is_over(const wp_input *input)
{
    if (input->over) {
        PyErr_SetString(PyExc_RuntimeError,
                        "wsgi.input was read after the response was over");
    }
    return input->over;
}

static int
wait_for_lock(wp_input *input)
{
    PyLockStatus status = PyThread_acquire_lock_timed(input->lock, 0, 0);
    int interrupted = 0;
    wp_section_waits(input->gate);
    while (status != PY_LOCK_ACQUIRED && !interrupted) {
        Py_BEGIN_ALLOW_THREADS status = PyThread_acquire_lock_timed(
            input->lock, LOOK_MS * (PY_TIMEOUT_T)1000, 0);
        Py_END_ALLOW_THREADS interrupted
            = status != PY_LOCK_ACQUIRED && PyErr_CheckSignals() < 0;
    }
    wp_section_waited(input->gate);
    return interrupted ? -1 : 0;
}

/* Before reading. A body that is here is read in one go, under the GIL; who
 * may have to wait for more needs the lock. 0 or -1. */
static int
begin(wp_input *input)
{
    if (is_over(input)) {
        return -1;
    }
    if (input->finished) {
        return 0;
    }
    if (input->lock == NULL) {
        input->lock = PyThread_allocate_lock();
        if (input->lock == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    if (input->reader == PyThread_get_thread_ident()) {
        PyErr_SetString(PyExc_RuntimeError,
                        "wsgi.input is being read by this thread");
        return -1;
    }
    if (wait_for_lock(input) < 0) {
        return -1;
    }
    input->reader = PyThread_get_thread_ident();
    return 0;
}

static PyObject *
end(wp_input *input, PyObject *result)
{
    if (input->reader == PyThread_get_thread_ident()) {
        input->reader = 0;
        PyThread_release_lock(input->lock);
    }
    return result;
}

/* ---- bytes of the core -------------------------------------------------- */

/* Waits without the GIL. 0, WB_AGAIN, another error of the core, or -1 with an
 * exception. The core's deadlines end a wait for a silent client. */
static int
await_body(wb_request *request, PyObject *gate)
{
    int error;
    /* Another thread may end the call meanwhile. */
    wb_request_hold(request);
    wp_section_waits(gate);
    Py_BEGIN_ALLOW_THREADS error = wb_request_wait(request, 1, LOOK_MS);
    Py_END_ALLOW_THREADS wb_request_release(request);
    wp_section_waited(gate);
    return PyErr_CheckSignals() < 0 ? -1 : error;
}

/* Bytes into `out`: how many, 0 at the end, -1 with an exception. */
static int64_t
pull(wp_input *input, char *out, size_t size)
{
    for (;;) {
        if (is_over(input)) {
            return -1;
        }
        if (input->finished) {
            return 0;
        }
        wb_request *request = input->call->request;
        int64_t n = wb_request_read(request, out, size);
        if (n == WB_AGAIN) {
            n = await_body(request, input->gate);
            if (n == 0 || n == WB_AGAIN || n == WB_OVER) {
                continue;
            }
        }
        if (n < 0) {
            if (!PyErr_Occurred()) {
                wp_raise_code((int)n);
            }
            return -1;
        }
        input->finished = n == 0;
        return n;
    }
}

static size_t
taken(wp_input *input, size_t size)
{
    input->data += size;
    input->size -= size;
    return size;
}

/* read(): all there is; read(size): as much as that, less only at the end. */
static PyObject *
read_bytes(wp_input *input, Py_ssize_t limit)
{
    size_t size = limit < 0 ? PY_SSIZE_T_MAX : (size_t)limit;
    size_t used = input->size < size ? input->size : size;
    size_t more = limit < 0 ? AHEAD : MOST; /* a huge size is no promise */
    size_t room = input->finished ? used
        : size - used < more      ? size
                                  : used + more;
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room);
    if (bytes == NULL) {
        return NULL;
    }
    if (used > 0) {
        memcpy(PyBytes_AS_STRING(bytes), input->data, used);
        taken(input, used);
    }
    while (used < size && !input->finished) {
        if (used == room) {
            room = room < size / 2 ? room * 2 : size;
            if (_PyBytes_Resize(&bytes, (Py_ssize_t)room) < 0) {
                return NULL;
            }
        }
        int64_t n = pull(input, PyBytes_AS_STRING(bytes) + used, room - used);
        if (n < 0) {
            Py_DECREF(bytes);
            return NULL;
        }
        used += (size_t)n;
    }
    if (used != room) {
        _PyBytes_Resize(&bytes, (Py_ssize_t)used);
    }
    return bytes;
}

/* None and negative numbers mean "no limit" to file objects. */
static int
read_size(PyObject *const *args, Py_ssize_t count, const char *name,
          Py_ssize_t *size)
{
    *size = -1;
    if (count > 1) {
        PyErr_Format(PyExc_TypeError,
                     "%s() takes at most 1 argument (%zd given)", name, count);
        return -1;
    }
    if (count == 1 && args[0] != Py_None) {
        *size = PyNumber_AsSsize_t(args[0], PyExc_OverflowError);
        if (*size == -1 && PyErr_Occurred()
            && PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyObject *too_large = wp_take_exception();
            *size = PyNumber_AsSsize_t(args[0], NULL); /* the nearest */
            if (*size != PY_SSIZE_T_MIN) {
                wp_set_exception(too_large);
                return -1;
            }
            Py_DECREF(too_large);
        }
        if (*size == -1 && PyErr_Occurred()) {
            return -1;
        }
    }
    return 0;
}

/* More bytes behind those in hand. 1: some came, 0: the end, -1. */
static int
read_ahead(wp_input *input)
{
    size_t held = input->size;
    if (input->finished) {
        return 0;
    }
    char *room = PyMem_Malloc(held + AHEAD);
    if (room == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    if (held > 0) {
        memcpy(room, input->data, held);
    }
    int64_t n = pull(input, room + held, AHEAD);
    if (n <= 0) {
        PyMem_Free(room);
        return (int)n;
    }
    PyMem_Free(input->owned);
    input->owned = room;
    input->data = room;
    input->size = held + (size_t)n;
    return 1;
}

/* Up to and with LF, at most `limit` bytes (-1: none); b"" at the end. */
static PyObject *
next_line(wp_input *input, Py_ssize_t limit)
{
    size_t searched = 0;
    for (;;) {
        size_t size = input->size;
        if (limit >= 0 && (size_t)limit < size) {
            size = (size_t)limit;
        }
        const char *lf = size > searched
            ? memchr(input->data + searched, '\n', size - searched)
            : NULL;
        if (lf != NULL) {
            size = (size_t)(lf - input->data) + 1;
        }
        if (lf != NULL || (limit >= 0 && size == (size_t)limit)) {
            const char *data = input->data;
            taken(input, size);
            return PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
        }
        searched = size;
        int more = read_ahead(input);
        if (more < 0) {
            return NULL;
        }
        if (more == 0) {
            const char *data = input->data;
            taken(input, size);
            return PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
        }
    }
}

/* Lines until about `hint` bytes, or the end. */
static PyObject *
read_lines(wp_input *input, Py_ssize_t hint)
{
    Py_ssize_t total = 0;
    PyObject *lines = PyList_New(0);
    while (lines != NULL) {
        PyObject *line = next_line(input, -1);
        if (line == NULL || PyBytes_GET_SIZE(line) == 0) {
            int failed = line == NULL;
            Py_XDECREF(line);
            if (failed) {
                Py_CLEAR(lines);
            }
            return lines;
        }
        total += PyBytes_GET_SIZE(line);
        if (PyList_Append(lines, line) < 0) {
            Py_CLEAR(lines);
        }
        Py_DECREF(line);
        if (hint > 0 && total >= hint) {
            return lines;
        }
    }
    return lines;
}

/* ---- the methods -------------------------------------------------------- */

/* By one thread at a time. */
static PyObject *
in_turn(wp_input *input, PyObject *(*read)(wp_input *, Py_ssize_t),
        Py_ssize_t size)
{
    wp_section section;
    wp_section_begin(&section, input->gate);
    PyObject *result = begin(input) < 0 ? NULL : end(input, read(input, size));
    wp_section_end(&section);
    return result;
}

static PyObject *
input_read(wp_input *input, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t size;
    return read_size(args, count, "read", &size) < 0
        ? NULL
        : in_turn(input, read_bytes, size);
}

static PyObject *
input_readline(wp_input *input, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t size;
    return read_size(args, count, "readline", &size) < 0
        ? NULL
        : in_turn(input, next_line, size);
}

static PyObject *
input_readlines(wp_input *input, PyObject *const *args, Py_ssize_t count)
{
    Py_ssize_t hint;
    return read_size(args, count, "readlines", &hint) < 0
        ? NULL
        : in_turn(input, read_lines, hint);
}

static PyObject *
input_next(wp_input *input)
{
    PyObject *line = in_turn(input, next_line, -1);
    if (line != NULL && PyBytes_GET_SIZE(line) == 0) {
        Py_CLEAR(line); /* the end: NULL without an exception */
    }
    return line;
}

static PyMethodDef input_methods[] = {
    { "read", (PyCFunction)(void (*)(void))input_read, METH_FASTCALL,
      "read([size]) -> bytes: size bytes, fewer only at the end." },
    { "readline", (PyCFunction)(void (*)(void))input_readline, METH_FASTCALL,
      "readline([size]) -> bytes: up to and with the next LF." },
    { "readlines", (PyCFunction)(void (*)(void))input_readlines, METH_FASTCALL,
      "readlines([hint]) -> list of bytes." },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot input_slots[] = {
    { Py_tp_dealloc, input_dealloc },
    { Py_tp_iter, PyObject_SelfIter },
    { Py_tp_iternext, input_next },
    { Py_tp_methods, input_methods },
    { Py_tp_doc, "wsgi.input: the body of one request, a binary stream." },
    { 0, NULL },
};

PyType_Spec wp_input_spec = {
    .name = "wsgibench.native._capi.Input",
    .basicsize = sizeof(wp_input),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = input_slots,
};
