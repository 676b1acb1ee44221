/* What a server counts, as dicts. */
#include "module.h"

PyObject *
wp_stats(wb_server *server)
{
    wb_stats s;
    wb_server_stats(server, &s);
    return Py_BuildValue(
        "{sK,sK,sK,sK,sK,sK,sK,sK,sK,sK,sK,sK,sK,sK,sI,sI}", "accepted",
        s.accepted, "closed", s.closed, "requests", s.requests, "responses",
        s.responses, "refused", s.refused, "timeouts", s.timeouts, "resets",
        s.resets, "log_lost", s.log_lost, "accept_errors", s.accept_errors,
        "memo_hits", s.memo_hits, "memo_misses", s.memo_misses, "bytes_in",
        s.bytes_in, "bytes_out", s.bytes_out, "body_memory", s.body_memory,
        "connections", s.connections, "busy", s.busy);
}

static PyObject *
numbers(const uint64_t *values, Py_ssize_t count)
{
    PyObject *list = PyList_New(count);
    for (Py_ssize_t i = 0; list != NULL && i < count; i++) {
        PyObject *number = PyLong_FromUnsignedLongLong(values[i]);
        if (number == NULL) {
            Py_CLEAR(list);
        } else {
            PyList_SET_ITEM(list, i, number);
        }
    }
    return list;
}

PyObject *
wp_metrics(wb_server *server)
{
    enum { ROW = WB_BUCKETS + 1 };
    wb_metrics *m = PyMem_Malloc(sizeof(*m));
    if (m == NULL) {
        return PyErr_NoMemory();
    }
    wb_server_metrics(server, m);
    PyObject *result = Py_BuildValue(
        "{sN,sN,sK,s[NNNNNN],sN,sN}", "bounds_us",
        numbers(m->bounds_us, WB_BUCKETS), "queue", numbers(m->queue, ROW),
        "queue_us", m->queue_us, "duration", numbers(m->duration[0], ROW),
        numbers(m->duration[1], ROW), numbers(m->duration[2], ROW),
        numbers(m->duration[3], ROW), numbers(m->duration[4], ROW),
        numbers(m->duration[5], ROW), "duration_us",
        numbers(m->duration_us, 6), "statuses", numbers(m->statuses, 500));
    PyMem_Free(m);
    return result;
}
