/* wb_config's fields by name: what CoreServer's keywords may say. */
#include "keywords.h"
#include "module.h"

#define FIELD(name, kind) { #name, kind, offsetof(wb_config, name) },
static const wp_keyword fields[] = {
#include "config_fields.h"
    { NULL, U8, 0 },
};

int
wp_setting_put(wb_config *config, PyObject *name, PyObject *value)
{
    return wp_keyword_put(config, fields, "CoreServer", name, value);
}

PyObject *
wp_defaults(void)
{
    wb_config config;
    wb_config_init(&config);
    return wp_keywords_get(&config, fields);
}
