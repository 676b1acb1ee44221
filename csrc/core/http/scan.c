#include "http/scan.h"

#include <string.h>

/* One row for sixteen bytes; the bits are the enum in scan.h. */
/* clang-format off */
const uint8_t wb__class[256] = {
     0,  0,  0,  0,  0,  0,  0,  0,  0,  2,  0,  0,  0,  0,  0,  0,
     0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,
     2, 39,  6, 71, 39, 71, 39, 39, 38, 38, 39, 39, 38, 39, 39,  6,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63,  6, 38,  6, 38,  6, 70,
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

/* ---- sixteen bytes at a time -------------------------------------------- */

#if defined(__SSE2__) && defined(__GNUC__)

enum { STEP = 16 };
typedef unsigned char step_bytes __attribute__((vector_size(16)));
typedef char step_mask __attribute__((vector_size(16)));

/* Where the first control character of these stands; STEP: there is none. */
static inline size_t
find_control(const char *data, int *high)
{
    step_bytes bytes;
    memcpy(&bytes, data, sizeof(bytes));
    step_mask control
        = (step_mask)(((bytes < 32) & (bytes != '\t')) | (bytes == 127));
    int bits = __builtin_ia32_pmovmskb128(control);
    *high |= __builtin_ia32_pmovmskb128((step_mask)bytes);
    return bits == 0 ? STEP : (size_t)__builtin_ctz((unsigned)bits);
}

#else

enum { STEP = 8 };

static inline size_t
find_control(const char *data, int *high)
{
    const uint64_t ones = UINT64_MAX / 255, tops = ones << 7;
    uint64_t bytes;
    memcpy(&bytes, data, sizeof(bytes));
    uint64_t low = bytes & ~tops;
    *high |= (bytes & tops) != 0;
    /* A top bit for each byte that is neither below 32 nor 127. */
    uint64_t text = ((low + 96 * ones) & ~(low + ones)) | bytes;
    if ((text & tops) == tops) {
        return STEP;
    }
    return wb__scan(data, STEP, WB__VALUE); /* or it was an HTAB */
}

#endif

size_t
wb__scan_text(const char *data, size_t size, int *high)
{
    size_t i = 0;
    while (size - i >= STEP) {
        size_t text = find_control(data + i, high);
        i += text;
        if (text < STEP) {
            return i;
        }
    }
    for (; i < size && wb__is(data[i], WB__VALUE); i++) {
        *high |= (unsigned char)data[i] >> 7;
    }
    return i;
}

/* ---- small comparisons -------------------------------------------------- */

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
