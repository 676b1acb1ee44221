#include "base/posix.h"
#include "server/deadline.h"

#include <stddef.h>
#include <time.h>

void
wb__deadlines_init(wb__deadlines *deadlines)
{
    for (int kind = 0; kind < WB__DEADLINES; kind++) {
        wb__timed *queue = &deadlines->queues[kind];
        queue->prev = queue->next = queue;
    }
}

void
wb__deadline_clear(wb__timed *timed)
{
    if (timed->kind != WB__NO_DEADLINE) {
        timed->prev->next = timed->next;
        timed->next->prev = timed->prev;
        timed->kind = WB__NO_DEADLINE;
    }
}

void
wb__deadline_arm(wb__deadlines *deadlines, wb__timed *timed,
                 enum wb__deadline_kind kind, uint64_t now)
{
    wb__deadline_clear(timed);
    timed->due = now + deadlines->length[kind];
    if (deadlines->length[kind] == 0) {
        return;
    }
    wb__timed *queue = &deadlines->queues[kind];
    timed->kind = (uint8_t)kind;
    timed->prev = queue->prev;
    timed->next = queue;
    queue->prev->next = timed;
    queue->prev = timed;
}

wb__timed *
wb__deadline_expired(wb__deadlines *deadlines, uint64_t now,
                     enum wb__deadline_kind *kind)
{
    for (int i = 1; i < WB__DEADLINES; i++) {
        wb__timed *first = deadlines->queues[i].next;
        if (first != &deadlines->queues[i] && first->due <= now) {
            *kind = (enum wb__deadline_kind)i;
            wb__deadline_clear(first);
            return first;
        }
    }
    return NULL;
}

int64_t
wb__deadline_next(const wb__deadlines *deadlines, uint64_t now)
{
    int64_t next = -1;
    for (int kind = 1; kind < WB__DEADLINES; kind++) {
        const wb__timed *first = deadlines->queues[kind].next;
        if (first != &deadlines->queues[kind]) {
            int64_t left = first->due > now ? (int64_t)(first->due - now) : 0;
            next = next < 0 || left < next ? left : next;
        }
    }
    return next;
}

uint64_t
wb__now_ms(void)
{
    struct timespec now;
#ifdef CLOCK_MONOTONIC_COARSE
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
    clock_gettime(CLOCK_MONOTONIC, &now);
#endif
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
