/* The status and the headers that start_response is given, in the form the
 * core takes: status, then name NUL value NUL ..., in the call's own memory.
 *
 * Most applications give the same head again and again, made of the same
 * constants. The last one is remembered with its objects: where they come
 * again - or others with the same text, such as a length - its bytes are
 * copied, and only the fields that differ are put together anew. */
#include "module.h"

#include <string.h>

void
wp_block_drop(wp_call *call)
{
    if (call->block != call->block_inline) {
        PyMem_Free(call->block);
        call->block = call->block_inline;
        call->block_room = WP_BLOCK;
    }
}

/* ---- from objects ------------------------------------------------------- */

static int
grow_block(wp_call *call, size_t need)
{
    if (need > (size_t)1 << 24) {
        PyErr_SetString(PyExc_ValueError, "response headers exceed 16 MiB");
        return -1;
    }
    size_t room = call->block_room;
    while (room < need) {
        room *= 2;
    }
    char *block = PyMem_Malloc(room);
    if (block == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(block, call->block, call->block_size);
    wp_block_drop(call);
    call->block = block;
    call->block_room = (uint32_t)room;
    return 0;
}

/* A str as latin-1; `end` is put behind it unless negative. */
static int
put_text(wp_call *call, PyObject *text, int end, const char *what)
{
    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "%s must be a str, not %.100s", what,
                     Py_TYPE(text)->tp_name);
        return -1;
    }
    if (PyUnicode_READY(text) < 0) {
        return -1;
    }
    if (PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND) {
        PyErr_Format(PyExc_ValueError, "%s holds characters outside latin-1",
                     what);
        return -1;
    }
    size_t size = (size_t)PyUnicode_GET_LENGTH(text);
    if (call->block_size + size + 1 > call->block_room
        && grow_block(call, call->block_size + size + 1) < 0) {
        return -1;
    }
    memcpy(call->block + call->block_size, PyUnicode_DATA(text), size);
    call->block_size += (uint32_t)size;
    if (end >= 0) {
        call->block[call->block_size++] = (char)end;
    }
    return 0;
}

static int
put_header(wp_call *call, PyObject *item)
{
    if (!PyTuple_Check(item) || PyTuple_GET_SIZE(item) != 2) {
        PyErr_SetString(PyExc_TypeError,
                        "response headers must be (name, value) tuples");
        return -1;
    }
    return put_text(call, PyTuple_GET_ITEM(item, 0), 0, "a header name") < 0
        ? -1
        : put_text(call, PyTuple_GET_ITEM(item, 1), 0, "a header value");
}

/* headers: a list. */
static int
put_all(wp_call *call, PyObject *status, PyObject *headers)
{
    call->block_size = call->count = 0;
    if (put_text(call, status, -1, "the status") < 0) {
        return -1;
    }
    call->status_size = call->block_size;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); i++) {
        if (put_header(call, PyList_GET_ITEM(headers, i)) < 0) {
            return -1;
        }
        call->count++;
    }
    return 0;
}

/* ---- from the last head ------------------------------------------------- */

enum { MISS = 16 }; /* what a miss takes of the credit; a hit gives 1 */

/* `text` was put into a block before, so it is latin-1. */
static int
same_text(PyObject *text, PyObject *other)
{
    return text == other
        || (PyUnicode_Check(other) && PyUnicode_IS_READY(other)
            && PyUnicode_KIND(other) == PyUnicode_1BYTE_KIND
            && PyUnicode_GET_LENGTH(other) == PyUnicode_GET_LENGTH(text)
            && memcmp(PyUnicode_DATA(other), PyUnicode_DATA(text),
                      (size_t)PyUnicode_GET_LENGTH(text))
                == 0);
}

static int
same_header(PyObject *item, PyObject *other)
{
    return item == other
        || (PyTuple_Check(other) && PyTuple_GET_SIZE(other) == 2
            && same_text(PyTuple_GET_ITEM(item, 0), PyTuple_GET_ITEM(other, 0))
            && same_text(PyTuple_GET_ITEM(item, 1),
                         PyTuple_GET_ITEM(other, 1)));
}

void
wp_last_head_clear(wp_last_head *last)
{
    Py_CLEAR(last->status);
    while (last->count > 0) {
        last->count--;
        Py_CLEAR(last->items[last->count]);
    }
}

/* Nothing but str and tuple: what they are cannot change, and what refers to
 * nothing else cannot be part of a cycle. */
static int
may_remember(const wp_call *call, PyObject *status, PyObject *headers)
{
    if (call->count > WP_LAST_ITEMS || call->block_size > WP_LAST_BLOCK
        || !PyUnicode_CheckExact(status)) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(headers); i++) {
        PyObject *item = PyList_GET_ITEM(headers, i);
        if (!PyTuple_CheckExact(item)
            || !PyUnicode_CheckExact(PyTuple_GET_ITEM(item, 0))
            || !PyUnicode_CheckExact(PyTuple_GET_ITEM(item, 1))) {
            return 0;
        }
    }
    return 1;
}

static void
remember(wp_last_head *last, const wp_call *call, PyObject *status,
         PyObject *headers)
{
    wp_last_head_clear(last);
    last->credit -= MISS;
    if (!may_remember(call, status, headers)) {
        return;
    }
    last->status = Py_NewRef(status);
    uint32_t at = call->status_size;
    for (; last->count < call->count; last->count++) {
        PyObject *item = PyList_GET_ITEM(headers, last->count);
        last->items[last->count] = Py_NewRef(item);
        last->starts[last->count] = at;
        at += (uint32_t)(PyUnicode_GET_LENGTH(PyTuple_GET_ITEM(item, 0))
                         + PyUnicode_GET_LENGTH(PyTuple_GET_ITEM(item, 1))
                         + 2);
    }
    last->starts[last->count] = at;
    memcpy(last->block, call->block, call->block_size);
    last->block_size = call->block_size;
    last->status_size = call->status_size;
}

/* Bytes of the last block up to `end`, behind those that the call has. */
static void
copy_run(wp_call *call, const wp_last_head *last, uint32_t start, uint32_t end)
{
    memcpy(call->block + call->block_size, last->block + start, end - start);
    call->block_size += end - start;
}

/* From the last head, if this one has the same status and number of fields:
 * what is the same is copied. 1: done, 0: it is another, -1: an exception.
 * *differ: how many fields. */
static int
put_changes(wp_call *call, const wp_last_head *last, PyObject *status,
            PyObject *headers, uint32_t *differ)
{
    if (last->status == NULL || PyList_GET_SIZE(headers) != last->count
        || !same_text(last->status, status)) {
        return 0;
    }
    uint32_t start = 0; /* of the run that is the same */
    call->block_size = 0;
    for (uint32_t i = 0; i < last->count; i++) {
        PyObject *item = PyList_GET_ITEM(headers, i);
        if (same_header(last->items[i], item)) {
            continue;
        }
        copy_run(call, last, start, last->starts[i]);
        if (put_header(call, item) < 0) {
            return -1;
        }
        /* The rest must find room behind it. */
        uint32_t rest = last->block_size - last->starts[i + 1];
        if (call->block_size + rest > call->block_room
            && grow_block(call, call->block_size + rest) < 0) {
            return -1;
        }
        start = last->starts[i + 1];
        ++*differ;
    }
    copy_run(call, last, start, last->block_size);
    call->status_size = last->status_size;
    call->count = last->count;
    return 1;
}

static int
fill(wp_call *call, PyObject *status, PyObject *headers)
{
    wp_last_head *last = &call->server->last_head;
    uint32_t differ = 0;
    int found = last->credit <= 0
        ? 0
        : put_changes(call, last, status, headers, &differ);
    if (found < 0) {
        return -1;
    }
    if (found) {
        /* The one that is remembered stays as good for the next. */
        last->credit += last->credit < WP_CREDIT && 2 * differ <= last->count;
        last->credit -= 2 * differ > last->count;
        return 0;
    }
    if (put_all(call, status, headers) < 0) {
        return -1;
    }
    /* An application whose heads differ has one remembered now and then. */
    if (last->credit > 0) {
        remember(last, call, status, headers);
    } else {
        last->credit++;
    }
    return 0;
}

int
wp_block_fill(wp_call *call, PyObject *status, PyObject *headers)
{
    if (!PyList_Check(headers)) {
        PyErr_Format(PyExc_TypeError,
                     "response headers must be a list, not %.100s",
                     Py_TYPE(headers)->tp_name);
        return -1;
    }
#ifdef Py_GIL_DISABLED
    /* Another thread may change the application's list meanwhile. */
    PyObject *own = PyList_GetSlice(headers, 0, PY_SSIZE_T_MAX);
    int result = own == NULL ? -1 : fill(call, status, own);
    Py_XDECREF(own);
    return result;
#else
    return fill(call, status, headers);
#endif
}
