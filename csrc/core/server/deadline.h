/* All deadlines of a server. Every kind has one fixed length, so a queue per
 * kind is always in order of expiry: arming and clearing cost a few stores,
 * and only the fronts are looked at. */
#ifndef WB_DEADLINE_H
#define WB_DEADLINE_H

#include <stdint.h>

enum wb__deadline_kind {
    WB__NO_DEADLINE,
    WB__HEAD,   /* until the head is complete */
    WB__BODY,   /* until the next quantum of the body */
    WB__IDLE,   /* between requests */
    WB__WRITE,  /* until the client takes a byte */
    WB__LINGER, /* after the last answer, until the client closes */
    WB__DEADLINES
};

typedef struct wb__timed {
    struct wb__timed *prev, *next;
    uint64_t due; /* ms, monotonic */
    uint8_t kind; /* WB__NO_DEADLINE: in no queue */
} wb__timed;

typedef struct wb__deadlines {
    wb__timed queues[WB__DEADLINES]; /* ring heads */
    uint32_t length[WB__DEADLINES];  /* ms; 0: that deadline is off */
} wb__deadlines;

void wb__deadlines_init(wb__deadlines *deadlines);
void wb__deadline_arm(wb__deadlines *deadlines, wb__timed *timed,
                      enum wb__deadline_kind kind, uint64_t now);
void wb__deadline_clear(wb__timed *timed);
/* Takes one that is over out of its queue, or NULL. *kind: which it was. */
wb__timed *wb__deadline_expired(wb__deadlines *deadlines, uint64_t now,
                                enum wb__deadline_kind *kind);
/* ms until the first is over; -1: none is armed. */
int64_t wb__deadline_next(const wb__deadlines *deadlines, uint64_t now);
uint64_t wb__now_ms(void); /* monotonic, a few ms coarse, a few ns cheap */

#endif
