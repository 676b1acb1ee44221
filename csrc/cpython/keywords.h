/* The fields of a configuration of C by name: what the keywords of CoreServer
 * and LoadGenerator may say. */
#ifndef WP_KEYWORDS_H
#define WP_KEYWORDS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>

typedef enum { U8, U32, U64, INT, TEXT } wp_kind;

typedef struct wp_keyword {
    const char *name; /* NULL: behind the last one */
    wp_kind kind;
    size_t offset;
} wp_keyword;

/* One keyword into its field; a text is borrowed from `value`, None is NULL.
 * -1: raised. */
int wp_keyword_put(void *config, const wp_keyword *fields, const char *owner,
                   PyObject *name, PyObject *value);
/* A number into its field, by the kind; or -1: raised. */
int wp_number_put(void *field, wp_kind kind, PyObject *value);
/* All fields as a dict, or NULL. */
PyObject *wp_keywords_get(const void *config, const wp_keyword *fields);

#endif
