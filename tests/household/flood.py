"""Much at once from one device: `knock ADDRESS PORT COUNT` connects, `post AUTHORITY ADDRESS COUNT` sends half a
megabyte each, `tunnels PROXY PORT ADDRESS PORT COUNT` opens tunnels and uses them; `echo PORT` is what they lead to.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import ssl
import sys
from collections.abc import Callable, Coroutine

_AT_ONCE = 200
"""Tunnels that are opened at the same time."""

_BODY = b"made up " * 62_500


async def _knock(address: str, port: str, count: str) -> None:
    """Connects, and waits for as long as somebody who wants to see a film."""

    async def one() -> None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(20):
                reader, writer = await asyncio.open_connection(address, int(port))
                await reader.read(1)
                writer.close()

    await asyncio.gather(*(one() for _ in range(int(count))))
    print("done", flush=True)


async def _post(authority: str, address: str, count: str) -> None:
    """Prints how many were answered."""
    context = ssl.create_default_context(cafile=authority)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    reader, writer = await asyncio.open_connection(address, 443, ssl=context, server_hostname="plex.tv")
    answered = 0
    for number in range(int(count)):
        head = b"POST /post-%d HTTP/1.1\r\nHost: plex.tv\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
        writer.write(head % (number, len(_BODY)) + _BODY)
        await writer.drain()
        told = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(told.lower().partition(b"content-length:")[2].split()[0]))
        answered += told.startswith(b"HTTP/1.1 200")
    writer.close()
    print(answered, flush=True)


async def _echo(port: str) -> None:
    _all_files()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while part := await reader.read(4096):
                writer.write(part)
        writer.close()

    server = await asyncio.start_server(answer, "0.0.0.0", int(port), backlog=4096)  # noqa: S104 - in a namespace
    print("serving", flush=True)
    await server.serve_forever()


async def _tunnels(proxy: str, proxy_port: str, address: str, port: str, count: str) -> None:
    """Opens all, then sends a line through each, and closes them."""
    _all_files()
    gate = asyncio.Semaphore(_AT_ONCE)

    async def open_one() -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        async with gate:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection(proxy, int(proxy_port))
                writer.write(f"CONNECT {address}:{port} HTTP/1.1\r\nHost: {address}:{port}\r\n\r\n".encode())
                head = await reader.readuntil(b"\r\n\r\n")
                if b" 200 " in head.partition(b"\r\n")[0]:
                    # No HTTP, and none that the proxy could take for TLS.
                    writer.write(b"\x00open\n")
                    if await reader.readexactly(6) == b"\x00open\n":
                        return reader, writer
        return None

    tunnels = [tunnel for tunnel in await asyncio.gather(*(open_one() for _ in range(int(count)))) if tunnel]
    print(f"all open {len(tunnels)}", flush=True)
    await asyncio.sleep(20)

    async def use(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        async with gate:
            writer.write(b"\x00line\n")
            return await reader.readexactly(6) == b"\x00line\n"

    used = await asyncio.gather(*(use(*tunnel) for tunnel in tunnels), return_exceptions=True)
    for _, writer in tunnels:
        writer.close()
    print(f"echoed {sum(one is True for one in used)}", flush=True)


def _all_files() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    commands: dict[str, Callable[..., Coroutine[None, None, None]]] = {
        "knock": _knock, "post": _post, "echo": _echo, "tunnels": _tunnels,
    }  # fmt: skip
    asyncio.run(commands[sys.argv[1]](*sys.argv[2:]))
