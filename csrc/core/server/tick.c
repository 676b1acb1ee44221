#include "base/posix.h"

#include "server/tick.h"

#include "server/lock.h"

void
wb__tick_by(wb_server *server, uint64_t due)
{
    /* shared: other threads arm deadlines, so the tick never rests. */
    if (due >= server->tick_due || server->closing
        || !wb__server_on_loop(server)) {
        return;
    }
    uint64_t now = wb__now_ms();
    /* A little late rather than early: the clock is coarse. */
    uint64_t wait = due > now ? due - now + 5 : 5;
    server->tick_due = due;
    uv_update_time(&server->loop);
    uv_timer_start(&server->tick, server->on_tick, wait, 0);
}
