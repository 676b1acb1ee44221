/* Character classes of RFC 9110 and RFC 3986, and small comparisons. */
#ifndef WB_SCAN_H
#define WB_SCAN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    WB__TOKEN = 1,   /* tchar, RFC 9110 5.6.2 */
    WB__VALUE = 2,   /* HTAB, SP, VCHAR, obs-text: RFC 9110 5.5 */
    WB__TARGET = 4,  /* VCHAR and, for the sake of clients that send raw
                        UTF-8, bytes above 0x7f */
    WB__HEX = 8,
    WB__DIGIT = 16,
    WB__REGNAME = 32, /* unreserved and sub-delims, RFC 3986 3.2.2 */
    WB__MARK = 64     /* "#", "?", "%": what a target must be searched for */
};

extern const uint8_t wb__class[256];

static inline int
wb__is(char c, int classes)
{
    return (wb__class[(uint8_t)c] & classes) != 0;
}

/* Bytes from the start of `data` that are all in `classes`. */
size_t wb__scan(const char *data, size_t size, int classes);
/* Bytes from the start of `data` that are no control characters (HTAB is
 * none): up to the first that is not WB__VALUE. *high is set if one of the
 * bytes looked at is above 0x7f. */
size_t wb__scan_text(const char *data, size_t size, int *high);
int wb__hex_digit(char c); /* 0..15; the caller knows it is WB__HEX */
/* ASCII, case-insensitive; `lower` is a lower-case literal. */
int wb__equal_nocase(const char *data, size_t size, const char *lower);
/* Does the comma-separated list hold this member (RFC 9110 5.6.1)? */
int wb__list_has(const char *data, size_t size, const char *lower);
/* Quick, and not safe against chosen collisions: a table that uses it compares
 * keys in full and holds a bounded number for each remainder. */
static inline uint32_t
wb__hash(const char *data, size_t size)
{
    const uint64_t k = 0x9e3779b97f4a7c15u;
    const char *end = data + size;
    uint64_t a = size * k, word[2] = { 0, 0 };
    for (; end - data > 16; data += 16) {
        memcpy(word, data, 16);
        a = (a ^ word[0]) * k;
        a = (a ^ word[1] ^ (a >> 32)) * k;
    }
    if (size >= 16) {
        memcpy(word, end - 16, 16); /* some of it again */
    } else if (size >= 8) {
        memcpy(&word[0], data, 8);
        memcpy(&word[1], end - 8, 8);
    } else {
        word[0] = word[1] = 0;
        while (data < end) {
            word[0] = word[0] << 8 | (unsigned char)*data++;
        }
    }
    a = (a ^ word[0] ^ (a >> 32)) * k;
    a = (a ^ word[1] ^ (a >> 32)) * k;
    return (uint32_t)(a >> 32);
}
/* Cuts SP and HTAB off both ends. */
void wb__trim(const char **data, size_t *size);

#endif
