"""The demo's play, step by step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from analysis.demo import actors
from analysis.demo import household as home


def options(folder: Path, ledger: Path, authority: Path, cloud: int, server: int) -> Mapping[str, object]:
    """What the proxy is told: to listen on loopback, to send the made-up names to these ports, and whom to trust."""
    table = dict.fromkeys(home.CLOUD_HOSTS, ("127.0.0.1", cloud))
    table[home.SERVER_HOST] = ("127.0.0.1", server)
    return {
        "listen_host": "127.0.0.1",
        "listen_port": 0,
        "confdir": str(folder / "ca"),
        "ssl_verify_upstream_trusted_ca": str(authority),
        "phonehome_ledger": str(ledger),
        "phonehome_reroute": json.dumps(table),
    }


def steps(proxy: tuple[str, int], authority: Path) -> Iterator[str]:
    """Plays, and says before each step what is done.  Raises `OSError` when the proxy cannot be reached."""
    server, app = actors.media_server(proxy, authority), actors.app(proxy, authority)
    first, second = home.FILMS
    play: tuple[tuple[str, Callable[[], None]], ...] = (
        ("The media server looks for an update of itself.", lambda: actors.check_for_update(server)),
        ("It tells the vendor how it can be reached.", lambda: actors.publish_connections(server)),
        (f"It asks which film a new file is: {first.title}.", lambda: actors.match_film(server, first)),
        (f"Somebody signs in to the web app as {home.EMAIL}.", lambda: actors.sign_in(app)),
        ("The app asks the vendor where the server is.", lambda: actors.find_servers(app)),
        (f"It plays {first.title}: exact times to the own server, statistics to the vendor.",
         lambda: actors.play(app, first)),
        (f"It plays {second.title}.", lambda: actors.play(app, second)),
        ("It fetches an advertisement.", lambda: actors.show_advert(app)),
        ("It crashes, and tells somebody.", lambda: actors.crash(app)),
        ("The server sends the vendor its counts.", lambda: actors.send_server_statistics(server)),
    )  # fmt: skip
    try:
        for sentence, act in play:
            yield sentence
            act()
    finally:
        server.close()
        app.close()
