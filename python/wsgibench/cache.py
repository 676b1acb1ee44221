"""Where environments and tools are kept between runs."""

from __future__ import annotations

import os
from pathlib import Path

from wsgibench.errors import WsgibenchError


def directory() -> Path:
    override = os.environ.get("WSGIBENCH_CACHE")
    if override:
        return Path(override)
    import platformdirs

    return Path(platformdirs.user_cache_dir("wsgibench"))


def make(folder: Path) -> None:
    """A folder in it; WsgibenchError if it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WsgibenchError(
            "cannot use the cache directory %s: %s; WSGIBENCH_CACHE names "
            "another." % (directory(), error.strerror)
        ) from error
