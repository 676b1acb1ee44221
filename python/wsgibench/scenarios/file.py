"""Files: a read, a temporary file written, its content the answer."""

from __future__ import annotations

HELP = "read a file, write a temporary one, answer with it"
APP = "file"
BODY = b"".join(b"%07d\n" % number for number in range(10000))
