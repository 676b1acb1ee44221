/* What the files of CoreServer share: server_new.c, server_close.c,
 * server_turn.c and server_type.c. */
#ifndef WP_SERVER_H
#define WP_SERVER_H

#include "module.h"

/* server_new.c */
PyObject *wp_server_new(PyTypeObject *type, PyObject *args,
                        PyObject *keywords);

/* server_close.c */
int wp_server_traverse(wp_server *server, visitproc visit, void *arg);
int wp_server_clear(wp_server *server);
void wp_server_finalize(wp_server *server);
void wp_server_dealloc(wp_server *server);
PyObject *wp_server_close(wp_server *server);
int wp_server_is_forked(wp_server *server);
/* Blocks that slow clients have taken by now. */
void wp_release_blocks(wb_server *core);
/* Before a method that turns the loop or serves; wp_server_leave() is its end.
 * 0, or -1 with an exception. */
int wp_server_enter(wp_server *server);
/* The last one to leave closes the server if that was asked for meanwhile.
 * `result` (NULL: an exception is set), or NULL with an exception. */
PyObject *wp_server_leave(wp_server *server, PyObject *result);

/* server_turn.c: the methods of these names */
PyObject *wp_server_turn(wp_server *server, PyObject *timeout);
PyObject *wp_server_run(wp_server *server, PyObject *unused);
PyObject *wp_server_stand_by(wp_server *server, PyObject *unused);
PyObject *wp_server_canned(wp_server *server, PyObject *response);
/* Seconds or None -> ms, -1 for None. -2 with an exception. */
int wp_read_timeout(PyObject *timeout);

#endif
