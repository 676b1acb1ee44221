"""A proxy that holds everything back, as a long link does.

usage: python _delay.py PORT ORIGIN-PORT SECONDS

Bytes leave SECONDS after they came, however many are under way. The first
ones of a client wait for a round trip more: a connection over such a link
takes that long to be made, and here it is made at once.
"""

from __future__ import annotations

import asyncio
import sys

BLOCK = 65536
END = b""


async def _release(
    queue: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
) -> None:
    """Writes what is due, when it is due."""
    loop = asyncio.get_running_loop()
    while True:
        due, block = await queue.get()
        await asyncio.sleep(max(0.0, due - loop.time()))
        if block == END:
            break
        writer.write(block)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


async def _pass(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    delay: float,
    not_before: float,
) -> None:
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
    sending = asyncio.ensure_future(_release(queue, writer))
    block = None
    while block != END:
        block = await reader.read(BLOCK)
        due = max(loop.time(), not_before) + delay
        queue.put_nowait((due, block))
    await sending


async def _connection(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    origin: int,
    delay: float,
) -> None:
    made = asyncio.get_running_loop().time() + 2 * delay
    try:
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", origin
        )
    except OSError:
        writer.close()
        return
    try:
        await asyncio.gather(
            _pass(reader, far_writer, delay, made),
            _pass(far_reader, writer, delay, 0.0),
        )
    except OSError:
        pass  # one side is gone; so is the connection
    finally:
        far_writer.close()
        writer.close()


async def _serve(port: int, origin: int, delay: float) -> None:
    server = await asyncio.start_server(
        lambda reader, writer: _connection(reader, writer, origin, delay),
        "127.0.0.1",
        port,
        backlog=1024,
    )
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
