"""What the c-uv adapters share."""

from __future__ import absolute_import


def run(app, sock, ready, threads, workers):
    import wsgibench
    from wsgibench import native

    ready(binding=native.preferred())
    wsgibench.serve(
        app,
        bind="fd://%d" % sock.fileno(),
        threads=threads,
        workers=workers,
        backlog=-1,
        grace=5.0,
    )
