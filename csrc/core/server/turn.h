/* One turn of the loop. */
#ifndef WB_TURN_H
#define WB_TURN_H

#include "server/server.h"

void wb__turn_count(wb_server *server);
/* One uv_run(). Called with the lock, which is given away meanwhile. */
void wb__turn(wb_server *server, uv_run_mode mode);
/* The same, of at most timeout_ms; -1: until something happens. */
void wb__turn_for(wb_server *server, int timeout_ms);

/* The time after which a sleep is over. */
struct timespec wb__until(int timeout_ms);
/* Sleeps until another thread signals; below 0: without a limit. 0 or
 * ETIMEDOUT. */
int wb__sleep_on(wb_server *server, pthread_cond_t *cond, int timeout_ms,
                 const struct timespec *until);

#endif
