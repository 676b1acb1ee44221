/* Lending a dict to the application, and noticing whether it was changed.
 *
 * From CPython 3.12 on a dict watcher is told of each change; before, a dict
 * has a version (PEP 509). Free-threaded builds lend nothing.
 *
 * A watcher's callback gets neither an argument of ours nor the number of the
 * watcher, so the loans of an interpreter hang on its own dict. */
#include "module.h"

#if WP_DICT_WATCHERS

static const char loans_name[] = "wsgibench.native._capi.loans";

static void
free_loans(PyObject *capsule)
{
    PyMem_Free(PyCapsule_GetPointer(capsule, loans_name));
}

/* The loans of this interpreter: NULL with or without an exception if there
 * are none. */
static wp_loans *
find_loans(void)
{
    PyObject *dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
    PyObject *capsule
        = dict == NULL ? NULL : PyDict_GetItemString(dict, loans_name);
    return capsule == NULL ? NULL : PyCapsule_GetPointer(capsule, loans_name);
}

static wp_loans *
make_loans(void)
{
    PyObject *dict = PyInterpreterState_GetDict(PyInterpreterState_Get());
    wp_loans *loans = PyMem_Calloc(1, sizeof(*loans));
    if (dict == NULL || loans == NULL) {
        PyMem_Free(loans);
        PyErr_NoMemory();
        return NULL;
    }
    PyObject *capsule = PyCapsule_New(loans, loans_name, free_loans);
    if (capsule == NULL) {
        PyMem_Free(loans);
        return NULL;
    }
    int error = PyDict_SetItemString(dict, loans_name, capsule);
    Py_DECREF(capsule);
    return error < 0 ? NULL : loans;
}

static int
on_change(PyDict_WatchEvent event, PyObject *dict, PyObject *key,
          PyObject *value)
{
    (void)event;
    (void)key;
    (void)value;
    wp_loans *loans = find_loans();
    for (wp_loan *loan = loans == NULL ? NULL : loans->first; loan != NULL;
         loan = loan->next) {
        loan->changed |= loan->environ == dict;
    }
    return 0;
}

int
wp_lending_init(wp_lending *lending)
{
    lending->watcher = PyDict_AddWatcher(on_change);
    if (lending->watcher < 0) {
        PyErr_Clear(); /* others have all of them: nothing is lent */
        return 0;
    }
    lending->loans = find_loans();
    if (lending->loans == NULL) {
        lending->loans = make_loans();
    }
    return lending->loans == NULL ? -1 : 0;
}

void
wp_lending_clear(wp_lending *lending)
{
    if (lending->loans != NULL && PyDict_ClearWatcher(lending->watcher) < 0) {
        PyErr_Clear();
    }
    lending->loans = NULL;
}

int
wp_lending_possible(const wp_lending *lending)
{
    return lending->loans != NULL;
}

void
wp_lend(wp_lending *lending, wp_loan *loan)
{
    loan->changed = 0;
    loan->next = lending->loans->first;
    lending->loans->first = loan;
    PyDict_Watch(lending->watcher, loan->environ);
}

int
wp_lent_was_changed(wp_lending *lending, wp_loan *loan)
{
    wp_loan **at = &lending->loans->first;
    while (*at != loan) { /* it is the first, unless greenlets switched */
        at = &(*at)->next;
    }
    *at = loan->next;
    PyDict_Unwatch(lending->watcher, loan->environ);
    return loan->changed;
}

#else

int
wp_lending_init(wp_lending *lending)
{
    (void)lending;
    return 0;
}

void
wp_lending_clear(wp_lending *lending)
{
    (void)lending;
}

int
wp_lending_possible(const wp_lending *lending)
{
    (void)lending;
    return WP_DICT_VERSIONS;
}

void
wp_lend(wp_lending *lending, wp_loan *loan)
{
    (void)lending;
    loan->version = wp_dict_version(loan->environ);
}

int
wp_lent_was_changed(wp_lending *lending, wp_loan *loan)
{
    (void)lending;
    return wp_dict_version(loan->environ) != loan->version;
}

#endif
