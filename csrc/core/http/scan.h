/* Character classes of RFC 9110 and RFC 3986, and small comparisons. */
#ifndef WB_SCAN_H
#define WB_SCAN_H

#include <stddef.h>
#include <stdint.h>

enum {
    WB__TOKEN = 1,   /* tchar, RFC 9110 5.6.2 */
    WB__VALUE = 2,   /* HTAB, SP, VCHAR, obs-text: RFC 9110 5.5 */
    WB__TARGET = 4,  /* VCHAR and, for the sake of clients that send raw
                        UTF-8, bytes above 0x7f */
    WB__HEX = 8,
    WB__DIGIT = 16,
    WB__REGNAME = 32 /* unreserved and sub-delims, RFC 3986 3.2.2 */
};

extern const uint8_t wb__class[256];

static inline int
wb__is(char c, int classes)
{
    return (wb__class[(uint8_t)c] & classes) != 0;
}

/* Bytes from the start of `data` that are all in `classes`. */
size_t wb__scan(const char *data, size_t size, int classes);
int wb__hex_digit(char c); /* 0..15; the caller knows it is WB__HEX */
/* ASCII, case-insensitive; `lower` is a lower-case literal. */
int wb__equal_nocase(const char *data, size_t size, const char *lower);
/* Does the comma-separated list hold this member (RFC 9110 5.6.1)? */
int wb__list_has(const char *data, size_t size, const char *lower);
/* Cuts SP and HTAB off both ends. */
void wb__trim(const char **data, size_t *size);

#endif
