"""What an application does for one request, apart from how it is called.

A module of apps/ has ``task()``, which blocks and returns the body, or
``steps()``, a generator of small pieces: it yields the seconds to wait before
the next piece (0: let others run) and, last, the body. A server with a loop
can run steps without blocking it; everyone else runs them one after another.
``setup(services)``, if there is one, learns where the services listen.

Beside ``task()`` it may have ``cooperates()``, the same work for a loop that has
clients of its own: a generator that yields a Fetch or an awaitable, is sent
what came of it, and yields the body last.
"""

from __future__ import absolute_import

import collections
import time

#: A page to get, and the authority to trust ("" for none).
Fetch = collections.namedtuple("Fetch", "url ca")


class Work(object):
    def __init__(self, module):
        self._module = module
        self.content_type = getattr(module, "CONTENT_TYPE", "text/html")
        self.splits = hasattr(module, "steps")
        self.cooperates = getattr(module, "cooperates", None)

    def run(self):
        """The body, however long it takes."""
        if hasattr(self._module, "task"):
            return self._module.task()
        for step in self._module.steps():
            if isinstance(step, bytes):
                return step
            if step:
                time.sleep(step)
        raise RuntimeError("the steps ended without a body")

    def steps(self):
        return self._module.steps()
