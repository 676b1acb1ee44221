"""What a server must survive: one file a fault in ``cases``.

The tests run each small; ``python -m tests.faults NAME`` runs one at its full
size and prints its figures beside their limits.
"""
