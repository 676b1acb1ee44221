/* Who is to be woken when: a binary heap with the earliest on top. A
 * connection stands in it once, at conn->timer - 1, while conn->due_ns is not
 * 0; there is room for all. */
#include "base/posix.h"

#include "load.h"

static void
place(wl_load *load, uint32_t at, wl__conn *conn)
{
    load->timers[at] = conn;
    conn->timer = at + 1;
}

static void
move_up(wl_load *load, uint32_t at, wl__conn *conn)
{
    while (at > 0 && load->timers[(at - 1) / 2]->due_ns > conn->due_ns) {
        place(load, at, load->timers[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    place(load, at, conn);
}

static void
move_down(wl_load *load, uint32_t at, wl__conn *conn)
{
    uint32_t count = load->timer_count;
    for (uint32_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count
            && load->timers[child + 1]->due_ns < load->timers[child]->due_ns) {
            child++;
        }
        if (load->timers[child]->due_ns >= conn->due_ns) {
            break;
        }
        place(load, at, load->timers[child]);
        at = child;
    }
    place(load, at, conn);
}

static void
drop(wl_load *load, wl__conn *conn)
{
    uint32_t at = conn->timer - 1;
    wl__conn *last = load->timers[--load->timer_count];
    conn->timer = 0;
    if (last != conn) {
        move_down(load, at, last);
        move_up(load, last->timer - 1, last);
    }
}

void
wl__timer_set(wl_load *load, wl__conn *conn, uint64_t due_ns)
{
    if (conn->timer != 0) {
        if (conn->due_ns == due_ns) {
            return;
        }
        drop(load, conn);
    }
    conn->due_ns = due_ns;
    if (due_ns != 0) {
        move_up(load, load->timer_count++, conn);
    }
}

wl__conn *
wl__timer_due(const wl_load *load, uint64_t now_ns)
{
    return load->timer_count > 0 && load->timers[0]->due_ns <= now_ns
        ? load->timers[0]
        : NULL;
}
