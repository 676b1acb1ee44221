/* Small readings and writings of text, used in more than one place. */
#ifndef WB_TEXT_H
#define WB_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* 1*DIGIT, at most `max` (below 2^60). 0, or -1. */
int wb__decimal(const char *data, size_t size, uint64_t max, uint64_t *out);
/* Writes it to `out` (room for 20 bytes); returns the end. */
char *wb__put_decimal(char *out, uint64_t value);
const char *wb__month(int month); /* 0: "Jan"; three letters */

#endif
