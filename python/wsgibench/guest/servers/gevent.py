"""gevent.pywsgi, one process."""

from __future__ import absolute_import

NAME = "gevent"
REQUIRES = ["gevent"]
INTERPRETERS = "CPython >= 2.7, PyPy"
SETTINGS = {"keep_alive": True, "access_log": False, "workers": 1}


def serve(app, sock, ready, options):
    from gevent import socket as gevent_socket
    from gevent.pywsgi import WSGIServer

    listener = gevent_socket.socket(fileno=sock.detach())
    server = WSGIServer(listener, app, log=None)
    ready()
    server.serve_forever()
