#include "module.h"

static int
add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **out)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (type == NULL) {
        return -1;
    }
    *out = (PyTypeObject *)type;
    return PyModule_AddType(module, *out);
}

/* Of a type whose objects the server makes: an application that calls it would
 * get one without a call behind it. */
static int
add_own_type(PyObject *module, PyType_Spec *spec, PyTypeObject **out)
{
    if (add_type(module, spec, out) < 0) {
        return -1;
    }
    (*out)->tp_new = NULL;
#ifdef Py_TPFLAGS_DISALLOW_INSTANTIATION /* 3.10: it is not inherited */
    (*out)->tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
#endif
    PyType_Modified(*out);
    return 0;
}

static int
add_new(PyObject *module, const char *name, PyObject *value)
{
    if (value == NULL) {
        return -1;
    }
    if (PyModule_AddObject(module, name, value) < 0) {
        Py_DECREF(value);
        return -1;
    }
    return 0;
}

static PyObject *
attribute(const char *module_name, const char *name)
{
    PyObject *module = PyImport_ImportModule(module_name);
    if (module == NULL) {
        return NULL;
    }
    PyObject *value = PyObject_GetAttrString(module, name);
    Py_DECREF(module);
    return value;
}

static int
add_types(PyObject *module, wp_state *state)
{
    return add_own_type(module, &wp_call_spec, &state->call_type) < 0
            || add_own_type(module, &wp_writer_spec, &state->writer_type) < 0
            || add_own_type(module, &wp_input_spec, &state->input_type) < 0
            || add_type(module, &wp_file_wrapper_spec,
                        &state->file_wrapper_type)
                < 0
            || add_type(module, &wp_server_spec, &state->server_type) < 0
            || add_type(module, &wp_load_spec, &state->load_type) < 0
        ? -1
        : 0;
}

static int
module_exec(PyObject *module)
{
    wp_state *state = PyModule_GetState(module);
    char versions[128];
    wb_versions(versions, sizeof(versions));
    state->print_exception = attribute("traceback", "print_exception");
    state->file_io = attribute("io", "FileIO");
    state->reader = attribute("io", "BufferedReader");
    state->random = attribute("io", "BufferedRandom");
    if (state->print_exception == NULL || state->file_io == NULL
        || state->reader == NULL || state->random == NULL
        || wp_names_init(&state->names) < 0 || wp_words_init(&state->words) < 0
        || wp_lending_init(&state->lending) < 0
        || add_types(module, state) < 0) {
        return -1;
    }
    return add_new(module, "DEFAULTS", wp_defaults()) < 0
            || PyModule_AddStringConstant(module, "VERSIONS", versions) < 0
            || PyModule_AddStringConstant(module, "BINDING", "capi") < 0
        ? -1
        : 0;
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    wp_state *state = PyModule_GetState(module);
    Py_VISIT(state->server_type);
    Py_VISIT(state->call_type);
    Py_VISIT(state->writer_type);
    Py_VISIT(state->input_type);
    Py_VISIT(state->file_wrapper_type);
    Py_VISIT(state->load_type);
    Py_VISIT(state->print_exception);
    Py_VISIT(state->file_io);
    Py_VISIT(state->reader);
    Py_VISIT(state->random);
    return wp_words_visit(&state->words, visit, arg);
}

static int
module_clear(PyObject *module)
{
    wp_state *state = PyModule_GetState(module);
    Py_CLEAR(state->server_type);
    Py_CLEAR(state->call_type);
    Py_CLEAR(state->writer_type);
    Py_CLEAR(state->input_type);
    Py_CLEAR(state->file_wrapper_type);
    Py_CLEAR(state->load_type);
    Py_CLEAR(state->print_exception);
    Py_CLEAR(state->file_io);
    Py_CLEAR(state->reader);
    Py_CLEAR(state->random);
    wp_lending_clear(&state->lending);
    wp_names_clear(&state->names);
    wp_words_clear(&state->words);
    return 0;
}

static void
module_free(void *module)
{
    module_clear(module);
}

static PyModuleDef_Slot module_slots[] = {
    { Py_mod_exec, module_exec },
#ifdef Py_mod_gil
    { Py_mod_gil, Py_MOD_GIL_NOT_USED },
#endif
    { 0, NULL },
};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "wsgibench.native._capi",
    .m_doc = "The server core, bound by the CPython C API.",
    .m_size = sizeof(wp_state),
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC
PyInit__capi(void)
{
    return PyModuleDef_Init(&module_def);
}
