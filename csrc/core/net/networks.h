/* Addresses, and lists of those that are trusted. IPv4 addresses are held in
 * IPv6 form (::ffff:192.0.2.1), so that a client is the same over either. */
#ifndef WB_NETWORKS_H
#define WB_NETWORKS_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wb__networks wb__networks;

/* "127.0.0.1, 10.0.0.0/8, ::1, unix, *": addresses, networks, clients of a
 * unix socket, all clients. 0, WB_BADADDRESS or WB_NOMEM. */
int wb__networks_new(const char *text, wb__networks **out);
void wb__networks_free(wb__networks *networks); /* NULL is fine */
/* `address` in text, "" for a unix socket. NULL networks hold none. */
int wb__networks_hold(const wb__networks *networks, const char *address);
/* An address without a port. 0, or -1. */
int wb__address_read(const char *data, size_t size, struct in6_addr *out);
/* Its text, IPv4 as such; `out` has INET6_ADDRSTRLEN bytes. */
void wb__address_write(const struct in6_addr *address, char *out);

#endif
