"""What the name of a field and the form of a value show, in calls that no pack knows: a hit and a near miss of each."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from analysis.decode import decode
from analysis.example import exchange_of
from analysis.model import Party
from analysis.names import NameTable
from analysis.pack import ExampleCall, NamedField, Names, ValuePattern
from captures.model import Body
from shipped import KNOWLEDGE

TABLE = NameTable(KNOWLEDGE.names)
UUID = "4f9d0c11-6b1e-4c55-9a53-b2a7f5a3c001"
HEX = "4f9d0c116b1e4c559a53b2a7f5a3c001"


def found(
    body: str, *, role: str = "", party: Party = Party.UNKNOWN, start: str = "POST https://x.example/x"
) -> list[str]:
    """`item at value` of everything that names and forms show in a call with this body."""
    leaves = decode(exchange_of(ExampleCall(f"{start}\n\n{body}"), "test")).leaves
    around = TABLE.among(leaves, role, party)
    labels = [(leaf.at, label) for leaf in leaves for label in TABLE.labels(leaf, around) or TABLE.forms(leaf)]
    return [f"{item} {at.removeprefix('body.')} {value}" for at, (item, value) in labels]


def lines() -> list[tuple[str, str, dict[str, str]]]:
    """Item (`-`: none), the field that it is about, and the body."""
    rows = []
    for line in (Path(__file__).with_name("data") / "names.txt").read_text("utf-8").splitlines():
        item, bar, fields = line.partition(" | ")
        if bar and not line.startswith("#"):
            body = dict(field.split("=", 1) for field in fields.split("; "))
            rows.append((item, next(iter(body)), body))
    return rows


LINES = lines()


@pytest.mark.parametrize(("item", "field", "body"), [pytest.param(*row, id=f"{row[0]} {row[2]}") for row in LINES])
def test_a_field_holds_what_its_name_and_value_show_and_nothing_else(
    item: str, field: str, body: dict[str, str]
) -> None:
    shown = [label.split(" ", 2) for label in found(json.dumps(body))]
    assert [label for label, at, _ in shown if at == field] == ([] if item == "-" else [item])


def test_every_entry_is_met_by_a_line() -> None:
    known = KNOWLEDGE.names
    bodies = [exchange_of(ExampleCall(f"POST https://x.example/x\n\n{json.dumps(body)}"), "t") for _, _, body in LINES]
    calls = [decode(call).leaves for call in bodies]
    for entry in known.field:
        alone = NameTable(replace(known, field=(entry,)))
        party = entry.party[0] if entry.party else Party.UNKNOWN
        met = {
            item
            for leaves in calls
            for leaf in leaves
            for item, _ in alone.labels(leaf, alone.among(leaves, "", party))
        }
        assert met == ({entry.item} if entry.item else set()), entry


def test_a_name_is_met_in_every_spelling() -> None:
    for name in (
        "deviceId",
        "device_id",
        "DEVICE-ID",
        "$device_id",
        "DeviceID",
        "deviceid",
        "myDeviceId",
        "X-Device-Id",
    ):
        assert found(f'{{"{name}": "{HEX}"}}') == [f"client.id {name} {HEX}"]
    assert found(f'{{"device": {{"id": "{HEX}"}}}}') == [f"client.id device.id {HEX}"]
    assert found(f'{{"deviceInfo": {{"id": "{HEX}"}}}}') == [f"client.id deviceInfo.id {HEX}"]
    assert found(f'{{"data": {{"devices": [{{"id": "{HEX}"}}], "id": "{HEX}"}}}}') == []


def test_a_name_without_a_value_of_its_form_says_nothing() -> None:
    for value in ('"true"', "true", "0", '"unknown"', '""', '"00000000-0000-0000-0000-000000000000"', '"a b"'):
        assert found(f'{{"device_id": {value}}}') == []


def test_the_longest_name_decides() -> None:
    assert found('{"sdk_version": "1.2.3", "app_version": "1.2.3", "os": {"version": "1.2.3"}}') == [
        "client.app app_version 1.2.3",
        "client.os os.version 1.2.3",
    ]
    assert found(f'{{"csrf_token": "{HEX}", "request_id": "{HEX}", "event_id": "{HEX}", "etag": "{HEX}"}}') == []


def test_a_title_is_one_only_beside_what_tells_of_media() -> None:
    assert found('{"title": "Zorblax Uprising", "year": 2031}') == [
        "media.title title Zorblax Uprising",
        "media.year year 2031",
    ]
    assert found('{"title": "Settings", "id": 7}') == []
    assert found('{"year": 2031}') == []


def test_what_stands_above_a_container_stands_beside_it() -> None:
    assert found('{"event": "open", "properties": {"page": "/home"}}')[1:] == ["ui.action_page properties.page /home"]
    assert found('{"event": "open", "menu": {"page": "/home"}}')[1:] == []


def test_a_pair_is_called_what_its_key_says() -> None:
    pair = '{"key": "%s", "value": {"stringValue": "ann-nas"}}'
    otel = f'{{"attributes": [{pair % "host.name"}, {pair % "other"}]}}'
    assert found(otel) == ["net.hostname attributes.0.value.stringValue ann-nas"]
    assert found('{"tags": [["os.name", "Linux"], ["other", "Linux"]]}') == ["client.os tags.0.1 Linux"]
    assert found('{"os_name": {"value": "Linux"}, "other": {"value": "Linux"}}') == ["client.os os_name.value Linux"]


def test_the_keys_of_pairs_stand_beside_one_another() -> None:
    pairs = '[{"name": "title", "value": "Zorblax"}, {"name": "%s", "value": "2031"}]'
    assert found(pairs % "release year")[0] == "media.title 0.value Zorblax"
    assert found(pairs % "month") == []


def test_a_header_of_ones_own_and_space_around_a_value_change_nothing() -> None:
    assert found("", start="GET https://x.example/x\nx-token: inventedtoken0001") == [
        "auth.token header.x-token inventedtoken0001"
    ]
    assert found('{"osVersion": "12.11 \\n"}') == ["client.os osVersion 12.11 \n"]


def test_of_a_longer_value_no_part_is_taken_for_the_whole() -> None:
    assert found('{"zz": "Mozilla/5.0 (X11) %s"}' % ("a" * 2_000)) == []


def test_a_user_name_without_a_password_may_be_a_key() -> None:
    for login, shown in (("ann:secret1", ["account.username", "account.password"]), ("0a1b2c3d4e5f:", [])):
        encoded = base64.b64encode(login.encode()).decode()
        labels = found("", start=f"GET https://x.example/x\nauthorization: Basic {encoded}")
        assert [label.split()[0] for label in labels] == shown


def test_a_segment_of_the_path_is_called_what_stands_before_it() -> None:
    start = f"POST https://x.example/v1/users/4242/devices/{HEX}/4242"
    assert found("", start=start) == ["account.id path 4242", f"client.id path {HEX}"]
    assert found("", start="POST https://x.example/v1/users/latest/builds/4242") == []


def test_the_role_of_the_sender_decides_between_neighbours() -> None:
    body = f'{{"device_id": "{HEX}", "os_version": "6.1"}}'
    assert found(body, role="server") == [f"server.machine_id device_id {HEX}", "server.os os_version 6.1"]
    assert found(body, role="app") == [f"client.id device_id {HEX}", "client.os os_version 6.1"]


def test_a_key_is_the_users_only_at_a_machine_of_his_own() -> None:
    body = f'{{"apikey": "{HEX}"}}'
    assert found(body, party=Party.OWN) == [f"auth.token apikey {HEX}"]
    assert found(body, party=Party.THIRD_PARTY) == []


def test_an_answer_says_nothing_of_the_program_that_asked() -> None:
    call = ExampleCall("GET https://x.example/x", '200\n\n{"app_version": "1.2", "user": {"email": "ann@example.org"}}')
    leaves = decode(exchange_of(call, "test")).leaves
    around = TABLE.among(leaves)
    assert [(leaf.at, *label) for leaf in leaves for label in TABLE.labels(leaf, around)] == [
        ("response.body.user.email", "account.email", "ann@example.org")
    ]


SEGMENT = f"""{{
    "anonymousId": "{UUID}", "userId": "97980cfea0067", "context": {{
        "app": {{"name": "Reel", "version": "5.4.1"}},
        "device": {{"advertisingId": "{UUID.upper()}", "manufacturer": "Acme", "model": "Tab 7", "type": "android"}},
        "library": {{"name": "analytics.js", "version": "2.11.1"}},
        "locale": "de-AT", "network": {{"carrier": "A1", "wifi": true}}, "os": {{"name": "Android", "version": "14"}},
        "screen": {{"width": 1080, "height": 2400}}, "timezone": "Europe/Vienna"
    }},
    "event": "Video Started", "messageId": "{UUID}",
    "properties": {{"title": "Zorblax Uprising", "season": 2, "position": 31}},
    "timestamp": "2031-02-03T04:05:06Z", "writeKey": "{HEX}"
}}"""


def test_a_body_of_statistics_comes_out_by_its_names() -> None:
    assert found(SEGMENT) == [
        f"client.id anonymousId {UUID}",
        "account.uuid userId 97980cfea0067",
        "client.app context.app.name Reel",
        "client.app context.app.version 5.4.1",
        f"client.advertising_id context.device.advertisingId {UUID.upper()}",
        "client.vendor context.device.manufacturer Acme",
        "client.model context.device.model Tab 7",
        "client.os context.device.type android",
        "client.language context.locale de-AT",
        "net.carrier context.network.carrier A1",
        "net.connection_type context.network.wifi true",
        "client.os context.os.name Android",
        "client.os context.os.version 14",
        "client.screen context.screen.width 1080",
        "client.screen context.screen.height 2400",
        "client.timezone context.timezone Europe/Vienna",
        "event.name event Video Started",
        "media.title properties.title Zorblax Uprising",
        "event.time timestamp 2031-02-03T04:05:06Z",
    ]


@pytest.mark.parametrize(
    ("value", "item", "part"),
    [
        ("see https://films.example/title/tt9990101/", "media.external_id", "tt9990101"),
        ("plex://movie/a11ce000000000000000a101", "media.external_id", "plex://movie/a11ce000000000000000a101"),
        ("Europe/Vienna", "client.timezone", "Europe/Vienna"),
        ("Linux-6.1.0-17-amd64-x86_64-with-glibc2.36", "client.os", "Linux-6.1.0-17-amd64-x86_64-with-glibc2.36"),
        ("6.8.0-45-generic", "client.os", "6.8.0-45-generic"),
        ("/srv/media/Zorblax.mkv", "media.file_path_or_name", "/srv/media/Zorblax.mkv"),
        ("Zorblax.Uprising.2031.1080p.mkv", "media.file_path_or_name", "Zorblax.Uprising.2031.1080p.mkv"),
        ("Mozilla/5.0 (X11; Linux x86_64) Reel/1", "client.user_agent", "Mozilla/5.0 (X11; Linux x86_64) Reel/1"),
    ],
)
def test_a_form_shows_what_a_value_is_whatever_its_field_is_called(value: str, item: str, part: str) -> None:
    assert found(f'{{"zz": "{value}"}}') == [f"{item} zz {part}"]


def test_a_file_and_a_film_are_found_in_a_long_log() -> None:
    log = (
        "12:00 started\n" * 2_000 + "12:01 cannot open '/srv/films/Zorblax.mkv' of tt9990101\n" + "12:02 idle\n" * 2_000
    )
    assert found(log) == [
        "media.external_id body tt9990101",
        "media.file_path_or_name body /srv/films/Zorblax.mkv",
    ]


@pytest.mark.parametrize(
    "value",
    [
        "watt9990101", "tt12345", "plex://movie/5", "Europe", "Europe/vienna", "6.8.0-beta", "intro.mp4",
        "src/app/main.ts", "https://cdn.example/media/a.mkv", HEX, UUID, "W/abc", "1700000000000", "eyJhbGciOi", "com.plexapp.agents.none://7",
    ],
)  # fmt: skip
def test_what_only_looks_alike_is_nothing(value: str) -> None:
    assert found(f'{{"zz": "{value}"}}') == []


@pytest.mark.usefixtures("no_hang")
def test_every_expression_takes_a_time_of_the_order_of_the_value() -> None:
    names = KNOWLEDGE.names
    patterns = {p.item: NameTable(Names(pattern=(p,))) for p in names.pattern}
    for text in (
        "a" * 5_000,
        "/media/" * 20_000,
        "tt1" * 50_000,
        "/media/" * 700,
        "1." * 2_500,
        "1 " * 2_500,
        "a-" * 2_500,
        "2031 " * 1_000,
    ):
        for form in names.values:
            table = NameTable(Names(values=names.values, field=(NamedField("x", ("zz",), form),)))
            leaves = decode(exchange_of(ExampleCall(f"POST https://x.example/x\n\nzz={text}"), "t")).leaves
            for leaf in leaves:
                table.labels(leaf, TABLE.among(leaves))
                for other in patterns.values():
                    list(other.forms(leaf))


@settings(deadline=None)
@given(st.binary(), st.lists(st.tuples(st.text(max_size=20), st.text()), max_size=4).map(tuple))
def test_whatever_is_sent_nothing_is_raised(body: bytes, query: tuple[tuple[str, str], ...]) -> None:
    call = exchange_of(ExampleCall("POST https://x.example/x"), "test")
    leaves = decode(replace(call, query=query, cookies=query, body=Body(body, len(body)))).leaves
    around = TABLE.among(leaves)
    for leaf in leaves:
        assert all(item in KNOWLEDGE.items for item, _ in (*TABLE.labels(leaf, around), *TABLE.forms(leaf)))


def test_an_empty_table_knows_nothing() -> None:
    leaves = decode(exchange_of(ExampleCall("POST https://x.example/users/4\n\ndevice_id=abcdef12"), "test")).leaves
    around = TABLE.among(leaves)
    table = NameTable(Names())
    assert [label for leaf in leaves for label in (*table.labels(leaf, around), *table.forms(leaf))] == []


def test_a_pattern_is_looked_for_in_requests_alone_where_the_item_is() -> None:
    names = Names(only_sent=("a.b",), pattern=(ValuePattern("a.b", ("zorblax",)),))
    answer = ExampleCall("GET https://x.example/zorblax", "200\n\nzorblax")
    leaves = decode(exchange_of(answer, "test")).leaves
    assert [leaf.at for leaf in leaves if list(NameTable(names).forms(leaf))] == ["path"]


def test_what_an_indexer_is_asked_to_do_is_no_title() -> None:
    def asked(query: str) -> list[str]:
        return found("", start=f"GET https://x.example/api?{query}")

    assert asked("t=An%20Invented%20Series&season=2&ep=4") == ["media.title query.t An Invented Series"]
    assert asked("t=tvsearch&season=2&ep=4") == []
    assert asked("t=Search&season=2") == ["media.title query.t Search"]
