/* A fixed piece of work, whose time says how fast the CPU is at this moment.
 *
 * A guest on the other hardware thread of our core takes units and caches from
 * us, and neither stolen time nor pressure shows it. Work that leaves most of
 * the core idle (one chain of multiplications) is not slowed by that; what
 * servers do is. So this is an interpreter: it follows a program, and keeps
 * its data in a table that is larger than the first-level cache.
 */
#include "base/posix.h"

#include <time.h>

#include "base/alloc.h"
#include "random.h"
#include "wsgibench_load.h"

enum {
    STEPS = 200000,
    PROGRAM = 512,  /* operations, which a branch predictor learns */
    CELLS = 32768,  /* of four bytes */
    OPERATIONS = 16
};

typedef struct yard {
    uint8_t program[PROGRAM];
    uint32_t cells[CELLS];
} yard;

static void
fill(yard *yard)
{
    for (uint32_t i = 0; i < PROGRAM; i++) {
        yard->program[i] = (uint8_t)wl__below(wl__mix(i), OPERATIONS);
    }
    for (uint32_t i = 0; i < CELLS; i++) {
        yard->cells[i] = (uint32_t)wl__mix(PROGRAM + i);
    }
}

/* Of registers a, b, c, d the next value. */
static uint64_t
operate(unsigned operation, uint32_t *cell, const uint64_t *r)
{
    uint64_t a = r[0], b = r[1], c = r[2], d = r[3];
    switch (operation) {
    case 0:
        return a + b;
    case 1:
        return a ^ *cell;
    case 2:
        *cell += (uint32_t)a;
        return b + 3;
    case 3:
        return (a << 3) - c;
    case 4:
        return a + (b & 7);
    case 5:
        return a * 31 + d;
    case 6:
        *cell = (uint32_t)c;
        return a + c;
    case 7:
        return (a >> 5) ^ b;
    case 8:
        return d - *cell;
    case 9:
        return (b - a) ^ (c & d);
    case 10:
        return a + (b >> 3) + (c >> 7);
    case 11:
        return ~a ^ (d << 1);
    case 12:
        return *cell ^ (a + d);
    case 13:
        return c * 17 - b;
    case 14:
        return *cell + (c | d);
    default:
        return a - b + c - d;
    }
}

static uint64_t
work(yard *yard)
{
    uint64_t r[4] = { 1, 2, 3, 4 };
    for (uint32_t i = 0; i < STEPS; i++) {
        uint32_t *cell = &yard->cells[(r[3] + i) % CELLS];
        uint64_t next = operate(yard->program[i % PROGRAM], cell, r);
        r[0] = r[1];
        r[1] = r[2];
        r[2] = r[3];
        r[3] = next;
    }
    return r[3];
}

/* Of this thread: who takes the CPU away meanwhile is not in it. */
static uint64_t
used_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t
wl_yardstick(void)
{
    yard *yard = wb__alloc(sizeof(*yard));
    if (yard == NULL) {
        return 0;
    }
    fill(yard);
    uint64_t before = used_ns();
    volatile uint64_t result = work(yard); /* or it would be left out */
    uint64_t used = used_ns() - before;
    (void)result;
    wb__free(yard);
    return used;
}
