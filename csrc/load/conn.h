/* What the files of one connection ask of each other; conn.c tells its
 * states. Calls go down: conn.c, then dial.c and receive.c, send.c, end.c. */
#ifndef WL_CONN_H
#define WL_CONN_H

#include "load.h"

static inline int
wl__conn_is_open(const wl__conn *conn)
{
    return conn->state == WL__OPEN || conn->state == WL__DEAF;
}

/* dial.c */
void wl__conn_dial(wl_load *load, wl__conn *conn);
void wl__conn_connecting(wl_load *load, wl__conn *conn, uint32_t events);
/* There is no connection: the request ends in this class. */
void wl__conn_give_up(wl_load *load, wl__conn *conn, enum wl__class class);

/* receive.c */
void wl__conn_receive(wl_load *load, wl__conn *conn, uint32_t events);

/* send.c */
int wl__conn_take_on(wl_load *load, wl__conn *conn);
void wl__conn_transmit(wl_load *load, wl__conn *conn);
void wl__conn_pump(wl_load *load, wl__conn *conn);
int wl__conn_send_first(wl_load *load, wl__conn *conn);

/* end.c */
void wl__conn_wait(wl_load *load, wl__conn *conn);
void wl__conn_dial_later(wl_load *load, wl__conn *conn, uint64_t at_ns);
void wl__conn_hang_up(wl_load *load, wl__conn *conn);
void wl__conn_carry_over(wl_load *load, wl__conn *conn);

#endif
