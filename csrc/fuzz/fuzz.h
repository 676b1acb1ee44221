/* What the fuzz targets share.
 *
 * Each target is one libFuzzer program: bytes in, a crash out if something
 * that must hold does not. Nothing is kept from one input to the next, so
 * that every finding can be reproduced from its file alone. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(condition)                                                       \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__,  \
                    #condition);                                              \
            abort();                                                          \
        }                                                                     \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy in a block of its own size, so that the sanitizer sees a reader that
 * goes one byte too far. */
static inline char *
copy_of(const void *data, size_t size)
{
    char *copy = malloc(size == 0 ? 1 : size);
    MUST(copy != NULL);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}

/* How the bytes are cut: 0 not at all, 1 after each, others at random but
 * for ever in the same way. */
typedef struct cuts {
    uint8_t seed;
    uint32_t state;
} cuts;

static inline size_t
next_piece(cuts *cut, size_t left)
{
    if (cut->seed == 0 || left == 0) {
        return left;
    }
    if (cut->seed == 1) {
        return 1;
    }
    cut->state = (cut->state ^ cut->seed) * 1664525u + 1013904223u;
    size_t piece = 1 + (cut->state >> 16) % (2u * cut->seed);
    return piece < left ? piece : left;
}

#endif
