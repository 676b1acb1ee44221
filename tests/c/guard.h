/* Memory whose end is the end of the world: one byte too far is SIGSEGV, with
 * or without a sanitizer. */
#ifndef GUARD_H
#define GUARD_H

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

typedef struct guard {
    char *pages;
    size_t room; /* before the forbidden page */
} guard;

static inline guard
guard_new(size_t room)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guard made = { NULL, (room + page - 1) / page * page };
    made.pages = mmap(NULL, made.room + page, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(made.pages != MAP_FAILED);
    CHECK(mprotect(made.pages + made.room, page, PROT_NONE) == 0);
    return made;
}

/* A copy whose last byte is the last one allowed. */
static inline char *
guard_put(guard *guarded, const char *data, size_t size)
{
    CHECK(size <= guarded->room);
    char *place = guarded->pages + guarded->room - size;
    memcpy(place, data, size);
    return place;
}

#endif
