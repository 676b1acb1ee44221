/* CoreServer: one core server and the application it serves.
 *
 * The GIL is given away in one place, around a poll that may sleep. While
 * requests keep coming in numbers the next poll does not sleep, and keeps it:
 * a thread that computes would otherwise take 5 ms (the switch interval)
 * before every turn. */
#include "module.h"

#include <stddef.h>
#include <string.h>
#include <structmember.h>

enum { MANY = 2, MAX_PER_TURN = 1024, CANNED_MS = 100 };

/* An application can take away the descriptor that a signal wakes us by
 * (asyncio's signal handlers do): so often they are looked for anyway. */
enum { LONGEST_POLL_MS = 1000 };

/* What is under way in other threads when the server is closed has so long. */
enum { CLOSE_MS = 1000 };

/* ---- birth and death ---------------------------------------------------- */

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

static PyObject *
server_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
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

static int
server_traverse(wp_server *server, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(server));
    Py_VISIT(server->app);
    Py_VISIT(server->errors);
    Py_VISIT(server->base);
    Py_VISIT(server->no_input);
    Py_VISIT(server->file_wrapper);
    Py_VISIT(server->log_exception);
    Py_VISIT(server->on_close);
    Py_VISIT(server->on_upgrade);
    for (int i = 0; server->slots != NULL && i < WB_SLOTS; i++) {
        Py_VISIT(server->slots[i].environ);
    }
    for (wp_call *call = server->calls; call != NULL; call = call->live_next) {
        Py_VISIT(call);
    }
    return 0;
}

/* Blocks that slow clients have taken by now. */
static void
release_blocks(wb_server *core)
{
    PyObject *block;
    while ((block = wb_server_released(core)) != NULL) {
        Py_DECREF(block);
    }
}

static int
is_forked(wp_server *server)
{
    return wb_server_fileno(server->core) == WB_FORKED;
}

/* The first exception that has to leave; later ones are dropped. */
static void
keep_first(PyObject **leaving, int result)
{
    if (result == 0) {
        return;
    }
    PyObject *exception = wp_take_exception();
    if (*leaving == NULL) {
        *leaving = exception;
    } else {
        Py_XDECREF(exception);
    }
}

/* Nobody is in the core. Clients are cut off, and the close() of each call
 * that waited is called. Those that a forked child has inherited are its
 * parent's. 0, or -1 with an exception that has to leave. */
static int
close_core(wp_server *server)
{
    wb_server *core = server->core;
    PyObject *leaving = NULL, *on_close = server->on_close;
    if (core == NULL) {
        return 0;
    }
    int forked = is_forked(server);
    server->closing = 1;
    server->core = NULL;
    server->on_close = NULL;
    wb_server_close(core);
    server->aside_first = server->aside_last = NULL;
    server->aside_count = 0;
    while (server->calls != NULL) {
        if (forked) {
            wp_call_disown(server->calls);
        } else {
            keep_first(&leaving, wp_call_end(server->calls));
        }
    }
    release_blocks(core);
    wb_server_free(core);
    if (on_close != NULL) {
        PyObject *done = PyObject_CallNoArgs(on_close);
        keep_first(&leaving,
                   done == NULL ? wp_log_exception(server, NULL) : 0);
        Py_XDECREF(done);
        Py_DECREF(on_close);
    }
    if (leaving != NULL) {
        wp_set_exception(leaving);
    }
    return leaving == NULL ? 0 : -1;
}

static int
server_clear(wp_server *server)
{
    Py_CLEAR(server->app);
    Py_CLEAR(server->errors);
    Py_CLEAR(server->base);
    Py_CLEAR(server->log_exception);
    Py_CLEAR(server->on_close);
    Py_CLEAR(server->on_upgrade);
    return 0;
}

static void
server_finalize(wp_server *server)
{
    PyObject *before = PyErr_Occurred() ? wp_take_exception() : NULL;
    wp_section section;
    if (server->gate == NULL) {
        return; /* it was never made */
    }
    wp_section_begin(&section, server->gate);
    if (close_core(server) < 0) {
        PyErr_WriteUnraisable((PyObject *)server);
    }
    wp_section_end(&section);
    if (before != NULL) {
        wp_set_exception(before);
    }
}

static void
server_dealloc(wp_server *server)
{
    PyTypeObject *type = Py_TYPE(server);
    if (PyObject_CallFinalizerFromDealloc((PyObject *)server) < 0) {
        return; /* close() of an iterable has made it live again */
    }
    PyObject_GC_UnTrack(server);
    server_clear(server);
    wp_slots_clear(server);
    wp_ports_clear(server);
    wp_values_clear(server);
    Py_CLEAR(server->no_input);
    Py_CLEAR(server->file_wrapper);
    Py_CLEAR(server->peer_text);
    wp_last_head_clear(&server->last_head);
    while (server->free_calls != NULL) {
        wp_call *call = server->free_calls;
        server->free_calls = call->next;
        Py_DECREF(call);
    }
    Py_CLEAR(server->gate);
    type->tp_free(server);
    Py_DECREF(type);
}

/* ---- in use, or closed -------------------------------------------------- */

static wb_server *
open_core(wp_server *server)
{
    if (server->core == NULL) {
        PyErr_SetString(PyExc_ValueError, "the server is closed");
        return NULL;
    }
    return server->core;
}

static int
enter_gated(wp_server *server)
{
    unsigned long thread = PyThread_get_thread_ident();
    if (server->core == NULL || server->closing) {
        PyErr_SetString(PyExc_ValueError, "the server is closed");
        return -1;
    }
    if (!server->threaded && server->users > 0) {
        if (server->user != thread) {
            PyErr_SetString(PyExc_RuntimeError,
                            "another thread is turning this server");
            return -1;
        }
        /* The application turns its own server: while that is in the core,
         * helper threads of its call may come there, too. */
        for (wp_call *call = server->calls; call != NULL;
             call = call->live_next) {
            wp_call_hold(call);
        }
    }
    server->user = thread;
    server->users++;
    return 0;
}

/* Before a method that turns the loop or serves; leave() is its end. */
static int
enter(wp_server *server)
{
    wp_section section;
    wp_section_begin(&section, server->gate);
    int result = enter_gated(server);
    wp_section_end(&section);
    return result;
}

/* The last one to leave closes the server if that was asked for meanwhile. */
static PyObject *
leave(wp_server *server, PyObject *result)
{
    PyObject *leaving = result == NULL ? wp_take_exception() : NULL;
    wp_section section;
    wp_section_begin(&section, server->gate);
    if (--server->users == 0 && server->closing) {
        keep_first(&leaving, close_core(server));
    }
    wp_section_end(&section);
    if (leaving != NULL) {
        Py_XDECREF(result);
        wp_set_exception(leaving);
        return NULL;
    }
    return result;
}

static PyObject *
server_close(wp_server *server, PyObject *unused)
{
    (void)unused;
    if (server->core == NULL) {
        Py_RETURN_NONE;
    }
    if (server->users > 0) {
        server->closing = 1;
        if (is_forked(server)) {
            wb_server_close(server->core); /* the child's descriptors */
        } else {
            wb_server_stop(server->core, CLOSE_MS); /* wakes who sleeps */
        }
    } else if (close_core(server) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- turning ------------------------------------------------------------ */

/* timeout: seconds or None; -> ms, -1 for None. -2 with an exception. */
static int
read_timeout(PyObject *timeout)
{
    if (timeout == Py_None) {
        return -1;
    }
    double seconds = PyFloat_AsDouble(timeout);
    if (seconds == -1.0 && PyErr_Occurred()) {
        return -2;
    }
    if (!(seconds >= 0) || seconds > 1e6) {
        PyErr_SetString(PyExc_ValueError,
                        "a timeout is between 0 and 1e6 seconds, or None");
        return -2;
    }
    return (int)(seconds * 1000 + 0.999);
}

/* `served`: requests of this thread's last turn. */
static int
poll_core(wp_server *server, int timeout_ms, int served)
{
    wb_server *core = server->core;
    int ready = 0;
    if (server->aside_first != NULL || served >= MANY) {
        ready = wb_server_poll(core, 0);
        if (ready != 0 || server->aside_first != NULL) {
            return ready;
        }
    }
    Py_BEGIN_ALLOW_THREADS ready = wb_server_poll(core, timeout_ms);
    Py_END_ALLOW_THREADS return ready;
}

/* Only those there now: each may come back to the end of the list. 0 or -1. */
static int
serve_put_aside(wp_server *server, int *served)
{
    int result = 0;
    for (int n = server->aside_count; n > 0 && result == 0; n--) {
        wp_call *call = server->aside_first;
        server->aside_first = call->next;
        if (call->next == NULL) {
            server->aside_last = NULL;
        }
        server->aside_count--;
        result = wp_call_go_on(call);
        ++*served;
        if (server->closing || server->aside_first == NULL) {
            break; /* the application turned the loop */
        }
    }
    return result;
}

static int
serve_ready(wp_server *server, int *served)
{
    *served = 0;
    while (*served < MAX_PER_TURN && !server->closing) {
        wb_request *request = wb_server_take(server->core);
        if (request == NULL) {
            break;
        }
        ++*served;
        if (wp_answer(server, request) < 0) {
            return -1;
        }
    }
    if (server->aside_first == NULL || server->closing || is_forked(server)) {
        return 0;
    }
    return serve_put_aside(server, served);
}

enum { STOPPED = -1, RAISED = -2 };

/* With threads several of them are in here. `served`: requests of this
 * thread's last turn, then of this. 0, STOPPED, or RAISED. */
static int
turn(wp_server *server, int timeout_ms, int *served)
{
    int ready = poll_core(server, timeout_ms, *served);
    release_blocks(server->core);
    if (ready == WB_STOPPED || server->closing) {
        return STOPPED;
    }
    if (ready < 0) {
        wp_raise_code(ready);
        return RAISED;
    }
    /* Before the application runs: KeyboardInterrupt would be its failure. */
    if (PyErr_CheckSignals() < 0 || serve_ready(server, served) < 0
        || PyErr_CheckSignals() < 0) {
        return RAISED;
    }
    return server->closing ? STOPPED : 0;
}

static PyObject *
server_turn(wp_server *server, PyObject *timeout)
{
    int timeout_ms = read_timeout(timeout);
    if (timeout_ms == -2 || enter(server) < 0) {
        return NULL;
    }
    int served = server->last_served;
    int result = turn(server, timeout_ms, &served);
    server->last_served = served;
    return leave(server,
                 result == RAISED
                     ? NULL
                     : PyLong_FromLong(result == STOPPED ? -1 : served));
}

static PyObject *
server_run(wp_server *server, PyObject *unused)
{
    (void)unused;
    int served = 0, result;
    if (enter(server) < 0) {
        return NULL;
    }
    do {
        result = turn(server, LONGEST_POLL_MS, &served);
    } while (result == 0);
    return leave(server, result == RAISED ? NULL : Py_NewRef(Py_None));
}

static PyObject *
server_stand_by(wp_server *server, PyObject *unused)
{
    (void)unused;
    int error;
    if (enter(server) < 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS error = wb_server_run(server->core);
    Py_END_ALLOW_THREADS return leave(
        server, error < 0 ? wp_raise_code(error) : Py_NewRef(Py_None));
}

static PyObject *
server_canned(wp_server *server, PyObject *response)
{
    char *data;
    Py_ssize_t size;
    int result = 0;
    if (PyBytes_AsStringAndSize(response, &data, &size) < 0
        || enter(server) < 0) {
        return NULL;
    }
    while (result == 0 && !server->closing) {
        Py_BEGIN_ALLOW_THREADS result
            = wb_server_canned(server->core, data, (size_t)size, CANNED_MS);
        Py_END_ALLOW_THREADS if (PyErr_CheckSignals() < 0)
        {
            return leave(server, NULL);
        }
    }
    return leave(server,
                 result == 0 || result == WB_STOPPED ? Py_NewRef(Py_None)
                                                     : wp_raise_code(result));
}

/* ---- the rest ----------------------------------------------------------- */

static PyObject *
server_wake(wp_server *server, PyObject *unused)
{
    (void)unused;
    if (server->core != NULL) {
        wb_server_wake(server->core);
    }
    Py_RETURN_NONE;
}

static PyObject *
server_wake_fd(wp_server *server, PyObject *unused)
{
    (void)unused;
    if (open_core(server) == NULL) {
        return NULL;
    }
    int fd = wb_server_wake_fd(server->core);
    return fd < 0 ? wp_raise_code(fd) : PyLong_FromLong(fd);
}

static PyObject *
server_stop(wp_server *server, PyObject *grace)
{
    int grace_ms = read_timeout(grace);
    if (grace_ms == -2) {
        return NULL;
    }
    if (server->core != NULL) {
        wb_server_stop(server->core, grace_ms < 0 ? INT32_MAX : grace_ms);
    }
    Py_RETURN_NONE;
}

static PyObject *
server_fileno(wp_server *server, PyObject *unused)
{
    (void)unused;
    return open_core(server) == NULL
        ? NULL
        : PyLong_FromLong(wb_server_fileno(server->core));
}

static PyObject *
server_timeout(wp_server *server, PyObject *unused)
{
    (void)unused;
    if (open_core(server) == NULL) {
        return NULL;
    }
    if (server->users > 0 && server->user != PyThread_get_thread_ident()) {
        Py_RETURN_NONE; /* another thread turns it */
    }
    int timeout_ms
        = server->aside_first != NULL ? 0 : wb_server_timeout(server->core);
    if (timeout_ms < 0) {
        Py_RETURN_NONE;
    }
    return PyFloat_FromDouble(timeout_ms / 1000.0);
}

static PyObject *
server_stats(wp_server *server, PyObject *unused)
{
    (void)unused;
    return open_core(server) == NULL ? NULL : wp_stats(server->core);
}

static PyObject *
server_metrics(wp_server *server, PyObject *unused)
{
    (void)unused;
    return open_core(server) == NULL ? NULL : wp_metrics(server->core);
}

static PyObject *
server_turns(wp_server *server, PyObject *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(
        server->core == NULL ? 0 : wb_server_turns(server->core));
}

static PyObject *
server_log_flush(wp_server *server, PyObject *unused)
{
    (void)unused;
    if (server->core != NULL) {
        wb_server_log_flush(server->core);
    }
    Py_RETURN_NONE;
}

static PyObject *
server_tls_reload(wp_server *server, PyObject *unused)
{
    (void)unused;
    if (open_core(server) == NULL) {
        return NULL;
    }
    int error = wb_server_tls_reload(server->core);
    if (error < 0) {
        return wp_raise_code(error);
    }
    Py_RETURN_NONE;
}

static PyObject *
server_stopped(wp_server *server, void *unused)
{
    (void)unused;
    return PyBool_FromLong(server->core == NULL || server->closing
                           || wb_server_stopped(server->core));
}

/* Methods that any thread may call, whoever closes the server meanwhile. */
#define GATED(name)                                                           \
    static PyObject *gated_##name(wp_server *server, PyObject *argument)      \
    {                                                                         \
        wp_section section;                                                   \
        wp_section_begin(&section, server->gate);                             \
        PyObject *result = server_##name(server, argument);                   \
        wp_section_end(&section);                                             \
        return result;                                                        \
    }
GATED(wake)
GATED(wake_fd)
GATED(stop)
GATED(fileno)
GATED(timeout)
GATED(stats)
GATED(metrics)
GATED(turns)
GATED(log_flush)
GATED(tls_reload)
GATED(close)

static PyObject *
gated_stopped(wp_server *server, void *unused)
{
    wp_section section;
    wp_section_begin(&section, server->gate);
    PyObject *result = server_stopped(server, unused);
    wp_section_end(&section);
    return result;
}

#define METHOD(name, kind, doc)                                               \
    { #name, (PyCFunction)server_##name, kind, doc }
#define ANY(name, kind, doc) { #name, (PyCFunction)gated_##name, kind, doc }
static PyMethodDef server_methods[] = {
    METHOD(turn, METH_O,
           "turn(timeout) -> int: poll once, at most timeout seconds (None: "
           "until something happens), and serve what is ready. How many "
           "requests; -1 once the server has stopped."),
    METHOD(run, METH_NOARGS,
           "Serve until stopped; threaded: in several threads, beside "
           "stand_by()."),
    METHOD(stand_by, METH_NOARGS,
           "threaded: turn the loop, without the GIL, while the threads in "
           "run() are held up; until stopped."),
    METHOD(canned, METH_O,
           "canned(response): answer everything with these bytes until "
           "stopped."),
    ANY(wake, METH_NOARGS, "End a poll early; from any thread."),
    ANY(wake_fd, METH_NOARGS, "A descriptor for signal.set_wakeup_fd()."),
    ANY(stop, METH_O,
        "stop(grace): finish what is under way within grace seconds; "
        "from any thread."),
    ANY(fileno, METH_NOARGS, "Readable when turn(0) has work."),
    ANY(timeout, METH_NOARGS,
        "Seconds until turn(0) is due anyway; None: never."),
    ANY(stats, METH_NOARGS, "The counters of wb_stats."),
    ANY(metrics, METH_NOARGS, "What wb_metrics says, with measure=1."),
    ANY(turns, METH_NOARGS,
        "Turns of the loop so far; from any thread. It stands still while "
        "an application is stuck."),
    ANY(log_flush, METH_NOARGS, "Write the access log out."),
    ANY(tls_reload, METH_NOARGS,
        "Read certificates and keys again, for connections to come."),
    ANY(close, METH_NOARGS,
        "Close everything at once; while the server is at work, as soon as "
        "the call that is under way is back."),
    { NULL, NULL, 0, NULL },
};

static PyGetSetDef server_getset[] = {
    { "stopped", (getter)gated_stopped, NULL, "Nothing is left to do.", NULL },
    { NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot server_slots[] = {
    { Py_tp_new, server_new },
    { Py_tp_dealloc, server_dealloc },
    { Py_tp_finalize, server_finalize },
    { Py_tp_traverse, server_traverse },
    { Py_tp_clear, server_clear },
    { Py_tp_methods, server_methods },
    { Py_tp_getset, server_getset },
    { Py_tp_doc, "CoreServer(app, listen_fd, **settings)" },
    { 0, NULL },
};

PyType_Spec wp_server_spec = {
    .name = "wsgibench.native._capi.CoreServer",
    .basicsize = sizeof(wp_server),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = server_slots,
};
