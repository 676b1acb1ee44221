"""What the gunicorn adapters share: an application object of its own API."""

from __future__ import absolute_import


def run(app, sock, ready, options, config):
    from gunicorn.app.base import BaseApplication

    wanted = dict(config, workers=options.get("workers", 1))
    if "threads" in options:
        wanted["threads"] = options["threads"]

    class Embedded(BaseApplication):
        def load_config(self):
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
    ready(**effective)
    embedded.run()
