/* The fields of a header block in an environ.
 *
 * Names are ready keys. A value is made for each new line, and kept for the
 * lines that the core knows again. A slot's environ has the fields of the last
 * request: only lines that differ are put in. */
#include "module.h"

#include <string.h>

static PyObject *
value_text(const wb_fields *fields, uint32_t i)
{
    const wb_span *value = &fields->values[i];
    const char *data = fields->base + value->off;
    if (!fields->ascii || value->len < 2) {
        return PyUnicode_DecodeLatin1(data, (Py_ssize_t)value->len, NULL);
    }
    PyObject *text = PyUnicode_New((Py_ssize_t)value->len, 127);
    if (text != NULL) {
        memcpy(PyUnicode_1BYTE_DATA(text), data, value->len);
    }
    return text;
}

/* A new reference to the value of a line that may come again. */
static PyObject *
line_text(wp_server *server, const wb_fields *fields, uint32_t i)
{
    uint64_t line = fields->lines[i];
    wp_value *kept = &server->values[line % WB_LINES];
    if (line == 0) {
        return value_text(fields, i);
    }
    if (kept->line != line) {
        PyObject *text = value_text(fields, i);
        if (text == NULL) {
            return NULL;
        }
        Py_XSETREF(kept->text, text);
        kept->line = line;
    }
    return Py_NewRef(kept->text);
}

static int
put_value(wp_server *server, const wb_fields *fields, uint32_t i,
          PyObject *key, PyObject *environ)
{
    PyObject *text = line_text(server, fields, i);
    if (text == NULL) {
        return -1;
    }
    int result = PyDict_SetItem(environ, key, text);
    Py_DECREF(text);
    return result;
}

int
wp_fields_put(wp_server *server, const wb_fields *fields, PyObject *environ)
{
    const wb_names *names = fields->names;
    for (uint32_t i = 0; i < names->count; i++) {
        const wb_span *name = &names->spans[i];
        PyObject *key = wp_names_get(&server->state->names,
                                     names->base + name->off, name->len);
        if (key == NULL) {
            return -1;
        }
        int result = put_value(server, fields, i, key, environ);
        Py_DECREF(key);
        if (result < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- in a slot ---------------------------------------------------------- */

/* Notes what is in the slot's environ: all of these fields. */
int
wp_fields_remember(wp_server *server, const wb_fields *fields, wp_slot *slot)
{
    const wb_names *names = fields->names;
    uint32_t count = names->count;
    slot->fields = PyMem_Calloc(count + 1, sizeof(wp_slot_field));
    if (slot->fields == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (uint32_t i = 0; i < count; i++) {
        const wb_span *name = &names->spans[i];
        PyObject *key = wp_names_get(&server->state->names,
                                     names->base + name->off, name->len);
        if (key == NULL) {
            return -1;
        }
        slot->fields[slot->count++]
            = (wp_slot_field) { fields->lines[i], key };
    }
    slot->block = fields->id;
    return 0;
}

int
wp_fields_refresh(wp_server *server, const wb_fields *fields, wp_slot *slot)
{
    if (fields->id != 0 && fields->id == slot->block) {
        return 0;
    }
    slot->block = 0;
    for (uint32_t i = 0; i < slot->count; i++) {
        wp_slot_field *field = &slot->fields[i];
        uint64_t line = fields->lines[i];
        if (line != 0 && line == field->line) {
            continue;
        }
        field->line = 0;
        if (put_value(server, fields, i, field->key, slot->environ) < 0) {
            return -1;
        }
        field->line = line;
    }
    slot->block = fields->id;
    return 0;
}

void
wp_fields_forget(wp_slot *slot)
{
    while (slot->count > 0) {
        slot->count--;
        Py_DECREF(slot->fields[slot->count].key);
    }
    PyMem_Free(slot->fields);
    slot->fields = NULL;
}

void
wp_values_clear(wp_server *server)
{
    for (int i = 0; i < WB_LINES; i++) {
        Py_CLEAR(server->values[i].text);
        server->values[i].line = 0;
    }
}
