/* The PROXY protocol, versions 1 and 2: what a load balancer says of a
 * connection in front of its first byte. */
#ifndef WB_PROXY_PROTOCOL_H
#define WB_PROXY_PROTOCOL_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

enum { WB__PROXY_MAX = 4096 }; /* bytes of one header with all its TLVs */

typedef struct wb__proxy_header {
    size_t size;    /* bytes it took */
    uint8_t is_own; /* the connection is the balancer's own, or nothing is
                       said: its peer is as the kernel tells */
    char address[INET6_ADDRSTRLEN]; /* of the client; "": unix socket */
    uint16_t port;
} wb__proxy_header;

/* 1: *out is set. 0: all of these bytes belong to the header, and it goes on.
 * -1: this is none. */
int wb__proxy_parse(const char *data, size_t size, wb__proxy_header *out);

#endif
