/* Making a CoreServer: its keywords, the core's settings and the objects that
 * all its requests share. */
#include "server.h"

#include <structmember.h>

/* What the environ says of the server; anything else is a core setting. */
enum {
    HOST,
    PORT,
    SCHEME,
    SCRIPT,
    MULTITHREAD,
    MULTIPROCESS,
    STREAM,
    ON_UPGRADE,
    ON_CLOSE,
    EXTRAS
};
static const char *const extras[EXTRAS]
    = { "server_host",  "server_port", "url_scheme",
        "script_name",  "multithread", "multiprocess",
        "error_stream", "on_upgrade",  "on_close" };

static int
read_keywords(PyObject *keywords, wb_config *config, PyObject **extra)
{
    PyObject *name, *value;
    Py_ssize_t at = 0;
    while (keywords != NULL && PyDict_Next(keywords, &at, &name, &value)) {
        int known = 0;
        for (int i = 0; i < EXTRAS; i++) {
            if (PyUnicode_CompareWithASCIIString(name, extras[i]) == 0) {
                extra[i] = value;
                known = 1;
            }
        }
        if (!known && wp_setting_put(config, name, value) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Every request copies a reference to it into its environ. */
static PyTypeObject *
make_file_wrapper(wp_server *server)
{
#ifdef Py_GIL_DISABLED
    PyObject *module = PyType_GetModule(Py_TYPE(server));
    return module == NULL ? NULL
                          : (PyTypeObject *)PyType_FromModuleAndSpec(
                                module, &wp_file_wrapper_spec, NULL);
#else
    PyTypeObject *type = server->state->file_wrapper_type;
    Py_INCREF(type);
    return type;
#endif
}

static int
prepare(wp_server *server, PyObject **extra)
{
    PyObject *values[]
        = { extra[HOST],        extra[PORT],         extra[SCHEME],
            extra[MULTITHREAD], extra[MULTIPROCESS], extra[SCRIPT] };
    server->slots = PyMem_Calloc(WB_SLOTS, sizeof(wp_slot));
    if (server->slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    server->errors = extra[STREAM] != NULL && extra[STREAM] != Py_None
        ? Py_NewRef(extra[STREAM])
        : PySys_GetObject("stderr"); /* borrowed */
    if (server->errors == NULL) {
        PyErr_SetString(PyExc_RuntimeError, "there is no sys.stderr");
        return -1;
    }
    if (extra[STREAM] == NULL || extra[STREAM] == Py_None) {
        Py_INCREF(server->errors);
    }
    server->log_exception
        = PyObject_GetAttrString(server->errors, "log_exception");
    PyErr_Clear();
    server->no_input = (PyObject *)wp_input_new(server, NULL);
    if (server->no_input == NULL) {
        return -1;
    }
    server->file_wrapper = make_file_wrapper(server);
    if (server->file_wrapper == NULL) {
        return -1;
    }
    server->base = wp_environ_base(server, values);
    return server->base == NULL ? -1 : 0;
}

PyObject *
wp_server_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *app, *empty = NULL, *http = NULL, *extra[EXTRAS] = { NULL };
    wb_config config;
    int fd;
    if (!PyArg_ParseTuple(args, "Oi:CoreServer", &app, &fd)) {
        return NULL;
    }
    wb_config_init(&config);
    if (read_keywords(keywords, &config, extra) < 0) {
        return NULL;
    }
    config.listen_fd = fd;
    wp_server *server = (wp_server *)type->tp_alloc(type, 0);
    empty = PyUnicode_FromString("");
    http = PyUnicode_FromString("http");
    if (server == NULL || empty == NULL || http == NULL) {
        goto fail;
    }
    extra[HOST] = extra[HOST] == NULL ? empty : extra[HOST];
    extra[PORT] = extra[PORT] == NULL ? empty : extra[PORT];
    extra[SCRIPT] = extra[SCRIPT] == NULL ? empty : extra[SCRIPT];
    extra[SCHEME] = extra[SCHEME] == NULL ? http : extra[SCHEME];
    for (int i = MULTITHREAD; i <= MULTIPROCESS; i++) {
        extra[i] = extra[i] == NULL ? Py_False : extra[i];
    }
    server->state = PyType_GetModuleState(type);
    server->gate = wp_gate_new();
    server->app = Py_NewRef(app);
    server->threaded = config.threaded;
    server->lending = server->last_head.credit = WP_CREDIT;
    if (server->state == NULL || server->gate == NULL
        || prepare(server, extra) < 0) {
        goto fail;
    }
    int error = wb_server_new(&config, &server->core);
    if (error < 0) {
        wp_raise_code(error);
        goto fail;
    }
    if (extra[ON_UPGRADE] != NULL && extra[ON_UPGRADE] != Py_None) {
        server->on_upgrade = Py_NewRef(extra[ON_UPGRADE]);
    }
    if (extra[ON_CLOSE] != NULL && extra[ON_CLOSE] != Py_None) {
        server->on_close = Py_NewRef(extra[ON_CLOSE]);
    }
    Py_DECREF(empty);
    Py_DECREF(http);
    return (PyObject *)server;
fail:
    Py_XDECREF(empty);
    Py_XDECREF(http);
    Py_XDECREF(server);
    return NULL;
}
