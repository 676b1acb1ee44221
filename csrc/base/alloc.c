#include "base/alloc.h"

#include <stdlib.h>

#ifdef WB_TESTING
/* The only mutable statics of the core, and only in test builds. */
static long fail_countdown;
static int failed;
static _Atomic long held; /* threads of tests/c/test_threads.c */

void
wb__alloc_fail_at(long n)
{
    fail_countdown = n;
    failed = 0;
}

int
wb__alloc_failed(void)
{
    return failed;
}

long
wb__alloc_held(void)
{
    return held;
}

static int
refuse(void)
{
    if (fail_countdown == 0) {
        return 0;
    }
    fail_countdown--;
    failed |= fail_countdown == 0;
    return fail_countdown == 0;
}
#define COUNT(change) (held += (change))
#else
#define refuse()      0
#define COUNT(change) ((void)0)
#endif

void *
wb__alloc(size_t size)
{
    void *memory = refuse() ? NULL : malloc(size);
    if (memory != NULL) {
        COUNT(1);
    }
    return memory;
}

void *
wb__calloc(size_t size)
{
    void *memory = refuse() ? NULL : calloc(1, size);
    if (memory != NULL) {
        COUNT(1);
    }
    return memory;
}

void *
wb__realloc(void *memory, size_t size)
{
    void *moved = refuse() ? NULL : realloc(memory, size);
    if (moved != NULL && memory == NULL) {
        COUNT(1);
    }
    return moved;
}

void
wb__free(void *memory)
{
    if (memory != NULL) {
        COUNT(-1);
    }
    free(memory);
}
