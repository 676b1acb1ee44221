"""What an application does to its process, and in it."""

from __future__ import absolute_import

import os
import socket
import sys
import threading
import time

from wsgibench_audit.behaviours.kit import answer, plain, query


def exits(environ, start_response):
    if query(environ) == "SystemExit":
        sys.exit(7)
    raise KeyboardInterrupt


def background(environ, start_response):
    """?port: a thread of its own says a word there when it has slept."""

    def work():
        time.sleep(0.05)
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except socket.error:  # nobody waits for it any more
            pass

    port = int(query(environ))
    thread = threading.Thread(target=work)
    thread.daemon = True
    thread.start()
    return plain(start_response, b"started")


def process(environ, start_response):
    return answer(start_response, os.getpid())
