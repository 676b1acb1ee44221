"""What the c-uv adapters share."""

from __future__ import absolute_import


def run(app, sock, ready, options):
    """With supervised=1, as ``python -m wsgibench serve module:app`` serves:
    a supervisor, whose worker imports the application."""
    import wsgibench
    from wsgibench import native

    if options["supervised"]:
        app = "wsgibench_target.entry:application"
    ready(binding=native.preferred())
    wsgibench.serve(
        app,
        bind="fd://%d" % sock.fileno(),
        threads=options["threads"],
        workers=options["workers"],
        loops=options.get("loops", 1),
        backlog=-1,
        grace=5.0,
    )
