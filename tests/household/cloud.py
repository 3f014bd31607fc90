"""`cloud.py CHAIN PORT`: an HTTPS server for the Internet of the lab, on IPv4 and IPv6.

It says what was asked for, and from which address; `/slow` takes its time, `/big` sends 300 MB.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys

_BIG = 300 * 1024 * 1024

_PLEX = {
    "/api/v2/user": '<user id="1" title="anna" username="anna" authToken="made-up-token-0001" scrobbleTypes="1"'
    ' joinedAt="1700000000" rememberExpiresAt="1700000000"><subscription active="0" subscribedAt=""/><profile'
    ' autoSelectAudio="1" autoSelectSubtitle="0" defaultSubtitleAccessibility="0" defaultSubtitleForced="0"'
    ' defaultSubtitleForces="0"/></user>',
    "/api/v2/resources": '<resources><resource name="Shelf" product="Plex Media Server" provides="server" owned="1"'
    ' clientIdentifier="made-up-server-0001" accessToken="made-up-token-0001" presence="1"><connections><connection'
    ' protocol="http" address="192.168.50.40" port="32400" uri="http://192.168.50.40:32400" local="1" relay="0"'
    ' IPv6="0"/></connections></resource></resources>',
}
"""What plex.tv says to plexapi: who somebody is, and where his server stands."""


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
            text = (_PLEX.get(path.partition("?")[0]) or f"{path} {peer}\n").encode()
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
