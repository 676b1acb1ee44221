/* What libuv calls back, and how the loop is begun. */
#ifndef WB_LOOP_H
#define WB_LOOP_H

#include "server/server.h"

void wb__loop_on_tick(uv_timer_t *timer);
void wb__loop_on_async(uv_async_t *async);
void wb__loop_schedule(wb_server *server); /* the next tick */

#endif
