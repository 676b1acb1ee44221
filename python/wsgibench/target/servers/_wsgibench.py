"""What the c-uv adapters share."""

from __future__ import absolute_import


def run(app, sock, ready, options):
    """With supervised=1, as ``python -m wsgibench serve module:app`` serves:
    a supervisor, whose worker imports the application."""
    import wsgibench
    from wsgibench import native

    if options["supervised"]:
        app = "wsgibench_target.entry:application"
    # Of "wsgibench 0.2.0, libuv 1.44.2, http-parser 2.9.4".
    parser = native.binding().VERSIONS.rpartition(", ")[2]
    ready(binding=native.preferred(), parser=parser)
    wsgibench.serve(
        app,
        bind="fd://%d" % sock.fileno(),
        threads=options["threads"],
        workers=options["workers"],
        loops=options.get("loops", 1),
        backlog=-1,
        grace=5.0,
    )
