"""gevent.pywsgi, one process."""

from __future__ import absolute_import

NAME = "gevent"
REQUIRES = ["gevent"]
INTERPRETERS = "CPython >= 2.7, PyPy"
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}


def serve(app, sock, ready, options):
    import os

    from gevent import socket as gevent_socket
    from gevent.pywsgi import WSGIServer

    if hasattr(sock, "detach"):
        listener = gevent_socket.socket(fileno=os.dup(sock.fileno()))
    else:  # Python 2.7
        listener = gevent_socket.fromfd(sock.fileno(), sock.family, sock.type)
    server = WSGIServer(listener, app, log=None)
    ready()
    server.serve_forever()
