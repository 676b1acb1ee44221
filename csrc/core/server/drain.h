/* A stop: no more connections are let in, idle ones are closed, and the rest
 * gets its answers, for some time. */
#ifndef WB_DRAIN_H
#define WB_DRAIN_H

#include "server/server.h"

/* Looks how far a stop is, if one was asked for. By the loop's thread. */
void wb__drain_step(wb_server *server);

#endif
