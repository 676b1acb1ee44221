/* What a trusted proxy says of its client: X-Forwarded-For, -Proto and -Host,
 * or Forwarded (RFC 7239).
 *
 * Proxies append. So the list is read from its end, as long as what is found
 * is itself trusted; the first address that is not is the client, and what
 * stands before it may come from the client itself. Pure functions of a header
 * block: whether its sender may be believed, the caller has to know. */
#ifndef WB_FORWARDED_H
#define WB_FORWARDED_H

#include <netinet/in.h>

#include "net/networks.h"
#include "wsgibench.h"

enum wb__forwarded_field {
    WB__X_FORWARDED_FOR = 1,
    WB__X_FORWARDED_PROTO = 2,
    WB__X_FORWARDED_HOST = 4,
    WB__FORWARDED = 8
};

typedef struct wb__forwarded {
    char address[INET6_ADDRSTRLEN]; /* "": not told */
    uint16_t port;                  /* 0: not told */
    const char *scheme;             /* "http", "https"; NULL: not told */
    const char *host;               /* host [":" port], valid, in the block;
                                       NULL: not told */
    size_t host_size;
} wb__forwarded;

/* "x-forwarded-for,forwarded ..." as a set of the above; below 0: WB_INVALID.
 */
int wb__forwarded_fields(const char *text);
/* Forwarded counts only where none of the others came: a proxy that sets
 * these passes on what its client wrote there. */
void wb__forwarded_read(const wb_fields *fields, const wb__networks *trusted,
                        int which, wb__forwarded *out);

#endif
