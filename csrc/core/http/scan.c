#include "http/scan.h"

#include <string.h>

/* One row for sixteen bytes; the bits are the enum in scan.h. */
/* clang-format off */
const uint8_t wb__class[256] = {
     0,  0,  0,  0,  0,  0,  0,  0,  0,  2,  0,  0,  0,  0,  0,  0,
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
     2, 39,  6,  7, 39,  7, 39, 39, 38, 38, 39, 39, 38, 39, 39,  6,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63,  6, 38,  6, 38,  6,  6,
     6, 47, 47, 47, 47, 47, 47, 39, 39, 39, 39, 39, 39, 39, 39, 39,
    39, 39, 39, 39, 39, 39, 39, 39, 39, 39, 39,  6,  6,  6,  7, 39,
     7, 47, 47, 47, 47, 47, 47, 39, 39, 39, 39, 39, 39, 39, 39, 39,
    39, 39, 39, 39, 39, 39, 39, 39, 39, 39, 39,  6,  7,  6, 39,  0,
     6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
     6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
     6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
     6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
     6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
     6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
     6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
     6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,  6,
};
/* clang-format on */

size_t
wb__scan(const char *data, size_t size, int classes)
{
    size_t i = 0;
    while (i < size && wb__is(data[i], classes)) {
        i++;
    }
    return i;
}

int
wb__hex_digit(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

int
wb__equal_nocase(const char *data, size_t size, const char *lower)
{
    if (strlen(lower) != size) {
        return 0;
    }
    for (size_t i = 0; i < size; i++) {
        char c = data[i];
        if (c >= 'A' && c <= 'Z') {
            c = (char)(c | 0x20);
        }
        if (c != lower[i]) {
            return 0;
        }
    }
    return 1;
}

int
wb__list_has(const char *data, size_t size, const char *lower)
{
    while (size > 0) {
        const char *comma = memchr(data, ',', size);
        const char *member = data;
        size_t length = comma == NULL ? size : (size_t)(comma - data);
        size_t taken = length + (comma != NULL);
        data += taken;
        size -= taken;
        wb__trim(&member, &length);
        if (wb__equal_nocase(member, length, lower)) {
            return 1;
        }
    }
    return 0;
}

void
wb__trim(const char **data, size_t *size)
{
    while (*size > 0 && (**data == ' ' || **data == '\t')) {
        (*data)++;
        (*size)--;
    }
    while (*size > 0
           && ((*data)[*size - 1] == ' ' || (*data)[*size - 1] == '\t')) {
        (*size)--;
    }
}
