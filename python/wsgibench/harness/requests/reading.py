"""Which kind of file it is, told by what is in it."""

from __future__ import annotations

import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

from wsgibench import bounded
from wsgibench.errors import UsageError
from wsgibench.harness.requests import access_log, har, lines
from wsgibench.harness.requests.request import Request

GZIP = b"\x1f\x8b"
#: Lines at the beginning of which one tells a log: some may be broken.
LOOKED_AT = 10
#: Over all requests of a file; more are a typing error.
MAX_WEIGHT = 1_000_000


@dataclass(frozen=True)
class Traffic:
    requests: tuple[Request, ...]
    kind: str
    host: str = ""  # that the file names
    remarks: tuple[str, ...] = ()


def read(name: str, sample: int = 0, seed: int = 1) -> Traffic:
    path = Path(name)
    data = bounded.read(path, may_wait=True)
    if data.startswith(GZIP):
        data = _unpacked(path, data)
    text = data.decode("utf-8-sig", errors="surrogateescape")
    found = _read(text, path, sample, seed)
    if not found.requests:
        raise UsageError("there is no request in %s." % path)
    if sum(one.weight for one in found.requests) > MAX_WEIGHT:
        raise UsageError(
            "the weights in %s sum to more than %d." % (path, MAX_WEIGHT)
        )
    return found


def _unpacked(path: Path, data: bytes) -> bytes:
    """A small file can hold very much."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            found = file.read(bounded.LARGEST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UsageError("cannot read %s: %s." % (path, error)) from error
    if len(found) > bounded.LARGEST:
        raise UsageError(
            "%s is too large: it holds over %d MiB."
            % (path, bounded.LARGEST >> 20)
        )
    return found


def _read(text: str, path: Path, sample: int, seed: int) -> Traffic:
    begin = [line for line in text.splitlines() if line.strip()][:LOOKED_AT]
    first = begin[0] if begin else ""
    if any(map(access_log.fits, begin)):
        asked, remarks = access_log.read(text, path, sample, seed)
        return Traffic(tuple(asked), "access log", "", tuple(remarks))
    if sample:
        raise UsageError(
            "--sample is for an access log, and %s is none." % path
        )
    if first.lstrip()[:1] != "{":
        return Traffic(tuple(lines.plain(text, path)), "lines")
    if '"log"' in text[:4096] and '"target"' not in first:
        asked, host, remarks = har.read(text, path)
        return Traffic(tuple(asked), "HAR", host, tuple(remarks))
    return Traffic(tuple(lines.of_json(text, path)), "JSON lines")
