"""Errors whose text is one sentence that tells the user what to do."""


class WsgibenchError(Exception):
    """A measurement or a server could not do its work (exit code 1)."""

    exit_code = 1


class UsageError(WsgibenchError):
    """The request itself is wrong: unknown name, bad option (exit code 2)."""

    exit_code = 2
