"""`ask.py WAY PROXY PORT TARGET HOST...`: asks a proxy for /secret of servers, with their names as they are.

Programs like curl write 127.1 as 127.0.0.1 before they send it.  Ways: `get`, `tunnel`, `socks`; `raw`: HOST is all
that is sent, with escapes of Python; `http2`: the name stands in `:authority`, within TLS to the proxy itself when
TARGET, the port of the server, is 0, else within a tunnel to HOST:TARGET, and TLS asks for `localhost`.  Prints a list
in JSON.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
from collections.abc import Iterator


def main() -> None:
    """Prints what comes back for each host."""
    way, proxy, port, target, *hosts = sys.argv[1:]
    answers = []
    for host in hosts:
        try:
            answers.append("".join(_asked(way, (proxy, int(port)), host, target)))
        except OSError as error:
            answers.append(str(error))
    print(json.dumps(answers))


def _asked(way: str, proxy: tuple[str, int], host: str, target: str) -> Iterator[str]:
    request = f"GET /secret HTTP/1.1\r\nHost: {host}:{target}\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection(proxy, timeout=8) as connection:
        if way == "raw":
            connection.sendall(host.encode("latin-1").decode("unicode_escape").encode("latin-1"))
        elif way == "http2":
            yield _http2(connection, host, int(target))
            return
        elif way == "get":
            connection.sendall(request.replace(b"/secret", f"http://{host}:{target}/secret".encode(), 1))
        elif way == "tunnel":
            connection.sendall(f"CONNECT {host}:{target} HTTP/1.1\r\nHost: {host}:{target}\r\n\r\n".encode())
            opened = http.client.HTTPResponse(connection, method="GET")
            opened.begin()
            if opened.status != 200:
                yield f" {opened.status} {opened.read().decode('utf-8', 'replace')}"
                return
            connection.sendall(request)
        else:
            name = host.strip("[]").encode()
            connection.sendall(b"\x05\x01\x00")
            connection.recv(2)
            connection.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + int(target).to_bytes(2))
            if connection.recv(65536)[1:2] != b"\x00":
                yield "refused"
                return
            connection.sendall(request)
        connection.settimeout(3)
        while part := connection.recv(65536):
            yield part.decode("utf-8", "replace")


def _http2(connection: socket.socket, host: str, target: int) -> str:
    """Asks for what is inside by the name in the header, and not by that of the connection."""
    from h2.connection import H2Connection
    from h2.events import DataReceived, ResponseReceived, StreamEnded

    if target:
        connection.sendall(f"CONNECT {host}:{target} HTTP/1.1\r\nHost: {host}:{target}\r\n\r\n".encode())
        connection.recv(4096)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    said = []
    with context.wrap_socket(connection, server_hostname="localhost") as secure:
        secure.settimeout(4)
        if secure.selected_alpn_protocol() != "h2":
            # The server speaks HTTP/1.1 alone.
            secure.sendall(b"GET /secret HTTP/1.1\r\nHost: 127.0.0.1:9000\r\nConnection: close\r\n\r\n")
            return b"".join(iter(lambda: secure.recv(65536), b"")).decode()
        client = H2Connection()
        client.initiate_connection()
        authority = "127.0.0.1:9000" if target else host
        pseudo = ((":method", "GET"), (":scheme", "http"), (":authority", authority), (":path", "/secret"))
        client.send_headers(1, pseudo, end_stream=True)
        secure.sendall(client.data_to_send())
        while part := secure.recv(65536):
            for event in client.receive_data(part):
                if isinstance(event, ResponseReceived):
                    said.append(dict(event.headers)[b":status"].decode())
                elif isinstance(event, DataReceived):
                    said.append(event.data.decode("utf-8", "replace"))
                elif isinstance(event, StreamEnded):
                    return " ".join(said)
            secure.sendall(client.data_to_send())
    return " ".join(said) or "nothing"


if __name__ == "__main__":
    main()
