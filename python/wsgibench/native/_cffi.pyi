"""Made by csrc/cffi/build_cffi.py from the two public C headers: every
function and constant of theirs is an attribute of `lib`."""

from typing import Any

ffi: Any
lib: Any
