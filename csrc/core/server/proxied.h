/* Behind proxies: whom the server believes, and what follows from it. */
#ifndef WB_PROXIED_H
#define WB_PROXIED_H

#include <stddef.h>
#include <stdint.h>

#include "net/networks.h"

struct wb_server;
struct wb__conn;
struct wb__request;

typedef struct wb__proxied {
    wb__networks *forwarders; /* whose fields count; NULL: none */
    int fields;               /* enum wb__forwarded_field */
    wb__networks *balancers;  /* who may send a PROXY header */
    char *root_path;          /* without a "/" at its end; owned, or NULL */
    size_t root_size;
} wb__proxied;

/* From config. 0, WB_BADADDRESS, WB_INVALID or WB_NOMEM. */
int wb__proxied_open(struct wb_server *server);
void wb__proxied_close(struct wb_server *server);
/* A new connection, its peer known: 0, or -1 if it must be closed. */
int wb__proxied_accept(struct wb__conn *conn);
/* In WB__CONN_PROXY: reads the PROXY header and not a byte more. 1: it is
 * done, 0: more must come, -1: the connection must be closed. */
int wb__proxied_read(struct wb__conn *conn);
/* What the request's fields say, if its sender is believed, and the root
 * path. 0 or WB_NOMEM. */
int wb__proxied_request(struct wb__request *request);

#endif
