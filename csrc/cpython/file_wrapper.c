/* wsgi.file_wrapper (PEP 3333, "Optional Platform-Specific File Handling").
 *
 * It is an ordinary iterable, so middleware may consume it; returned to the
 * server untouched, and over a real file, the file's bytes go out by
 * sendfile(2). */
#include "module.h"

#include <stddef.h>
#include <structmember.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct wp_file_wrapper {
    PyObject_HEAD PyObject *file;
    Py_ssize_t block_size;
} wp_file_wrapper;

static PyObject *
wrapper_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    static char *names[] = { "filelike", "blksize", NULL };
    PyObject *file;
    Py_ssize_t block_size = 65536;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|n:file_wrapper", names,
                                     &file, &block_size)) {
        return NULL;
    }
    wp_file_wrapper *wrapper = (wp_file_wrapper *)type->tp_alloc(type, 0);
    if (wrapper != NULL) {
        wrapper->file = Py_NewRef(file);
        wrapper->block_size = block_size > 0 ? block_size : 65536;
    }
    return (PyObject *)wrapper;
}

static int
wrapper_traverse(wp_file_wrapper *wrapper, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(wrapper));
    Py_VISIT(wrapper->file);
    return 0;
}

static int
wrapper_clear(wp_file_wrapper *wrapper)
{
    Py_CLEAR(wrapper->file);
    return 0;
}

static void
wrapper_dealloc(wp_file_wrapper *wrapper)
{
    PyTypeObject *type = Py_TYPE(wrapper);
    PyObject_GC_UnTrack(wrapper);
    wrapper_clear(wrapper);
    type->tp_free(wrapper);
    Py_DECREF(type);
}

static PyObject *
wrapper_next(wp_file_wrapper *wrapper)
{
    PyObject *block
        = PyObject_CallMethod(wrapper->file, "read", "n", wrapper->block_size);
    if (block != NULL && PyObject_IsTrue(block) != 1) {
        Py_CLEAR(block); /* the end, or its __bool__() has raised */
    }
    return block;
}

static PyObject *
wrapper_close(wp_file_wrapper *wrapper, PyObject *unused)
{
    (void)unused;
    PyObject *close = PyObject_GetAttrString(wrapper->file, "close");
    if (close == NULL) {
        PyErr_Clear(); /* a file-like need not have one */
        Py_RETURN_NONE;
    }
    PyObject *result = PyObject_CallNoArgs(close);
    Py_DECREF(close);
    return result;
}

/* How many bytes lie behind the offset, where the kernel's word on that can be
 * believed; otherwise 0. Files of /proc say 0, those of /sys a page, whatever
 * is in them. */
static int64_t
size_behind(int fd, int64_t offset)
{
    struct stat status;
    char last;
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)
        || status.st_size <= offset
        || (status.st_blocks == 0
            && pread(fd, &last, 1, status.st_size - 1) != 1)) {
        return 0;
    }
    return status.st_size - offset;
}

/* Whether the file can be read; what was written to it is in it then. */
static int
is_readable(wp_state *state, PyObject *file)
{
    PyObject *readable
        = PyObject_CallMethodNoArgs(file, state->words.readable);
    int yes = readable == NULL ? -1 : PyObject_IsTrue(readable);
    Py_XDECREF(readable);
    if (yes == 1 && Py_TYPE(file) == (PyTypeObject *)state->random) {
        PyObject *done = PyObject_CallMethodNoArgs(file, state->words.flush);
        yes = done == NULL ? -1 : 1;
        Py_XDECREF(done);
    }
    return yes == 1;
}

/* Only what reads the descriptor's own bytes may be sent from it: a GzipFile
 * has a fileno() too, of the compressed file, and so has a reader of one. */
static int
is_real(wp_state *state, PyObject *file)
{
    PyObject *type = (PyObject *)Py_TYPE(file);
    if (type != state->reader && type != state->random) {
        return type == state->file_io;
    }
    PyObject *raw = PyObject_GetAttr(file, state->words.raw);
    int yes = raw != NULL && (PyObject *)Py_TYPE(raw) == state->file_io;
    Py_XDECREF(raw);
    return yes;
}

int
wp_file_behind(wp_state *state, PyObject *object, int64_t *offset,
               int64_t *size)
{
    PyObject *file = ((wp_file_wrapper *)object)->file;
    PyObject *told = NULL;
    int fd = -1;
    if (is_real(state, file) && is_readable(state, file)) {
        fd = PyObject_AsFileDescriptor(file);
        told = fd < 0 ? NULL
                      : PyObject_CallMethodNoArgs(file, state->words.tell);
    }
    *offset = told == NULL ? -1 : PyLong_AsLongLong(told);
    Py_XDECREF(told);
    if (PyErr_Occurred()) {
        PyErr_Clear(); /* then it is read like any other */
        return -1;
    }
    *size = *offset < 0 ? 0 : size_behind(fd, *offset);
    return *size > 0 ? fd : -1;
}

static PyMethodDef wrapper_methods[] = {
    { "close", (PyCFunction)wrapper_close, METH_NOARGS,
      "Close the file, if it can be closed." },
    { NULL, NULL, 0, NULL },
};

static PyMemberDef wrapper_members[] = {
    { "filelike", T_OBJECT_EX, offsetof(wp_file_wrapper, file), READONLY,
      NULL },
    { NULL, 0, 0, 0, NULL },
};

static PyType_Slot wrapper_slots[] = {
    { Py_tp_new, wrapper_new },
    { Py_tp_dealloc, wrapper_dealloc },
    { Py_tp_traverse, wrapper_traverse },
    { Py_tp_clear, wrapper_clear },
    { Py_tp_iter, PyObject_SelfIter },
    { Py_tp_iternext, wrapper_next },
    { Py_tp_methods, wrapper_methods },
    { Py_tp_members, wrapper_members },
    { Py_tp_doc, "file_wrapper(filelike, blksize=65536): the file's blocks." },
    { 0, NULL },
};

PyType_Spec wp_file_wrapper_spec = {
    .name = "wsgibench.native._capi.FileWrapper",
    .basicsize = sizeof(wp_file_wrapper),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = wrapper_slots,
};
