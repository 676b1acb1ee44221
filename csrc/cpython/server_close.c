/* The end of a CoreServer. close() during calls of its methods takes effect
 * when the last of them returns. */
#include "server.h"

/* What is under way in other threads when the server is closed has so long. */
enum { CLOSE_MS = 1000 };

/* ---- the end ------------------------------------------------------------ */

int
wp_server_traverse(wp_server *server, visitproc visit, void *arg)
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

void
wp_release_blocks(wb_server *core)
{
    PyObject *block;
    while ((block = wb_server_released(core)) != NULL) {
        Py_DECREF(block);
    }
}

int
wp_server_is_forked(wp_server *server)
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

/* No thread is in the core. Clients are cut off, and the close() of each call
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
    int forked = wp_server_is_forked(server);
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
    wp_release_blocks(core);
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

int
wp_server_clear(wp_server *server)
{
    Py_CLEAR(server->app);
    Py_CLEAR(server->errors);
    Py_CLEAR(server->base);
    Py_CLEAR(server->log_exception);
    Py_CLEAR(server->on_close);
    Py_CLEAR(server->on_upgrade);
    return 0;
}

void
wp_server_finalize(wp_server *server)
{
    wp_section section;
    if (server->gate == NULL) {
        return; /* it was never made */
    }
    PyObject *before = PyErr_Occurred() ? wp_take_exception() : NULL;
    wp_section_begin(&section, server->gate);
    if (close_core(server) < 0) {
        PyErr_WriteUnraisable((PyObject *)server);
    }
    wp_section_end(&section);
    if (before != NULL) {
        wp_set_exception(before);
    }
}

void
wp_server_dealloc(wp_server *server)
{
    PyTypeObject *type = Py_TYPE(server);
    if (PyObject_CallFinalizerFromDealloc((PyObject *)server) < 0) {
        return; /* close() of an iterable has made it live again */
    }
    PyObject_GC_UnTrack(server);
    wp_server_clear(server);
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

int
wp_server_enter(wp_server *server)
{
    wp_section section;
    wp_section_begin(&section, server->gate);
    int result = enter_gated(server);
    wp_section_end(&section);
    return result;
}

PyObject *
wp_server_leave(wp_server *server, PyObject *result)
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

PyObject *
wp_server_close(wp_server *server)
{
    if (server->core == NULL) {
        Py_RETURN_NONE;
    }
    if (server->users > 0) {
        server->closing = server->stopping = 1;
        if (wp_server_is_forked(server)) {
            wb_server_close(server->core); /* the child's descriptors */
        } else {
            wb_server_stop(server->core, CLOSE_MS); /* wakes who sleeps */
        }
    } else if (close_core(server) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}
