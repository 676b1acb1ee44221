/* LoadGenerator: the load generator's public C interface, as it is. */
#include "module.h"

#include <stddef.h>
#include <string.h>

#include "wsgibench_load.h"

typedef struct wp_load {
    PyObject_HEAD
    wl_load *load; /* NULL: closed */
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
    FIELD(expect_status, U32),
    FIELD(check_body, U8),
    FIELD(duration_ns, U64),
    FIELD(max_requests, U64),
    FIELD(drain_ns, U64),
    FIELD(timeout_ns, U64),
    FIELD(window_ns, U64),
    FIELD(connect_gap_ns, U64),
    FIELD(rate, REAL),
    FIELD(seed, U64),
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

/* requests: a list of bytes -> one run of octets and where each ends. */
static PyObject *
join_requests(PyObject *requests, wl_config *config, uint32_t **ends)
{
    PyObject *empty = PyBytes_FromStringAndSize("", 0);
    if (empty == NULL) {
        return NULL;
    }
    PyObject *joined = PyObject_CallMethod(empty, "join", "O", requests);
    Py_DECREF(empty);
    Py_ssize_t count = joined == NULL ? -1 : PyList_Size(requests);
    if (count < 0) {
        Py_XDECREF(joined);
        return NULL;
    }
    *ends = PyMem_Calloc((size_t)count + 1, sizeof(uint32_t));
    if (*ends == NULL) {
        Py_DECREF(joined);
        return PyErr_NoMemory();
    }
    uint32_t end = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        end += (uint32_t)PyBytes_GET_SIZE(PyList_GET_ITEM(requests, i));
        (*ends)[i] = end;
    }
    config->request = PyBytes_AS_STRING(joined);
    config->request_size = (size_t)PyBytes_GET_SIZE(joined);
    config->request_ends = *ends;
    config->request_count = (uint32_t)count;
    return joined;
}

static PyObject *
load_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *requests, *body, *name, *value;
    Py_ssize_t at = 0;
    wl_config config;
    if (!PyArg_ParseTuple(args, "O!S:LoadGenerator", &PyList_Type, &requests,
                          &body)) {
        return NULL;
    }
    wl_config_init(&config);
    while (keywords != NULL && PyDict_Next(keywords, &at, &name, &value)) {
        if (set_field(&config, name, value) < 0) {
            return NULL;
        }
    }
    config.expect_body = PyBytes_AS_STRING(body);
    config.expect_size = (size_t)PyBytes_GET_SIZE(body);
    uint32_t *ends = NULL;
    PyObject *joined = join_requests(requests, &config, &ends);
    wp_load *self
        = joined == NULL ? NULL : (wp_load *)type->tp_alloc(type, 0);
    if (self != NULL) {
        int error = wl_new(&config, &self->load);
        if (error < 0) {
            wp_raise_code(error);
            Py_CLEAR(self);
        }
    }
    PyMem_Free(ends);
    Py_XDECREF(joined);
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
    Py_BEGIN_ALLOW_THREADS
    running = wl_poll(self->load, (int)(seconds * 1000));
    Py_END_ALLOW_THREADS
    return running < 0 ? wp_raise_code(running) : PyBool_FromLong(running);
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

static PyMethodDef load_methods[] = {
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
    { Py_tp_doc, "LoadGenerator(requests, expect_body, **settings)" },
    { 0, NULL },
};

PyType_Spec wp_load_spec = {
    .name = "wsgibench.native._capi.LoadGenerator",
    .basicsize = sizeof(wp_load),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = load_slots,
};
