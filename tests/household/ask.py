"""`ask.py WAY PROXY PORT HOST PORT`: asks a proxy for /secret of a server, with the name of the server as it is.

Programs like curl write 127.1 as 127.0.0.1 before they send it.  Ways: `get`, `tunnel`, `socks`.
"""

from __future__ import annotations

import http.client
import socket
import sys


def main() -> None:
    """Prints what comes back."""
    way, proxy, port, host, target = sys.argv[1:]
    request = f"GET /secret HTTP/1.1\r\nHost: {host}:{target}\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection((proxy, int(port)), timeout=8) as connection:
        if way == "get":
            connection.sendall(request.replace(b"/secret", f"http://{host}:{target}/secret".encode(), 1))
        elif way == "tunnel":
            connection.sendall(f"CONNECT {host}:{target} HTTP/1.1\r\nHost: {host}:{target}\r\n\r\n".encode())
            opened = http.client.HTTPResponse(connection, method="GET")
            opened.begin()
            if opened.status != 200:
                print(opened.status, opened.read().decode("utf-8", "replace"))
                return
            connection.sendall(request)
        else:
            name = host.strip("[]").encode()
            connection.sendall(b"\x05\x01\x00")
            connection.recv(2)
            connection.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + int(target).to_bytes(2))
            if connection.recv(65536)[1:2] != b"\x00":
                print("refused")
                return
            connection.sendall(request)
        connection.settimeout(3)
        while part := connection.recv(65536):
            print(part.decode("utf-8", "replace"))


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        print(error)
