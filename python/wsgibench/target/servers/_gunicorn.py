"""What the gunicorn adapters share: an application object of its own API."""

from __future__ import absolute_import


def activate(sock):
    """Before 20 it took a socket only as systemd hands one over: as the
    descriptor 3, with a note in the environment."""
    import os

    os.dup2(sock.fileno(), 3)
    os.environ["LISTEN_FDS"] = "1"
    os.environ["LISTEN_PID"] = str(os.getpid())


def run(app, sock, ready, options, config, **found):
    """``found`` is what the adapter knows beside that."""
    from gunicorn import version_info
    from gunicorn.app.base import BaseApplication

    wanted = dict(config, workers=options.get("workers", 1))
    if "threads" in options:
        wanted["threads"] = options["threads"]

    class Embedded(BaseApplication):
        def load_config(self):
            if version_info >= (20,):
                self.cfg.set("bind", "fd://%d" % sock.fileno())
            for name, value in wanted.items():
                self.cfg.set(name, value)
            if "control_socket_disable" in self.cfg.settings:
                # Newer ones open a socket for a control program.
                self.cfg.set("control_socket_disable", True)

        def load(self):
            return app

    embedded = Embedded()
    # Read back from the server, not from what it was told.
    names = ("workers", "threads", "keepalive", "backlog", "accesslog")
    effective = {name: getattr(embedded.cfg, name) for name in names}
    effective["worker_class"] = embedded.cfg.worker_class_str
    ready(**dict(effective, **found))
    if version_info < (20,):
        activate(sock)
    embedded.run()
