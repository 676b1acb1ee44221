"""What the Syncless adapters share."""

from __future__ import absolute_import


def libraries():
    """The versions of the libraries below it: it takes libev,
    libevent, or a loop of its own around select, whichever it was built
    with."""
    from syncless import coio
    from syncless.best_stackless import stackless

    if stackless.__name__ == "stackless":
        tasklets = "Stackless"
    else:
        import greenlet

        tasklets = "greenlet " + greenlet.__version__
    return {
        "stackless": stackless.__name__,
        "tasklets": tasklets,
        "event_library": coio.version(),
        "event_method": coio.method(),
    }
