#include "http/fields.h"

#include <string.h>

const char *
wb__fields_find(const wb_fields *fields, const char *name, size_t name_size,
                size_t *size)
{
    const wb_names *names = fields == NULL ? NULL : fields->names;
    for (uint32_t i = 0; names != NULL && i < names->count; i++) {
        wb_span key = names->spans[i], value = fields->values[i];
        if (key.len == name_size
            && memcmp(names->base + key.off, name, name_size) == 0) {
            *size = value.len;
            return fields->base + value.off;
        }
    }
    *size = 0;
    return NULL;
}
