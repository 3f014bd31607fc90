"""The demo's play, step by step."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from analysis.demo import actors
from analysis.demo import household as home
from captures.model import Sentence


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


type Step = tuple[Sentence, Callable[[], None]]
"""What is done, in one sentence, and the doing of it."""

type Part = Callable[[actors.Caller, actors.Caller], Iterator[Step]]
"""Media server and app -> some steps of the play."""


def arrival(server: actors.Caller, app: actors.Caller) -> Iterator[Step]:
    """Server and app start."""
    yield "The media server looks for an update of itself.", lambda: actors.check_for_update(server)
    yield "It tells the vendor how it can be reached.", lambda: actors.publish_connections(server)
    film = home.FILMS[0]
    yield f"It asks which film a new file is: {film.title}.", lambda: actors.match_film(server, film)
    yield f"Somebody signs in to the web app as {home.EMAIL}.", lambda: actors.sign_in(app)
    yield "The app asks the vendor where the server is.", lambda: actors.find_servers(app)


def films(_: actors.Caller, app: actors.Caller) -> Iterator[Step]:
    """The app plays all films, with the optional statistics on."""
    for film in home.FILMS:
        sentence = f"It plays {film.title}: exact times to the own server, statistics to the vendor."
        yield sentence, lambda film=film: actors.play(app, film)  # type: ignore[misc]  # each step its own film


def switch(_: actors.Caller, app: actors.Caller) -> Iterator[Step]:
    """The user turns the optional statistics off."""
    yield "Somebody turns the optional playback statistics off in the account.", lambda: actors.turn_off_statistics(app)


def another_day(server: actors.Caller, app: actors.Caller) -> Iterator[Step]:
    """What goes on because a function needs it."""
    yield "The media server looks for an update once more.", lambda: actors.check_for_update(server)
    yield "It tells the vendor once more how it can be reached.", lambda: actors.publish_connections(server)
    yield "The app asks once more where the server is.", lambda: actors.find_servers(app)


def films_again(_: actors.Caller, app: actors.Caller) -> Iterator[Step]:
    """The app plays all films once more, and obeys."""
    for film in home.FILMS:
        sentence = f"It plays {film.title} again, and leaves out what is optional."
        yield sentence, lambda film=film: actors.play(app, film, optional=False)  # type: ignore[misc]  # likewise


def departure(server: actors.Caller, app: actors.Caller) -> Iterator[Step]:
    """What comes now and then."""
    yield "It fetches an advertisement.", lambda: actors.show_advert(app)
    yield "It crashes, and tells somebody.", lambda: actors.crash(app)
    yield "The server sends the vendor its counts.", lambda: actors.send_server_statistics(server)


WHOLE: tuple[Part, ...] = (arrival, films, switch, another_day, films_again, departure)
"""The whole play."""


def steps(proxy: tuple[str, int], authority: Path, parts: Sequence[Part] = WHOLE) -> Iterator[Sentence]:
    """Plays, and says before each step what is done.  Raises `OSError` when the proxy cannot be reached."""
    server, app = actors.media_server(proxy, authority), actors.app(proxy, authority)
    try:
        for part in parts:
            for sentence, act in part(server, app):
                yield sentence
                act()
    finally:
        server.close()
        app.close()
