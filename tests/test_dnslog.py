"""Logs of resolvers."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import sqlite3
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captures import formats
from captures.formats import dnslog
from captures.model import CaptureError, Lookup


def local(text: str) -> float:
    """Local time -> seconds since the epoch."""
    return dt.datetime.fromisoformat(text).timestamp()


def read(tmp_path: Path, text: str, written: str = "2026-11-24T21:00:00") -> list[Lookup]:
    path = tmp_path / "some.log"
    path.write_text(text)
    os.utime(path, (local(written), local(written)))
    capture = formats.read(path)
    assert capture.format == "dns-log"
    found = list(capture.observations())
    assert all(isinstance(x, Lookup) for x in found)
    return [x for x in found if isinstance(x, Lookup)]


def told(lookup: Lookup) -> tuple[object, ...]:
    return lookup.device, lookup.host, lookup.kind, lookup.answers, lookup.rcode, lookup.left_house


DNSMASQ = """\
Nov 24 20:15:00 dnsmasq[812]: started, version 2.90 cachesize 150
Nov 24 20:15:01 dnsmasq[812]: query[A] Analytics.Plex.TV from 192.0.2.20
Nov 24 20:15:01 dnsmasq[812]: forwarded Analytics.Plex.TV to 192.0.2.1
Nov 24 20:15:01 dnsmasq[812]: query[AAAA] plex.tv from 192.0.2.21
Nov 24 20:15:01 dnsmasq[812]: reply analytics.plex.tv is <CNAME>
Nov 24 20:15:01 dnsmasq[812]: reply edge.cdn.example is 203.0.113.5
Nov 24 20:15:01 dnsmasq[812]: reply edge.cdn.example is 203.0.113.6
Nov 24 20:15:01 dnsmasq[812]: cached plex.tv is NODATA-IPv6
Nov 24 20:15:02 dnsmasq[812]: query[A] ads.example from 192.0.2.20
Nov 24 20:15:02 dnsmasq[812]: gravity blocked ads.example is 0.0.0.0
Nov 24 20:15:03 dnsmasq[812]: query[A] gone.example from 192.0.2.20
Nov 24 20:15:03 dnsmasq[812]: forwarded gone.example to 192.0.2.1
Nov 24 20:15:03 dnsmasq[812]: reply gone.example is NXDOMAIN
Nov 24 20:15:04 dnsmasq[812]: query[PTR] 20.2.0.192.in-addr.arpa from 192.0.2.20
Nov 24 20:15:04 dnsmasq[812]: /etc/hosts 192.0.2.20 is tv.home
Nov 24 20:15:05 dnsmasq[812]: query[A] lost.example from 192.0.2.20
"""


def test_dnsmasq_and_pihole_logs_give_each_question_with_what_was_answered(tmp_path: Path) -> None:
    found = read(tmp_path, DNSMASQ)
    assert [told(x) for x in found] == [
        ("192.0.2.20", "analytics.plex.tv", "A", ("edge.cdn.example", "203.0.113.5", "203.0.113.6"), "NOERROR", True),
        ("192.0.2.21", "plex.tv", "AAAA", (), "NOERROR", False),
        ("192.0.2.20", "ads.example", "A", (), "BLOCKED", False),
        ("192.0.2.20", "gone.example", "A", (), "NXDOMAIN", True),
        ("192.0.2.20", "20.2.0.192.in-addr.arpa", "PTR", (), "", None),
        ("192.0.2.20", "lost.example", "A", (), "", None),
    ]
    assert found[0].time == local("2026-11-24T20:15:01")
    assert [x.source.index for x in found] == [0, 1, 2, 3, 4, 5]


def test_numbers_of_questions_keep_two_devices_apart_that_ask_for_the_same_name(tmp_path: Path) -> None:
    log = """\
Tue Nov 24 20:15:01 2026 daemon.info dnsmasq[1]: 7 192.0.2.20/51000 query[A] plex.tv from 192.0.2.20
Tue Nov 24 20:15:01 2026 daemon.info dnsmasq[1]: 8 192.0.2.21/51001 query[A] plex.tv from 192.0.2.21
Tue Nov 24 20:15:01 2026 daemon.info dnsmasq[1]: 7 192.0.2.20/51000 reply plex.tv is 203.0.113.7
Tue Nov 24 20:15:01 2026 daemon.info dnsmasq[1]: 8 192.0.2.21/51001 exactly denied plex.tv is NXDOMAIN
"""
    assert [told(x) for x in read(tmp_path, log)] == [
        ("192.0.2.20", "plex.tv", "A", ("203.0.113.7",), "NOERROR", None),
        ("192.0.2.21", "plex.tv", "A", (), "BLOCKED", False),
    ]


def test_a_time_without_a_year_is_of_the_last_one_before_the_log_ended(tmp_path: Path) -> None:
    log = "Dec 31 23:59:58 dnsmasq[1]: query[A] a.example from 192.0.2.1\n"
    assert read(tmp_path, log, "2026-01-01T00:10:00")[0].time == local("2025-12-31T23:59:58")
    leap = "Feb 29 10:00:00 dnsmasq[1]: query[A] a.example from 192.0.2.1\n"
    assert read(tmp_path, leap, "2026-01-01T00:10:00")[0].time == local("2024-02-29T10:00:00")


def test_unbound_gives_what_was_asked_and_replied_as_one(tmp_path: Path) -> None:
    log = """\
[1700000000] unbound[77:0] notice: init module 0: validator
[1700000000] unbound[77:0] info: 192.0.2.20 plex.tv. A IN
[1700000000] unbound[77:0] info: 192.0.2.20 plex.tv. A IN NOERROR 0.012345 0 45
[1700000001] unbound[77:0] info: 192.0.2.20 plex.tv. A IN
[1700000001] unbound[77:0] info: 192.0.2.20 plex.tv. A IN NOERROR 0.000000 1 45
[1700000002] unbound[77:0] info: ads.example. always_nxdomain 192.0.2.21@5353 ads.example. A IN
"""
    found = read(tmp_path, log)
    assert [told(x) for x in found] == [
        ("192.0.2.20", "plex.tv", "A", (), "NOERROR", True),
        ("192.0.2.20", "plex.tv", "A", (), "NOERROR", False),
        ("192.0.2.21", "ads.example", "A", (), "BLOCKED", False),
    ]
    assert [x.time for x in found] == [1700000000, 1700000001, 1700000002]


def answer(name: str, address: bytes) -> str:
    """An answer to a question for an address, in base64."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    question = labels + struct.pack("!HH", 1, 1)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + address
    return base64.b64encode(struct.pack("!6H", 1, 0x8180, 1, 1, 0, 0) + question + record).decode()


def test_adguard_home_gives_answers_and_what_it_filtered(tmp_path: Path) -> None:
    entries = [
        {
            "T": "2026-11-24T20:15:01.5+01:00",
            "QH": "plex.tv",
            "QT": "A",
            "QC": "IN",
            "IP": "192.0.2.20",
            "Answer": answer("plex.tv", bytes([203, 0, 113, 9])),
            "Result": {},
            "Elapsed": 12345,
        },
        {
            "T": "2026-11-24T20:15:02+01:00",
            "QH": "ads.example",
            "QT": "A",
            "IP": "192.0.2.20",
            "Answer": answer("ads.example", bytes(4)),
            "Result": {"IsFiltered": True, "Reason": 3, "Rules": [{"Text": "||ads.example^"}]},
        },
        {"T": "x", "QH": "plex.tv", "QT": "A", "IP": "192.0.2.20", "Answer": "???", "Cached": True, "Result": {}},
    ]
    found = read(tmp_path, "".join(json.dumps(entry) + "\n" for entry in entries) + '{"QH": tor\n')
    assert [told(x) for x in found] == [
        ("192.0.2.20", "plex.tv", "A", ("203.0.113.9",), "NOERROR", True),
        ("192.0.2.20", "ads.example", "A", (), "BLOCKED", False),
        ("192.0.2.20", "plex.tv", "A", (), "", False),
    ]
    assert [x.time for x in found] == [1795547701.5, 1795547702.0, None]


def test_systemd_resolved_is_read_as_its_monitor_and_as_its_journal_tell(tmp_path: Path) -> None:
    monitor = {
        "state": "success",
        "rcode": 0,
        "question": [{"class": 1, "type": 1, "name": "plex.tv"}],
        "answer": [
            {
                "rr": {"key": {"class": 1, "type": 1, "name": "plex.tv"}, "address": [203, 0, 113, 9]},
                "raw": "AA==",
                "ifindex": 2,
            }
        ],
    }
    assert [told(x) for x in read(tmp_path, json.dumps(monitor) + "\n")] == [
        ("this-computer", "plex.tv", "A", ("203.0.113.9",), "NOERROR", None)
    ]
    journal = (
        "2026-11-24T20:15:01+0100 box systemd-resolved[5]: Regular transaction 4711 for <plex.tv IN AAAA> on scope dns "
        "on eth0/* now complete with <rcode-failure> from network (unsigned; non-confidential).\n"
    )
    found = read(tmp_path, journal)
    assert [told(x) for x in found] == [("this-computer", "plex.tv", "AAAA", (), "NXDOMAIN", True)]
    assert found[0].time == 1795547701


def database(path: Path) -> None:
    """Tables and view as Pi-hole 6 has them."""
    connection = sqlite3.connect(path)
    connection.executescript("""
        CREATE TABLE domain_by_id (id INTEGER PRIMARY KEY, domain TEXT NOT NULL);
        CREATE TABLE client_by_id (id INTEGER PRIMARY KEY, ip TEXT NOT NULL, name TEXT);
        CREATE TABLE query_storage (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp INTEGER NOT NULL,
            type INTEGER NOT NULL, status INTEGER NOT NULL, domain INTEGER NOT NULL, client INTEGER NOT NULL,
            forward INTEGER, additional_info INTEGER, reply_type INTEGER, reply_time REAL, dnssec INTEGER);
        CREATE VIEW queries AS SELECT q.id, timestamp, type, status,
            (SELECT domain FROM domain_by_id d WHERE d.id = q.domain) domain,
            (SELECT ip FROM client_by_id c WHERE c.id = q.client) client, forward, additional_info, reply_type,
            reply_time, dnssec FROM query_storage q;
        INSERT INTO domain_by_id VALUES (1, 'plex.tv'), (2, 'ads.example');
        INSERT INTO client_by_id VALUES (1, '192.0.2.20', 'tv');
        INSERT INTO query_storage (timestamp, type, status, domain, client, reply_type) VALUES
            (1700000000.25, 1, 2, 1, 1, 4), (1700000001, 16, 3, 1, 1, 1), (1700000002, 1, 1, 2, 1, 4),
            (1700000003, 165, 2, 1, 1, 2);
    """)
    connection.close()


def test_piholes_database_gives_every_question_that_it_stored(tmp_path: Path) -> None:
    path = tmp_path / "pihole-FTL.db"
    database(path)
    found = [x for x in formats.read(path).observations() if isinstance(x, Lookup)]
    assert [told(x) for x in found] == [
        ("192.0.2.20", "plex.tv", "A", (), "NOERROR", True),
        ("192.0.2.20", "plex.tv", "HTTPS", (), "NOERROR", False),
        ("192.0.2.20", "ads.example", "A", (), "BLOCKED", False),
        ("192.0.2.20", "plex.tv", "TYPE65", (), "NXDOMAIN", True),
    ]
    assert [x.time for x in found] == [1700000000.25, 1700000001, 1700000002, 1700000003]


def test_a_damaged_database_is_told_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "pihole-FTL.db"
    database(path)
    path.write_bytes(path.read_bytes()[:4096])
    with pytest.raises(CaptureError, match=r"pihole-FTL.db: is no whole Pi-hole database \(.*\); copy it while"):
        list(formats.read(path).observations())


def test_a_view_that_never_ends_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("captures.dnslogs.pihole._SECONDS_A_ROW", 0.2)
    path = tmp_path / "pihole-FTL.db"
    connection = sqlite3.connect(path)
    connection.executescript("""CREATE TABLE query_storage (id INTEGER);
        CREATE VIEW queries AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)
        SELECT id, 0 timestamp, 1 type, 2 status, 'a' domain, 'b' client, 4 reply_type FROM n WHERE id < 0;""")
    connection.close()
    with pytest.raises(CaptureError, match="interrupted"):
        list(formats.read(path).observations())


def test_a_name_in_other_text_makes_no_log_of_it() -> None:
    assert not dnslog.sniff(b"the query[A] of plex.tv from a book\n")
    assert not dnslog.sniff(b'{"log": {"entries": []}}\n')
    assert not dnslog.sniff(b"")
    assert not dnslog.sniff(b"Nov 24 20:15:01 sshd[1]: Accepted password for root from 192.0.2.1\n")


LINES = st.sampled_from(
    [*DNSMASQ.splitlines(), '{"QH":"a","QT":"A"}', "[1700000000] unbound[1:0] info: 1.1.1.1 a. A IN"]
)


@given(st.lists(LINES | st.text(max_size=80), max_size=30))
def test_no_text_makes_reading_fail(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.mktemp("log") / "x.log"
    path.write_text("\n".join([DNSMASQ.splitlines()[1], *lines]), "utf-8", "replace")
    found = list(dnslog.read(path, 0))
    assert len(found) >= 1
    assert [x.source.index for x in found] == list(range(len(found)))
