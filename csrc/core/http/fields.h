/* Looking up a field of a header block by its name in CGI form. */
#ifndef WB_FIELDS_H
#define WB_FIELDS_H

#include <stddef.h>

#include "wsgibench.h"

/* Its value, of *size bytes; NULL: there is none (NULL fields have none). */
const char *wb__fields_find(const wb_fields *fields, const char *name,
                            size_t name_size, size_t *size);

#endif
