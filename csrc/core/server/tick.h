/* The timer after which deadlines, the log and a stop are looked at. */
#ifndef WB_TICK_H
#define WB_TICK_H

#include "server/server.h"

/* At the latest then (ms, monotonic). */
void wb__tick_by(wb_server *server, uint64_t due);

#endif
