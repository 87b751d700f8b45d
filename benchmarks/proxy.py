"""A TCP proxy that holds back every packet for a while in each direction, as a network would."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def delayed(socket_path: str, seconds: float) -> Iterator[int]:
    """A port on this machine that leads to a PostgreSQL socket, ``seconds`` away in each direction."""
    loop = asyncio.new_event_loop()
    ready, port = threading.Event(), []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Packets leave in their order, each ``seconds`` after it came."""
        pending: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def send() -> None:
            while True:
                due, data = await pending.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not data:
                    writer.close()
                    return
                writer.write(data)

        task = asyncio.ensure_future(send())
        try:
            while data := await reader.read(65536):
                pending.put_nowait((loop.time() + seconds, data))
        except ConnectionError:
            pass
        pending.put_nowait((loop.time(), b""))
        await task

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(socket_path)
        await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer), return_exceptions=True)

    async def serve() -> None:
        server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=1 << 20)
        port.append(server.sockets[0].getsockname()[1])
        ready.set()

    def run() -> None:
        loop.run_until_complete(serve())
        loop.run_forever()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield port[0]
    finally:
        asyncio.run_coroutine_threadsafe(_end(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end() -> None:
    """Nothing is left hanging."""
    others = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
