/* Handing requests to the caller. */
#ifndef WB_TAKE_H
#define WB_TAKE_H

#include "server/server.h"

/* With the lock. NULL: none is ready. */
wb_request *wb__take(wb_server *server);

#endif
