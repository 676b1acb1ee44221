/* The loop of a CoreServer.
 *
 * The GIL is given away in one place, around a poll that may sleep. While
 * requests keep coming in numbers the next poll does not sleep, and keeps it:
 * a thread that computes would otherwise take 5 ms (the switch interval)
 * before every turn. */
#include "server.h"

#include <time.h>

enum { MANY = 2, MAX_PER_TURN = 1024, CANNED_MS = 100 };

/* A poll does not return for a signal, and whoever turns the loop by himself
 * need not have given signals a descriptor that wakes us; an application can
 * take that away, too (asyncio's signal handlers do). So often they are looked
 * for anyway. */
enum { LONGEST_POLL_MS = 1000 };

/* ---- one turn ----------------------------------------------------------- */

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
    if (server->aside_first == NULL || server->closing
        || wp_server_is_forked(server)) {
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
    wp_release_blocks(server->core);
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

/* ---- the methods -------------------------------------------------------- */

int
wp_read_timeout(PyObject *timeout)
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

static int64_t
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* As turn(), which is called again while nothing but the time has passed. */
static int
turn_for(wp_server *server, int timeout_ms, int *served)
{
    int result, poll_ms, expired;
    do {
        poll_ms = timeout_ms < 0 || timeout_ms > LONGEST_POLL_MS
            ? LONGEST_POLL_MS
            : timeout_ms;
        int64_t began = now_ms();
        result = turn(server, poll_ms, served);
        expired = now_ms() - began >= poll_ms;
        timeout_ms -= timeout_ms < 0 ? 0 : poll_ms;
    } while (result == 0 && *served == 0 && expired && timeout_ms != 0);
    return result;
}

PyObject *
wp_server_turn(wp_server *server, PyObject *timeout)
{
    int timeout_ms = wp_read_timeout(timeout);
    if (timeout_ms == -2 || wp_server_enter(server) < 0) {
        return NULL;
    }
    int served = server->last_served;
    int result = timeout_ms == 0 ? turn(server, 0, &served)
                                 : turn_for(server, timeout_ms, &served);
    server->last_served = served;
    return wp_server_leave(
        server,
        result == RAISED ? NULL
                         : PyLong_FromLong(result == STOPPED ? -1 : served));
}

PyObject *
wp_server_run(wp_server *server, PyObject *unused)
{
    (void)unused;
    int served = 0, result;
    if (wp_server_enter(server) < 0) {
        return NULL;
    }
    do {
        result = turn(server, LONGEST_POLL_MS, &served);
    } while (result == 0);
    return wp_server_leave(server,
                           result == RAISED ? NULL : Py_NewRef(Py_None));
}

PyObject *
wp_server_stand_by(wp_server *server, PyObject *unused)
{
    (void)unused;
    int error;
    if (wp_server_enter(server) < 0) {
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS error = wb_server_run(server->core);
    Py_END_ALLOW_THREADS return wp_server_leave(
        server, error < 0 ? wp_raise_code(error) : Py_NewRef(Py_None));
}

PyObject *
wp_server_canned(wp_server *server, PyObject *response)
{
    char *data;
    Py_ssize_t size;
    int result = 0;
    if (PyBytes_AsStringAndSize(response, &data, &size) < 0
        || wp_server_enter(server) < 0) {
        return NULL;
    }
    while (result == 0 && !server->closing) {
        Py_BEGIN_ALLOW_THREADS result
            = wb_server_canned(server->core, data, (size_t)size, CANNED_MS);
        Py_END_ALLOW_THREADS if (PyErr_CheckSignals() < 0)
        {
            return wp_server_leave(server, NULL);
        }
    }
    return wp_server_leave(server,
                           result == 0 || result == WB_STOPPED
                               ? Py_NewRef(Py_None)
                               : wp_raise_code(result));
}
