"""A server that misbehaves on schedule and keeps an account of it.

``python golden.py '{"reset_each": 100, ...}'`` prints its port, serves until
its standard input ends, and then prints what it did, as JSON. In the plan:

  KIND_each: N    each N-th request gets this KIND of answer:
                  reset, wrong, half (early end), silent, status, junk, delay
  delay: S        seconds for ``delay``
  delays: [S ...] the n-th request is answered after the n-th of these, over
                  and over
  mute_each: N    each N-th connection is never answered
  stall_at: N     the N-th request stops the whole server ...
  stall: S        ... for so long
  close: true     each answer ends its connection
  die_at: N       the process ends at the N-th request, like a crash
  body, chunked   what a right answer holds, and how; repeat: so often
  peers: true     where connections came from is kept
  times: true     when each answer was sent is kept
  keep: N         so many requests are kept as they came
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import ssl
import struct
import sys
import time
from typing import Any

KINDS = ("reset", "wrong", "half", "silent", "status", "junk", "delay")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Account:
    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.requests = 0
        self.connections = 0
        self.did = dict.fromkeys((*KINDS, "right", "mute"), 0)
        self.per_connection: list[int] = []
        self.kept: list[str] = []
        self.stall_ns: list[int] = []
        self.sent_ns: dict[int, int] = {}  # by number of the request
        self.resumed = 0
        self.peers: list[str] = []

    def kind(self) -> str:
        for kind in KINDS:
            each = self.plan.get(kind + "_each", 0)
            if each and self.requests % each == 0:
                return kind
        return "right"


def complete(data: bytes) -> int:
    """Bytes of the first whole request in it; 0: there is none."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return 0
    head = data[: end + 2]
    size = end + 4
    if b"\r\ntransfer-encoding: chunked" in head.lower():
        last = data.find(b"0\r\n\r\n", size)
        return last + 5 if last >= 0 else 0
    match = LENGTH.search(head)
    if match:
        size += int(match[1])
    return size if len(data) >= size else 0


class Connection(asyncio.Protocol):
    def __init__(self, account: Account) -> None:
        self.account = account
        self.data = b""
        self.number = account.connections
        account.connections += 1
        account.per_connection.append(0)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self.account.plan.get("peers"):
            peer = transport.get_extra_info("peername")
            self.account.peers.append(peer[0])
        tls = transport.get_extra_info("ssl_object")
        self.account.resumed += bool(tls and tls.session_reused)

    def data_received(self, data: bytes) -> None:
        self.data += data
        while size := complete(self.data):
            request, self.data = self.data[:size], self.data[size:]
            self.answer(request)

    def answer(self, request: bytes) -> None:
        account, plan = self.account, self.account.plan
        account.requests += 1
        account.per_connection[self.number] += 1
        if len(account.kept) < plan.get("keep", 0):
            account.kept.append(request.decode("latin-1"))
        if account.requests == plan.get("die_at"):
            os._exit(3)
        if account.requests == plan.get("stall_at"):
            account.stall_ns = [time.monotonic_ns()]
            time.sleep(plan["stall"])
            account.stall_ns.append(time.monotonic_ns())
        mute = plan.get("mute_each", 0)
        if mute and self.number % mute == mute - 1:
            account.did["mute"] += 1
            return
        kind = account.kind()
        if "delays" in plan:
            kind = "delay"
            every = plan["delays"]
            plan["delay"] = every[(account.requests - 1) % len(every)]
        account.did[kind] += 1
        getattr(self, "do_" + kind)(request)

    def reply(
        self, request: bytes, body: bytes, status: str = "200 OK"
    ) -> bytes:
        plan = self.account.plan
        lines = ["HTTP/1.1 " + status, "Date: " + "x" * 29]
        if plan.get("close"):
            lines.append("Connection: close")
        elif b" HTTP/1.0\r\n" in request:
            lines.append("Connection: keep-alive")
        if plan.get("chunked"):
            lines.append("Transfer-Encoding: chunked")
            half = len(body) // 2
            body = b"".join(
                b"%x;a=b\r\n%s\r\n" % (len(piece), piece)
                for piece in (body[:half], body[half:], b"")
            )
        else:
            lines.append("Content-Length: %d" % len(body))
        if request.startswith(b"HEAD "):
            body = b""
        return "\r\n".join([*lines, "", ""]).encode() + body

    def send(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self.transport.write(data)
        if self.account.plan.get("close"):
            self.transport.close()

    @property
    def body(self) -> bytes:
        text: str = self.account.plan.get("body", "a right answer")
        return text.encode() * int(self.account.plan.get("repeat", 1))

    def do_right(self, request: bytes, number: int = 0) -> None:
        self.send(self.reply(request, self.body))
        if self.account.plan.get("times"):
            number = number or self.account.requests
            self.account.sent_ns[number] = time.monotonic_ns()

    def do_delay(self, request: bytes) -> None:
        asyncio.get_running_loop().call_later(
            self.account.plan["delay"],
            self.do_right,
            request,
            self.account.requests,
        )

    def do_wrong(self, request: bytes) -> None:
        self.send(self.reply(request, self.body[:-1] + b"!"))

    def do_status(self, request: bytes) -> None:
        self.send(self.reply(request, b"busy", "503 Service Unavailable"))

    def do_junk(self, request: bytes) -> None:
        self.transport.write(b"SSH-2.0-not HTTP at all\r\n\r\n\r\n")

    def do_half(self, request: bytes) -> None:
        answer = self.reply(request, self.body)
        self.transport.write(answer[:-3])
        self.transport.close()

    def do_silent(self, request: bytes) -> None:
        pass

    def do_reset(self, request: bytes) -> None:
        sock = self.transport.get_extra_info("socket")
        linger = struct.pack("ii", 1, 0)  # close sends RST
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.transport.abort()


def tls_context(plan: dict[str, Any]) -> ssl.SSLContext | None:
    if "certificate" not in plan:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(plan["certificate"], plan["key"])
    if "client_ca" in plan:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(plan["client_ca"])
    return context


async def main(plan: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    account = Account(plan)
    made: Any = lambda: Connection(account)  # noqa: E731
    context = tls_context(plan)
    if "unix" in plan:
        server = await loop.create_unix_server(
            made, plan["unix"], backlog=4096
        )
        port = 0
    else:
        server = await loop.create_server(
            made, "127.0.0.1", 0, backlog=4096, ssl=context
        )
        port = server.sockets[0].getsockname()[1]
    print(port, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    print(json.dumps({**vars(account), "plan": None}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
