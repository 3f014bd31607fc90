"""HTTP/2 over a socket that is connected already (RFC 9113): a server that gives one answer, a client that keeps some
requests under way."""

from __future__ import annotations

import ssl
import time

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived, StreamEnded

_TAKEN = 65536


def _events(connection: ssl.SSLSocket, http: H2Connection) -> list[Event]:
    """What arrives next; empty when the other side left."""
    data = connection.recv(_TAKEN)
    if not data:
        return []
    events = http.receive_data(data)
    for event in events:
        if isinstance(event, DataReceived) and event.flow_controlled_length:
            http.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
    # Settings and the like are answered although they are no events for the caller.
    return events or [Event()]


def serve(connection: ssl.SSLSocket, body: bytes, kind: str = "application/json") -> None:
    """Answers every request with `body` until the client leaves."""
    http = H2Connection(H2Configuration(client_side=False))
    http.initiate_connection()
    connection.sendall(http.data_to_send())
    asked: set[int] = set()
    while events := _events(connection, http):
        for event in events:
            if isinstance(event, RequestReceived) and event.stream_id:
                asked.add(event.stream_id)
            if isinstance(event, StreamEnded) and event.stream_id in asked:
                asked.discard(event.stream_id)
                http.send_headers(
                    event.stream_id,
                    [(":status", "200"), ("content-type", kind), ("content-length", str(len(body)))],
                )
                http.send_data(event.stream_id, body, end_stream=True)
        connection.sendall(http.data_to_send())


def ask(
    connection: ssl.SSLSocket, count: int, at_once: int, host: str, path: str, headers: dict[str, str], body: bytes
) -> list[float]:
    """Sends `count` times the same POST, `at_once` of them under way -> seconds until the end of each answer.

    `body` has to fit into a window (64 KiB).  Raises `ConnectionError` when the server leaves before.
    """
    http = H2Connection(H2Configuration(client_side=True))
    http.initiate_connection()
    fields = [(":method", "POST"), (":scheme", "https"), (":authority", host), (":path", path)]
    fields += [(name.lower(), value) for name, value in headers.items()]
    begun: dict[int, float] = {}
    took: list[float] = []
    while len(took) < count:
        while len(begun) < min(at_once, count - len(took)):
            if http.outbound_flow_control_window < len(body):
                break
            stream = http.get_next_available_stream_id()
            http.send_headers(stream, fields)
            http.send_data(stream, body, end_stream=True)
            begun[stream] = time.perf_counter()
        connection.sendall(http.data_to_send())
        events = _events(connection, http)
        if not events:
            raise ConnectionError(f"the server left after {len(took)} of {count} answers")
        for event in events:
            if isinstance(event, StreamEnded) and event.stream_id in begun:
                took.append(time.perf_counter() - begun.pop(event.stream_id))
    http.close_connection()
    connection.sendall(http.data_to_send())
    return took
