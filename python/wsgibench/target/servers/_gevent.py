"""What the gevent adapters share."""

from __future__ import absolute_import

import os


def loop():
    """Which of its loops it runs: libev or libuv, by Cython or cffi."""
    import gevent

    return gevent.config.loop.__module__


def listener(sock):
    """gevent's own socket of the same listener; ours stays whole."""
    from gevent import socket

    if hasattr(sock, "detach"):
        return socket.socket(fileno=os.dup(sock.fileno()))
    return socket.fromfd(sock.fileno(), sock.family, sock.type)  # Python 2.7
