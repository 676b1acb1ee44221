/* What a connection receives: bytes in, requests out. */
#ifndef WB_INPUT_H
#define WB_INPUT_H

#include "server/conn.h"
#include "server/server.h"

/* A new connection. Takes the descriptor over (and closes it on failure). */
void wb__input_open(wb_server *server, int fd,
                    const struct sockaddr_storage *peer);
/* Reads what the kernel has. */
void wb__input_read(wb__conn *conn);
/* After an answer: the next request may be in the buffer. */
void wb__input_resume(wb__conn *conn);
void wb__input_timeout(wb__conn *conn, enum wb__deadline_kind kind);
void wb__input_on_poll(uv_poll_t *handle, int status, int events);

#endif
