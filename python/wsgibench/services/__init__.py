"""Services that scenarios need (databases, origins), started on demand.

One module a service, its file name is its name. It has HELP, PACKAGES (of
Debian), ``missing()`` (a sentence if it cannot be started here, or "") and
``start(folder, needed)``, which returns it running and proven by an answer:
an object with ``settings`` (what applications must know, and what the record
keeps), ``problem()`` ("" while it is well) and ``stop()``. SERVICES names
those it needs itself; ``needed`` has their settings.
"""
