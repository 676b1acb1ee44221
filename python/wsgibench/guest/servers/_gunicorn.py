"""What the gunicorn adapters share: an application object of its own API."""

from __future__ import absolute_import


def run(app, sock, ready, config):
    from gunicorn.app.base import BaseApplication

    class Embedded(BaseApplication):
        def load_config(self):
            self.cfg.set("bind", "fd://%d" % sock.fileno())
            self.cfg.set("workers", 1)
            for name, value in config.items():
                self.cfg.set(name, value)

        def load(self):
            return app

    ready(**config)
    Embedded().run()
