/* From a request to the environ of PEP 3333.
 *
 * Requests with the same field names have a slot, and the slot the environ of
 * the last of them. What differs now is put into that dict, and the
 * application gets a copy: copying a dict that is dense costs less than
 * filling a new one, and changes to the copy stay with the application.
 *
 * An application that does nothing to it - neither changes nor keeps it - is
 * lent the slot's own dict: no copy to make, none to free. See lend.c.
 */
#include "module.h"

#include <string.h>

static PyObject *
latin1(const char *data, uint32_t size)
{
    return PyUnicode_DecodeLatin1(data, (Py_ssize_t)size, NULL);
}

/* Sets and gives up the reference to value (NULL: fails). */
static int
set_new(PyObject *environ, PyObject *key, PyObject *value)
{
    if (value == NULL) {
        return -1;
    }
    int result = PyDict_SetItem(environ, key, value);
    Py_DECREF(value);
    return result;
}

/* ---- what no request changes -------------------------------------------- */

/* settings: server name, port, url scheme, multithread, multiprocess,
 * script name, all borrowed. */
PyObject *
wp_environ_base(wp_server *server, PyObject *const *settings)
{
    wp_words *w = &server->state->words;
    PyObject *wrapper = (PyObject *)server->file_wrapper;
    return Py_BuildValue(
        "{s:(ii),s:O,s:O,s:O,s:O,s:O,s:O,s:O,s:O,s:s,s:O,s:O,s:s,s:O,"
        "O:O,O:O,O:O,O:O,O:O,O:O}",
        "wsgi.version", 1, 0, "wsgi.url_scheme", settings[2], "wsgi.input",
        server->no_input, "wsgi.errors", server->errors, "wsgi.multithread",
        settings[3], "wsgi.multiprocess", settings[4], "wsgi.run_once",
        Py_False, "wsgi.file_wrapper", wrapper, "wsgi.input_terminated",
        Py_True, "SERVER_SOFTWARE", "wsgibench/" WB_VERSION, "SERVER_NAME",
        settings[0], "SERVER_PORT", settings[1], "SERVER_PROTOCOL", "HTTP/1.1",
        "SCRIPT_NAME", settings[5], w->request_method, w->get, w->path_info,
        w->empty, w->query_string, w->empty, w->request_uri, w->empty,
        w->remote_addr, w->empty, w->remote_port, w->empty);
}

/* ---- what the request line and the client bring ------------------------- */

static PyObject *
method_text(wp_words *w, const char *data, uint32_t size)
{
    PyObject *const common[] = { w->get,    w->post,    w->head, w->put,
                                 w->delete, w->options, w->patch };
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
        if ((uint32_t)PyUnicode_GET_LENGTH(common[i]) == size
            && memcmp(PyUnicode_DATA(common[i]), data, size) == 0) {
            return Py_NewRef(common[i]);
        }
    }
    return latin1(data, size);
}

static int
put_target(wp_server *server, const wb_request *request, PyObject *environ)
{
    wp_words *w = &server->state->words;
    const char *base = request->base;
    if (set_new(environ, w->path_info,
                latin1(base + request->path.off, request->path.len))
            < 0
        || set_new(environ, w->query_string,
                   latin1(base + request->query.off, request->query.len))
            < 0) {
        return -1;
    }
    return set_new(environ, w->request_uri,
                   latin1(base + request->target.off, request->target.len));
}

static int
is_get(const wb_request *request)
{
    return request->method.len == 3
        && memcmp(request->base + request->method.off, "GET", 3) == 0;
}

static int
put_method(wp_server *server, const wb_request *request, PyObject *environ)
{
    wp_words *w = &server->state->words;
    return set_new(environ, w->request_method,
                   method_text(w, request->base + request->method.off,
                               request->method.len));
}

static int
put_protocol(wp_server *server, const wb_request *request, PyObject *environ)
{
    wp_words *w = &server->state->words;
    return set_new(
        environ, w->server_protocol,
        Py_NewRef(request->minor_version > 0 ? w->http11 : w->http10));
}

static PyObject *
port_text(wp_server *server, uint16_t number)
{
    wp_port *port = &server->ports[number % WP_PORTS];
    if (port->text == NULL || port->number != number) {
        PyObject *text = PyUnicode_FromFormat("%d", number);
        if (text == NULL) {
            return NULL;
        }
        Py_XSETREF(port->text, text);
        port->number = number;
    }
    return Py_NewRef(port->text);
}

static int
is_last_peer(const wp_server *server, const wb_request *request)
{
    return server->peer_text != NULL && server->peer_size == request->peer_size
        && memcmp(server->peer, request->peer, request->peer_size) == 0;
}

static PyObject *
peer_text(wp_server *server, const wb_request *request)
{
    if (!is_last_peer(server, request)) {
        PyObject *text = PyUnicode_FromString(request->peer);
        if (text == NULL) {
            return NULL;
        }
        Py_XSETREF(server->peer_text, text);
        memcpy(server->peer, request->peer, request->peer_size);
        server->peer_size = request->peer_size; /* < INET6_ADDRSTRLEN */
    }
    return Py_NewRef(server->peer_text);
}

static int
put_address(wp_server *server, const wb_request *request, PyObject *environ)
{
    return set_new(environ, server->state->words.remote_addr,
                   peer_text(server, request));
}

static int
put_port(wp_server *server, const wb_request *request, PyObject *environ)
{
    wp_words *w = &server->state->words;
    return request->peer_port == 0
        ? PyDict_SetItem(environ, w->remote_port, w->empty)
        : set_new(environ, w->remote_port,
                  port_text(server, request->peer_port));
}

/* ---- slots -------------------------------------------------------------- */

static void
slot_clear(wp_slot *slot)
{
    Py_CLEAR(slot->environ);
    wp_fields_forget(slot);
    PyMem_Free(slot->target);
    memset(slot, 0, sizeof(*slot));
}

void
wp_slots_clear(wp_server *server)
{
    for (int i = 0; server->slots != NULL && i < WB_SLOTS; i++) {
        slot_clear(&server->slots[i]);
    }
    PyMem_Free(server->slots);
    server->slots = NULL;
}

void
wp_ports_clear(wp_server *server)
{
    for (int i = 0; i < WP_PORTS; i++) {
        Py_CLEAR(server->ports[i].text);
    }
}

/* The environ of a request without a slot, or for one. */
static PyObject *
fresh(wp_server *server, const wb_request *request)
{
    PyObject *environ = PyDict_Copy(server->base);
    if (environ == NULL || wp_fields_put(server, request->fields, environ) < 0
        || put_target(server, request, environ) < 0
        || put_method(server, request, environ) < 0
        || put_protocol(server, request, environ) < 0
        || put_address(server, request, environ) < 0
        || put_port(server, request, environ) < 0) {
        Py_XDECREF(environ);
        return NULL;
    }
    return environ;
}

static int
remember_target(wp_slot *slot, const wb_request *request)
{
    uint32_t size = request->target.len;
    if (slot->target == NULL || slot->target_size < size) {
        char *target = PyMem_Realloc(slot->target, size);
        if (target == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        slot->target = target;
    }
    memcpy(slot->target, request->base + request->target.off, size);
    slot->target_size = size;
    return 0;
}

/* Most requests of a slot come from one address (a proxy, a benchmark), and
 * pipelined ones from one port of it. The slot's dict holds the text that it
 * was given, so no other text can have its place in memory. */
static int
refresh_client(wp_server *server, wp_slot *slot, const wb_request *request)
{
    int same = slot->peer_text != NULL && slot->peer_text == server->peer_text
        && is_last_peer(server, request);
    if (same && slot->peer_port == request->peer_port) {
        return 0;
    }
    if (!same) {
        slot->peer_text = NULL;
        if (put_address(server, request, slot->environ) < 0) {
            return -1;
        }
        slot->peer_text = server->peer_text;
    }
    slot->peer_port = request->peer_port;
    return put_port(server, request, slot->environ);
}

/* Brings the slot's environ up to this request. */
static int
refresh(wp_server *server, wp_slot *slot, const wb_request *request)
{
    PyObject *environ = slot->environ;
    if (slot->target_size != request->target.len
        || memcmp(slot->target, request->base + request->target.off,
                  request->target.len)
            != 0) {
        slot->target_size = UINT32_MAX; /* matches nothing until it is done */
        PyMem_Free(slot->target);
        slot->target = NULL;
        if (put_target(server, request, environ) < 0
            || remember_target(slot, request) < 0) {
            return -1;
        }
    }
    int get = is_get(request);
    if (!get || !slot->method_get) {
        if (put_method(server, request, environ) < 0) {
            return -1;
        }
        slot->method_get = (uint8_t)get;
    }
    if (slot->http11 != request->minor_version) {
        if (put_protocol(server, request, environ) < 0) {
            return -1;
        }
        slot->http11 = request->minor_version;
    }
    if (wp_fields_refresh(server, request->fields, slot) < 0) {
        return -1;
    }
    return refresh_client(server, slot, request);
}

/* What must not stay in a slot. */
static int
has_own(const wb_request *request)
{
    return request->authority.len > 0 || !request->body_complete
        || request->content_length != 0 || request->chunked
        || request->variable_count > 0 || request->upgrade;
}

/* ---- lending ------------------------------------------------------------ */

enum { LOSS = 16 };

/* Whether the slot's dict can be the application's for the time of its call.
 */
static int
may_lend(const wp_server *server, const wb_request *request)
{
    return server->lending > 0 && !has_own(request)
        && wp_lending_possible(&server->state->lending);
}

/* An application that has changed the dict, or still holds it, keeps it; the
 * slot begins anew. One that does so each time - most frameworks put something
 * into it - soon gets copies only, for a slot made anew costs more. */
void
wp_environ_return(wp_server *server, wp_call *call)
{
    wp_loan *loan = &call->loan;
    wp_slot *slot = loan->slot;
    loan->slot = NULL;
    if (slot != NULL) {
        int changed = wp_lent_was_changed(&server->state->lending, loan);
        if (slot->environ != loan->environ) {
            /* It is another's by now: the application turned the loop. */
        } else if (!changed && Py_REFCNT(loan->environ) == 2) {
            server->lending += server->lending < WP_CREDIT;
        } else {
            slot_clear(slot);
            server->lending -= LOSS;
        }
    }
    Py_CLEAR(loan->environ);
}

/* ---- the environ -------------------------------------------------------- */

static int
shared(wp_server *server, const wb_request *request, wp_loan *loan)
{
    const wb_names *names = request->fields->names;
    wp_slot *slot = &server->slots[names->slot];
    if (slot->environ != NULL && Py_REFCNT(slot->environ) > 1) {
        /* It is lent: to another thread, or the application turned the loop.
         */
        slot_clear(slot);
        server->lending -= LOSS;
    }
    if (slot->id != names->id || slot->environ == NULL) {
        PyObject *environ = fresh(server, request);
        if (environ == NULL) {
            return -1;
        }
        slot_clear(slot);
        slot->environ = environ;
        slot->id = names->id;
        slot->http11 = request->minor_version;
        slot->method_get = (uint8_t)is_get(request);
        if (remember_target(slot, request) < 0
            || wp_fields_remember(server, request->fields, slot) < 0) {
            slot_clear(slot);
            return -1;
        }
    } else if (refresh(server, slot, request) < 0) {
        slot_clear(slot);
        return -1;
    }
    if (may_lend(server, request)) {
        loan->slot = slot;
        loan->environ = Py_NewRef(slot->environ);
        wp_lend(&server->state->lending, loan);
    } else {
        loan->environ = PyDict_Copy(slot->environ);
    }
    return loan->environ == NULL ? -1 : 0;
}

/* name NUL value NUL ... */
static int
put_variables(wp_server *server, const wb_request *request, PyObject *environ)
{
    const char *at = request->variables;
    for (uint32_t i = 0; i < request->variable_count; i++) {
        size_t name = strlen(at);
        const char *value = at + name + 1;
        size_t size = strlen(value);
        PyObject *key = wp_names_get(&server->state->names, at, name);
        if (key == NULL) {
            return -1;
        }
        int result = set_new(environ, key, latin1(value, (uint32_t)size));
        Py_DECREF(key);
        if (result < 0) {
            return -1;
        }
        at = value + size + 1;
    }
    return 0;
}

static int
put_own(wp_server *server, const wb_request *request, wp_call *call,
        PyObject *environ)
{
    wp_words *w = &server->state->words;
    if (request->authority.len > 0
        && set_new(environ, w->http_host,
                   latin1(request->base + request->authority.off,
                          request->authority.len))
            < 0) {
        return -1;
    }
    if (put_variables(server, request, environ) < 0) {
        return -1;
    }
    if (request->body_complete && request->content_length == 0
        && !request->chunked) {
        return 0; /* the shared, empty wsgi.input */
    }
    call->input = wp_input_new(server, call);
    if (call->input == NULL
        || PyDict_SetItem(environ, w->wsgi_input, (PyObject *)call->input)
            < 0) {
        return -1;
    }
    /* A chunked body that is here in full has a length that applications can
     * use; many read no other body. */
    if (request->chunked && request->content_length >= 0) {
        return set_new(
            environ, w->content_length,
            PyUnicode_FromFormat("%lld", (long long)request->content_length));
    }
    return 0;
}

int
wp_environ_make(wp_server *server, const wb_request *request, wp_call *call)
{
    wp_loan *loan = &call->loan;
    loan->slot = NULL;
    if (request->fields->names->slot != WB_NO_SLOT) {
        if (shared(server, request, loan) < 0) {
            return -1;
        }
    } else if ((loan->environ = fresh(server, request)) == NULL) {
        return -1;
    }
    if (has_own(request)
        && put_own(server, request, call, loan->environ) < 0) {
        Py_CLEAR(loan->environ);
        return -1;
    }
    return 0;
}
