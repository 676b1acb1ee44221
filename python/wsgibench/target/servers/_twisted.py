"""What the adapters on Twisted's reactor share."""

from __future__ import absolute_import


def listen(sock, site):
    import socket

    from twisted.internet import reactor

    site.log = lambda request: None
    sock.setblocking(False)
    reactor.adoptStreamPort(sock.fileno(), socket.AF_INET, site)


def run(ready, **settings):
    from twisted.internet import reactor

    ready(reactor=reactor.__class__.__name__, **settings)
    reactor.run()
