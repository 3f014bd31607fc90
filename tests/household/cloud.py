"""`cloud.py CHAIN PORT`: an HTTPS server for the Internet of the lab, on IPv4 and IPv6.

It says what was asked for, and from which address; `/slow` takes its time, `/big` sends 300 MB.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys

_BIG = 300 * 1024 * 1024


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers requests, one after another."""
    peer = writer.get_extra_info("peername")[0]
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split(b" ", 2)[1].decode()
            if b"content-length:" in head.lower():
                await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split()[0]))
            if path == "/big":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n" % _BIG)
                for _ in range(_BIG // 65536):
                    writer.write(bytes(65536))
                    await writer.drain()
                continue
            if path == "/slow":
                await asyncio.sleep(3)
            text = f"{path} {peer}\n".encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    """Serves for ever."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    servers = [
        await asyncio.start_server(answer, host, int(sys.argv[2]), ssl=context, family=family)
        for host, family in (("0.0.0.0", socket.AF_INET), ("::", socket.AF_INET6))  # noqa: S104 - in a namespace
    ]
    print("serving", flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(main())
