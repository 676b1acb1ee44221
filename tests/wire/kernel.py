"""What this kernel lets this user do."""

from __future__ import annotations

import array
import socket
import struct
import sys

from wsgibench.native import sockets


def may_filter() -> bool:
    """Some kernels let root alone put a filter on a socket."""
    if sys.platform != "linux":
        return False
    code = array.array("B", struct.pack("=HBBI", 6, 0, 0, 0))
    pointer = struct.pack("@HP", 1, code.buffer_info()[0])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        try:
            listener.setsockopt(
                socket.SOL_SOCKET, sockets.SO_ATTACH_FILTER, pointer
            )
        except OSError:
            return False
    return True
