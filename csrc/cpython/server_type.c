/* CoreServer: one core server and the application it serves. Its methods that
 * neither turn the loop nor serve, and the tables of the type. */
#include "server.h"

static wb_server *
open_core(wp_server *server)
{
    if (server->core == NULL) {
        PyErr_SetString(PyExc_ValueError, "the server is closed");
        return NULL;
    }
    return server->core;
}

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
    int grace_ms = wp_read_timeout(grace);
    if (grace_ms == -2) {
        return NULL;
    }
    if (server->core != NULL) {
        server->stopping = 1;
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

static PyObject *
server_close(wp_server *server, PyObject *unused)
{
    (void)unused;
    return wp_server_close(server);
}

/* Methods that any thread may call, also while another closes the server. */
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
    { #name, (PyCFunction)wp_server_##name, kind, doc }
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
    { Py_tp_new, wp_server_new },
    { Py_tp_dealloc, wp_server_dealloc },
    { Py_tp_finalize, wp_server_finalize },
    { Py_tp_traverse, wp_server_traverse },
    { Py_tp_clear, wp_server_clear },
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
