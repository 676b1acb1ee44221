"""What the Concurrence adapters share."""

from __future__ import absolute_import


def without_stackless():
    """Concurrence falls back to greenlets when Stackless is not there."""
    import sys

    sys.modules["stackless"] = None


def libraries():
    """The versions of the libraries below it."""
    from concurrence import _event

    return dict(
        tasklets(),
        event_library="libevent " + _event.version(),
        event_method=_event.method(),
    )


def tasklets():
    import sys

    if sys.modules.get("stackless") is not None:
        return {"tasklets": "Stackless"}
    import greenlet

    return {"tasklets": "greenlet " + greenlet.__version__}


def _serve(sock, ready, handle):
    """Its sockets are made from addresses; this one listens already."""
    from concurrence import Tasklet, dispatch
    from concurrence.io import Socket

    listener = Socket.from_file_descriptor(
        sock.fileno(), sock.family, sock.type, Socket.STATE_LISTENING
    )

    def accept():
        ready(**libraries())
        while True:
            Tasklet.new(handle)(listener.accept())

    dispatch(accept)


def serve_raw(work, sock, ready, options):
    from concurrence.io import BufferedStream
    from wsgibench_target.rawhttp import Page

    page = Page(work, options)

    def handle(connection):
        stream = BufferedStream(connection)
        lines = []
        try:
            line = stream.reader.read_line()
            while line:
                lines.append(line)
                line = stream.reader.read_line()
            client = connection.socket.getpeername()[0]
            lines.append("Connection: close")
            data, _ = page.answer("\r\n".join(lines), client)
            stream.writer.write_bytes(data)
            stream.writer.flush()
        except EOFError:
            pass  # the client went away
        stream.close()

    _serve(sock, ready, handle)


def without_length(app):
    """Its server frames every answer itself, and writes what it is given
    beside that: an application's Content-Length would be a second one."""

    def wrapped(environ, start_response):
        def start(status, headers, exc_info=None):
            left = [h for h in headers if h[0].lower() != "content-length"]
            return start_response(status, left, exc_info)

        return app(environ, start)

    return wrapped


def serve_wsgi(app, sock, ready):
    from concurrence.http.server import WSGIServer

    _serve(sock, ready, WSGIServer(without_length(app)).handle_connection)
