/* A server and its clients in one thread, over loopback. */
#ifndef WIRE_H
#define WIRE_H

#include <netinet/in.h>
#include <stddef.h>

#include "wsgibench.h"

enum { WIRE_ROOM = 1 << 20 };

typedef struct wire {
    wb_server *server;
    int port;
    int client;         /* or -1 */
    int eof;            /* the server closed, or reset */
    const char *unsent; /* what the client still has to send */
    size_t unsent_size;
    size_t step;        /* bytes it sends at a time */
    int vanish;         /* 1: closes when all is sent, 2: with a reset */
    size_t size;        /* of what came back */
    char data[WIRE_ROOM];
} wire;

extern const wb_head wire_ok; /* 200 OK, text/plain */

/* A socket bound to a port of the loopback that `address` gets. */
int wire_listen(struct sockaddr_in *address);
/* The kernel takes little of an answer: 4 KiB before it says EAGAIN. */
void wire_narrow(wb_config *config);
int wire_path_is(const wb_request *request, const char *path);
/* Serves an application in C (wire.c) whose paths are ways to answer. 0, or
 * the error of wb_server_new(). */
int wire_open(wire *wire, void (*configure)(wb_config *config));
void wire_close(wire *wire);
/* Sends `data`, with turns of the loop between the pieces that `cut` divides
 * it in (0: whole; 1: by bytes; n: the first n, then the rest), until the
 * server closes. */
void wire_talk(wire *wire, const char *data, size_t size, size_t cut);
/* The same, but the client vanishes after `size` bytes. */
void wire_vanish(wire *wire, const char *data, size_t size, int reset);
void wire_turn(wire *wire);
int wire_connect(wire *wire);
/* How often the text stands in what came back. */
int wire_count(const wire *wire, const char *text);

#endif
