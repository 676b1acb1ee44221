/* LoadGenerator: the load generator's public C interface, as it is. */
#include "keywords.h"
#include "module.h"

#include <string.h>

#include "wsgibench_load.h"

typedef struct wp_load {
    PyObject_HEAD wl_load *load; /* NULL: closed */
} wp_load;

#define FIELD(name, kind) { #name, kind, offsetof(wl_config, name) },
static const wp_keyword fields[] = {
#include "load_fields.h"
    { NULL, U8, 0 },
};

static PyObject *
load_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *name, *value;
    Py_ssize_t at = 0;
    wl_config config;
    if (!PyArg_ParseTuple(args, ":LoadGenerator")) {
        return NULL;
    }
    wl_config_init(&config);
    while (keywords != NULL && PyDict_Next(keywords, &at, &name, &value)) {
        if (wp_keyword_put(&config, fields, "LoadGenerator", name, value)
            < 0) {
            return NULL;
        }
    }
    wp_load *self = (wp_load *)type->tp_alloc(type, 0);
    int error = self == NULL ? 0 : wl_new(&config, &self->load);
    if (error < 0) {
        wp_raise_code(error);
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

static void
load_dealloc(wp_load *self)
{
    PyTypeObject *type = Py_TYPE(self);
    wl_free(self->load);
    type->tp_free(self);
    Py_DECREF(type);
}

static wl_load *
open_load(wp_load *self)
{
    if (self->load == NULL) {
        PyErr_SetString(PyExc_ValueError, "the load generator is closed");
    }
    return self->load;
}

/* ---- what is sent ------------------------------------------------------- */

static PyObject *
number_or_error(int number)
{
    return number < 0 ? wp_raise_code(number) : PyLong_FromLong(number);
}

/* A list of integers; NULL with an exception. To be freed. */
static uint32_t *
read_numbers(PyObject *list, Py_ssize_t *count)
{
    PyObject *fast = PySequence_Fast(list, "a list of integers is needed");
    if (fast == NULL) {
        return NULL;
    }
    *count = PySequence_Fast_GET_SIZE(fast);
    uint32_t *numbers = PyMem_Calloc((size_t)*count + 1, sizeof(uint32_t));
    if (numbers == NULL) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; numbers != NULL && i < *count; i++) {
        PyObject *item = PySequence_Fast_GET_ITEM(fast, i);
        if (wp_number_put(&numbers[i], U32, item) < 0) {
            PyMem_Free(numbers);
            numbers = NULL;
        }
    }
    Py_DECREF(fast);
    return numbers;
}

/* The texts of a pool: joined bytes and where each ends. */
static int
join(PyObject *list, PyObject **joined, uint32_t **ends)
{
    Py_ssize_t count = PyList_GET_SIZE(list);
    PyObject *empty = PyBytes_FromStringAndSize("", 0);
    if (empty == NULL) {
        return -1;
    }
    *joined = PyObject_CallMethod(empty, "join", "O", list);
    Py_DECREF(empty);
    if (*joined == NULL) {
        return -1;
    }
    if (PyBytes_GET_SIZE(*joined) > (Py_ssize_t)UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "more than 4 GiB of bytes");
        return -1;
    }
    *ends = PyMem_Calloc((size_t)count + 1, sizeof(uint32_t));
    if (*ends == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    uint32_t end = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PyList_GET_ITEM(list, i);
        if (!PyBytes_Check(item)) {
            PyErr_SetString(PyExc_TypeError, "a list of bytes is needed");
            return -1;
        }
        end += (uint32_t)PyBytes_GET_SIZE(item);
        (*ends)[i] = end;
    }
    return 0;
}

static PyObject *
load_add_pool(wp_load *self, PyObject *args)
{
    PyObject *texts, *keep, *alias, *joined = NULL, *number = NULL;
    uint32_t *ends = NULL, *kept = NULL, *other = NULL;
    Py_ssize_t kept_count, other_count;
    if (!PyArg_ParseTuple(args, "O!OO:add_pool", &PyList_Type, &texts, &keep,
                          &alias)
        || open_load(self) == NULL) {
        return NULL;
    }
    Py_ssize_t count = PyList_GET_SIZE(texts);
    if (join(texts, &joined, &ends) == 0
        && (kept = read_numbers(keep, &kept_count)) != NULL
        && (other = read_numbers(alias, &other_count)) != NULL) {
        wl_pool pool = { .text = PyBytes_AS_STRING(joined),
                         .ends = ends,
                         .count = (uint32_t)count };
        if (kept_count == count && other_count == count) {
            pool.keep = kept;
            pool.alias = other;
        }
        number = number_or_error(wl_add_pool(self->load, &pool));
    }
    Py_XDECREF(joined);
    PyMem_Free(ends);
    PyMem_Free(kept);
    PyMem_Free(other);
    return number;
}

/* bytes, or (kind, width, draw, first, last). The text is borrowed. */
static int
read_piece(PyObject *item, wl_piece *piece)
{
    unsigned long long first, last;
    if (PyBytes_Check(item)) {
        *piece = (wl_piece) { .kind = WL_TEXT,
                              .text = PyBytes_AS_STRING(item),
                              .size = (size_t)PyBytes_GET_SIZE(item) };
        return 0;
    }
    if (!PyTuple_Check(item)) {
        PyErr_SetString(PyExc_TypeError, "a piece is bytes or a tuple");
        return -1;
    }
    *piece = (wl_piece) { 0 };
    if (!PyArg_ParseTuple(item, "IIIKK", &piece->kind, &piece->width,
                          &piece->draw, &first, &last)) {
        return -1;
    }
    piece->first = first;
    piece->last = last;
    return 0;
}

static wl_piece *
read_pieces(PyObject *list)
{
    Py_ssize_t count = PyList_GET_SIZE(list);
    wl_piece *pieces = PyMem_Calloc((size_t)count + 1, sizeof(*pieces));
    if (pieces == NULL) {
        PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; pieces != NULL && i < count; i++) {
        if (read_piece(PyList_GET_ITEM(list, i), &pieces[i]) < 0) {
            PyMem_Free(pieces);
            pieces = NULL;
        }
    }
    return pieces;
}

static PyObject *
add_request(wl_load *load, wl_request *request, PyObject *list,
            PyObject *allowed)
{
    Py_ssize_t count;
    wl_piece *pieces = read_pieces(list);
    uint32_t *statuses = pieces == NULL ? NULL : read_numbers(allowed, &count);
    PyObject *number = NULL;
    if (statuses != NULL) {
        request->pieces = pieces;
        request->piece_count = (uint32_t)PyList_GET_SIZE(list);
        request->statuses = statuses;
        request->status_count = (uint32_t)count;
        number = number_or_error(wl_add_request(load, request));
    }
    PyMem_Free(statuses);
    PyMem_Free(pieces);
    return number;
}

static PyObject *
load_add_request(wp_load *self, PyObject *args)
{
    PyObject *list, *allowed, *body;
    unsigned long long length;
    int is_head, closes;
    wl_request request = { 0 };
    if (!PyArg_ParseTuple(args, "O!IppbOSK:add_request", &PyList_Type, &list,
                          &request.route, &is_head, &closes,
                          &request.check_body, &allowed, &body, &length)
        || open_load(self) == NULL) {
        return NULL;
    }
    request.is_head = (uint8_t)is_head;
    request.closes = (uint8_t)closes;
    request.body = PyBytes_AS_STRING(body);
    request.body_size
        = request.check_body == 1 ? (uint64_t)PyBytes_GET_SIZE(body) : length;
    return add_request(self->load, &request, list, allowed);
}

static PyObject *
load_add_stage(wp_load *self, PyObject *args)
{
    double seconds, start, end;
    if (!PyArg_ParseTuple(args, "ddd:add_stage", &seconds, &start, &end)
        || open_load(self) == NULL) {
        return NULL;
    }
    return number_or_error(wl_add_stage(self->load, seconds, start, end));
}

static PyObject *
load_set_order(wp_load *self, PyObject *list)
{
    Py_ssize_t count;
    uint32_t *order
        = open_load(self) == NULL ? NULL : read_numbers(list, &count);
    if (order == NULL) {
        return NULL;
    }
    int error = wl_set_order(self->load, order, (size_t)count);
    PyMem_Free(order);
    return number_or_error(error);
}

static PyObject *
load_poll(wp_load *self, PyObject *timeout)
{
    double seconds = PyFloat_AsDouble(timeout);
    int running;
    if ((seconds == -1.0 && PyErr_Occurred()) || open_load(self) == NULL) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS running
        = wl_poll(self->load, (int)(seconds * 1000));
    Py_END_ALLOW_THREADS return running < 0 ? wp_raise_code(running)
                                            : PyBool_FromLong(running);
}

static PyObject *
load_stop(wp_load *self, PyObject *unused)
{
    (void)unused;
    if (open_load(self) == NULL) {
        return NULL;
    }
    wl_stop(self->load);
    Py_RETURN_NONE;
}

static PyObject *
load_set_users(wp_load *self, PyObject *number)
{
    unsigned long users = PyLong_AsUnsignedLong(number);
    if (PyErr_Occurred() || open_load(self) == NULL) {
        return NULL;
    }
    users = users > UINT32_MAX ? UINT32_MAX : users;
    return number_or_error(wl_set_users(self->load, (uint32_t)users));
}

static PyObject *
load_live(wp_load *self, PyObject *unused)
{
    (void)unused;
    wl_live live;
    if (open_load(self) == NULL) {
        return NULL;
    }
    wl_live_now(self->load, &live);
    return Py_BuildValue("{sK,sK,sK,sK,sK,sK,sK}", "ok", live.ok, "failed",
                         live.failed, "sent", live.sent, "connected",
                         live.connected, "elapsed_ns", live.elapsed_ns,
                         "p50_ns", live.p50_ns, "p99_ns", live.p99_ns);
}

static PyObject *
load_result(wp_load *self, PyObject *unused)
{
    (void)unused;
    const char *text;
    size_t size;
    if (open_load(self) == NULL) {
        return NULL;
    }
    int error = wl_result(self->load, &text, &size);
    return error < 0 ? wp_raise_code(error)
                     : PyUnicode_FromStringAndSize(text, (Py_ssize_t)size);
}

static PyObject *
load_close(wp_load *self, PyObject *unused)
{
    (void)unused;
    wl_load *load = self->load;
    self->load = NULL;
    wl_free(load);
    Py_RETURN_NONE;
}

static PyObject *
load_has_tls(PyObject *type, PyObject *unused)
{
    (void)type;
    (void)unused;
    return PyBool_FromLong(wl_has_tls());
}

static PyObject *
load_yardstick(PyObject *type, PyObject *unused)
{
    (void)type;
    (void)unused;
    PyThreadState *thread = PyEval_SaveThread();
    uint64_t used = wl_yardstick();
    PyEval_RestoreThread(thread);
    return used == 0 ? PyErr_NoMemory() : PyLong_FromUnsignedLongLong(used);
}

static PyMethodDef load_methods[] = {
    { "has_tls", load_has_tls, METH_NOARGS | METH_STATIC,
      "Whether `tls` can be asked for." },
    { "yardstick", load_yardstick, METH_NOARGS | METH_STATIC,
      "yardstick() -> int: nanoseconds of CPU that a fixed piece of work "
      "takes now." },
    { "add_pool", (PyCFunction)load_add_pool, METH_VARARGS,
      "add_pool(texts, keep, alias) -> its number; keep and alias are empty, "
      "or an alias table." },
    { "add_request", (PyCFunction)load_add_request, METH_VARARGS,
      "add_request(pieces, route, is_head, closes, check_body, statuses, "
      "body, length) -> its number; a piece is bytes or (kind, width, draw, "
      "first, "
      "last)." },
    { "add_stage", (PyCFunction)load_add_stage, METH_VARARGS,
      "add_stage(seconds, start, end): requests/s of an open loop." },
    { "set_order", (PyCFunction)load_set_order, METH_O,
      "set_order(numbers): which request when, over and over." },
    { "poll", (PyCFunction)load_poll, METH_O,
      "poll(timeout) -> bool: work for at most timeout seconds; False: the "
      "run is over." },
    { "set_users", (PyCFunction)load_set_users, METH_O,
      "set_users(number): so many of the connections work." },
    { "stop", (PyCFunction)load_stop, METH_NOARGS, "End the run early." },
    { "live", (PyCFunction)load_live, METH_NOARGS, "The run so far." },
    { "result", (PyCFunction)load_result, METH_NOARGS,
      "The run, so far if it is not over, as JSON text." },
    { "close", (PyCFunction)load_close, METH_NOARGS, "Free everything." },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot load_slots[] = {
    { Py_tp_new, load_new },
    { Py_tp_dealloc, load_dealloc },
    { Py_tp_methods, load_methods },
    { Py_tp_doc, "LoadGenerator(**settings)" },
    { 0, NULL },
};

PyType_Spec wp_load_spec = {
    .name = "wsgibench.native._capi.LoadGenerator",
    .basicsize = sizeof(wp_load),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = load_slots,
};
