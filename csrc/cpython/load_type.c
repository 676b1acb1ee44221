/* LoadGenerator: the load generator's public C interface, as it is. */
#include "module.h"

#include <stddef.h>
#include <string.h>

#include "wsgibench_load.h"

typedef struct wp_load {
    PyObject_HEAD wl_load *load; /* NULL: closed */
} wp_load;

typedef enum { U8, U32, U64, REAL, TEXT } kind;

typedef struct field {
    const char *name;
    kind kind;
    size_t offset;
} field;

#define FIELD(name, kind) { #name, kind, offsetof(wl_config, name) }
static const field fields[] = {
    FIELD(host, TEXT),
    FIELD(source, TEXT),
    FIELD(sources, U32),
    FIELD(port, U32),
    FIELD(connections, U32),
    FIELD(pipeline, U32),
    FIELD(per_connection, U32),
    FIELD(close, U8),
    FIELD(poisson, U8),
    FIELD(check_body, U8),
    FIELD(tls, U8),
    FIELD(tls_resume, U8),
    FIELD(expect_status, U32),
    FIELD(expect_length, U64),
    FIELD(start_ns, U64),
    FIELD(duration_ns, U64),
    FIELD(max_requests, U64),
    FIELD(drain_ns, U64),
    FIELD(timeout_ns, U64),
    FIELD(window_ns, U64),
    FIELD(connect_gap_ns, U64),
    FIELD(rate, REAL),
    FIELD(rate_end, REAL),
    FIELD(seed, U64),
    FIELD(send_size, U32),
    FIELD(send_gap_ns, U64),
    FIELD(read_size, U32),
    FIELD(read_gap_ns, U64),
    FIELD(tls_name, TEXT),
    FIELD(tls_ca, TEXT),
};

static int
set_number(void *at, kind kind, PyObject *value)
{
    if (kind == REAL) {
        *(double *)at = PyFloat_AsDouble(value);
        return PyErr_Occurred() ? -1 : 0;
    }
    unsigned long long number = PyLong_AsUnsignedLongLong(value);
    if (number == (unsigned long long)-1 && PyErr_Occurred()) {
        return -1;
    }
    if ((kind == U8 && number > UINT8_MAX)
        || (kind == U32 && number > UINT32_MAX)) {
        PyErr_Format(PyExc_OverflowError, "%llu is too large", number);
        return -1;
    }
    if (kind == U8) {
        *(uint8_t *)at = (uint8_t)number;
    } else if (kind == U32) {
        *(uint32_t *)at = (uint32_t)number;
    } else {
        *(uint64_t *)at = number;
    }
    return 0;
}

static int
set_field(wl_config *config, PyObject *name, PyObject *value)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (PyUnicode_CompareWithASCIIString(name, fields[i].name) != 0) {
            continue;
        }
        void *at = (char *)config + fields[i].offset;
        if (fields[i].kind != TEXT) {
            return set_number(at, fields[i].kind, value);
        }
        *(const char **)at = PyUnicode_AsUTF8(value);
        return *(const char **)at == NULL ? -1 : 0;
    }
    PyErr_Format(PyExc_TypeError, "LoadGenerator has no setting %R", name);
    return -1;
}

/* What the configuration borrows until wl_new() has copied it. */
typedef struct borrowed {
    PyObject *requests, *bodies; /* joined bytes */
    uint32_t *request_ends, *body_ends, *order;
} borrowed;

static void
give_back(borrowed *from)
{
    Py_XDECREF(from->requests);
    Py_XDECREF(from->bodies);
    PyMem_Free(from->request_ends);
    PyMem_Free(from->body_ends);
    PyMem_Free(from->order);
}

/* A list of bytes -> one run of bytes and where each ends. */
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

static int
read_order(PyObject *list, uint32_t **order)
{
    Py_ssize_t count = PyList_GET_SIZE(list);
    *order = PyMem_Calloc((size_t)count + 1, sizeof(uint32_t));
    if (*order == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (set_number(&(*order)[i], U32, PyList_GET_ITEM(list, i)) < 0) {
            return -1;
        }
    }
    return 0;
}

static int
read_lists(PyObject *requests, PyObject *bodies, PyObject *order,
           borrowed *from, wl_config *config)
{
    if (join(requests, &from->requests, &from->request_ends) < 0
        || join(bodies, &from->bodies, &from->body_ends) < 0
        || read_order(order, &from->order) < 0) {
        return -1;
    }
    config->request = PyBytes_AS_STRING(from->requests);
    config->request_size = (size_t)PyBytes_GET_SIZE(from->requests);
    config->request_ends = from->request_ends;
    config->request_count = (uint32_t)PyList_GET_SIZE(requests);
    config->expect_body = PyBytes_AS_STRING(from->bodies);
    config->expect_size = (size_t)PyBytes_GET_SIZE(from->bodies);
    config->expect_ends = from->body_ends;
    config->expect_count = (uint32_t)PyList_GET_SIZE(bodies);
    config->order = from->order;
    config->order_count = (uint32_t)PyList_GET_SIZE(order);
    return 0;
}

static PyObject *
load_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *requests, *bodies, *order, *name, *value;
    Py_ssize_t at = 0;
    wl_config config;
    borrowed from = { 0 };
    wp_load *self = NULL;
    if (!PyArg_ParseTuple(args, "O!O!O!:LoadGenerator", &PyList_Type,
                          &requests, &PyList_Type, &bodies, &PyList_Type,
                          &order)) {
        return NULL;
    }
    wl_config_init(&config);
    while (keywords != NULL && PyDict_Next(keywords, &at, &name, &value)) {
        if (set_field(&config, name, value) < 0) {
            return NULL;
        }
    }
    if (read_lists(requests, bodies, order, &from, &config) == 0) {
        self = (wp_load *)type->tp_alloc(type, 0);
    }
    if (self != NULL) {
        int error = wl_new(&config, &self->load);
        if (error < 0) {
            wp_raise_code(error);
            Py_CLEAR(self);
        }
    }
    give_back(&from);
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

static PyMethodDef load_methods[] = {
    { "has_tls", load_has_tls, METH_NOARGS | METH_STATIC,
      "Whether `tls` can be asked for." },
    { "poll", (PyCFunction)load_poll, METH_O,
      "poll(timeout) -> bool: work for at most timeout seconds; False: the "
      "run is over." },
    { "stop", (PyCFunction)load_stop, METH_NOARGS, "End the run early." },
    { "live", (PyCFunction)load_live, METH_NOARGS, "The run so far." },
    { "result", (PyCFunction)load_result, METH_NOARGS,
      "The whole run as JSON text." },
    { "close", (PyCFunction)load_close, METH_NOARGS, "Free everything." },
    { NULL, NULL, 0, NULL },
};

static PyType_Slot load_slots[] = {
    { Py_tp_new, load_new },
    { Py_tp_dealloc, load_dealloc },
    { Py_tp_methods, load_methods },
    { Py_tp_doc, "LoadGenerator(requests, bodies, order, **settings)" },
    { 0, NULL },
};

PyType_Spec wp_load_spec = {
    .name = "wsgibench.native._capi.LoadGenerator",
    .basicsize = sizeof(wp_load),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = load_slots,
};
