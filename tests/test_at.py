"""Patterns of hosts, of paths and of places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.at import LONGEST_PATH, compile_host, compile_path, compile_places, normalise
from analysis.pack import ItemPlace


@pytest.mark.parametrize(
    ("pattern", "path", "groups"),
    [
        ("/a", "/a", {}),
        ("/a", "/a/", {}),
        ("/a", "/ab", None),
        ("/a", "/A", None),
        ("/a/", "/a", None),
        ("/a.b", "/axb", None),
        ("/a/*", "/a/b", {}),
        ("/a/*", "/a/b/c", None),
        ("/a/x*.js", "/a/x1.js", {}),
        ("/a/x*.js", "/a/x/1.js", None),
        ("/a/**", "/a/b/c", {}),
        ("/a/**", "/a/", {}),
        ("/a/**", "/b/c", None),
        ("/**/a/**/b", "/x/a/y/a/b", {}),
        ("/*ab*b", "/abab", {}),
        ("/a/{id}", "/a/7", {"id": "7"}),
        ("/a/{id}", "/a/", None),
        ("/a/{id}/**", "/a/7/x/y", {"id": "7"}),
        ("{key=/library/metadata/*}/children", "/library/metadata/7/children", {"key": "/library/metadata/7"}),
        ("{key=/library/metadata/*}/children", "/library/sections/7/children", None),
    ],
)
def test_a_path_pattern(pattern: str, path: str, groups: dict[str, str] | None) -> None:
    match = compile_path(pattern).fullmatch(path)
    assert (match.groupdict() if match else None) == groups


@pytest.mark.parametrize(
    ("pattern", "host", "groups"),
    [
        ("*.a.b", "x.a.b", {}),
        ("*.a.b", "y.x.a.b", {}),
        ("*.a.b", "a.b", None),
        ("*.a.b", "xa.b", None),
        ("s*.a.b", "s1.a.b", {}),
        ("s*.a.b", "s1.x.a.b", None),
        ("{hash}.direct", "ab.direct", {"hash": "ab"}),
        ("{hash}.direct", "c.ab.direct", None),
        ("a.b", "axb", None),
    ],
)
def test_a_host_pattern(pattern: str, host: str, groups: dict[str, str] | None) -> None:
    match = compile_host(pattern).fullmatch(host)
    assert (match.groupdict() if match else None) == groups


@pytest.mark.parametrize(
    ("at", "same"),
    [
        ("body.3.events.0.name", "body.*.events.*.name"),
        ("body.0[json].1", "body.*[json].*"),
        ("body.1a.b2", "body.1a.b2"),
        ("body.Name", "body.Name"),
        ("query.X-Plex-Token", "query.x-plex-token"),
        ("cookie.SID", "cookie.sid"),
        ("response.header.Server", "response.header.server"),
        ("response.body.Name", "response.body.Name"),
    ],
)
def test_positions_and_the_case_of_headers_make_no_difference(at: str, same: str) -> None:
    assert normalise(at) == same


@pytest.mark.parametrize(
    ("pattern", "at", "fits"),
    [
        ("body.a", "body.a", True),
        ("body.a", "body.a.b", False),
        ("body.*.a", "body.7.a", True),
        ("body.*.a", "body.x.a", True),
        ("body.*.a", "body.x.y.a", False),
        ("body.**.a", "body.a", True),
        ("body.**.a", "body.x.7.a", True),
        ("body.**.a", "body.x.a.b", False),
        ("body.**.a", "body.xa", False),
        ("body.0.a", "body.5.a", True),
        ("header.X-Y", "header.x-y", True),
        ("query.x", "header.x", False),
        ("body.p[base64][json].u", "body.p[base64][json].u", True),
        ("body.p[base64][json].u", "body.p[base64].u", False),
    ],
)
def test_a_place_of_a_rule(pattern: str, at: str, fits: bool) -> None:
    item = ItemPlace("media.title", (pattern,), "a test")
    assert compile_places([item]).match(at) == ((item,) if fits else ())


def test_all_items_of_a_place_come_out_in_the_order_of_the_rule_exact_ones_first() -> None:
    wild, first, second = (
        ItemPlace(name, (at,), "a test") for name, at in (("w", "body.**.a"), ("f", "body.a"), ("s", "body.a"))
    )
    assert [item.id for item in compile_places([wild, first, second]).match("body.a")] == ["f", "s", "w"]


def test_an_item_that_stands_there_in_two_ways_comes_out_once() -> None:
    places = compile_places([ItemPlace("media.title", ("body.*.a", "body.**.a", "body.b.a"), "a test")])
    assert [item.id for item in places.match("body.b.a") + places.match("body.c.a")] == ["media.title"] * 2


@pytest.mark.usefixtures("no_hang")
def test_a_hostile_path_costs_no_time() -> None:
    pattern = compile_path("/**/a/**/b")
    for _ in range(100):
        assert pattern.fullmatch("/a" * 200_000, 0, LONGEST_PATH) is None


@given(st.text())
def test_a_text_without_wildcards_fits_itself_and_nothing_longer(text: str) -> None:
    plain = text.replace("*", "").replace("{", "")
    for pattern in (compile_path(plain), compile_host(plain)):
        assert pattern.fullmatch(plain)
        assert not pattern.fullmatch(plain + "x")


@given(st.text(alphabet="ab/.*[]()|\\+?^$"))
def test_no_character_of_a_pattern_but_the_wildcards_means_anything(pattern: str) -> None:
    assert compile_path(pattern).fullmatch(pattern.replace("*", ""))


def plainly(pattern: str, path: str) -> bool:
    """The same question, answered by trying everything."""
    if not pattern:
        return not path
    if pattern.startswith("**"):
        return any(plainly(pattern[2:], path[n:]) for n in range(len(path) + 1))
    if pattern.startswith("*"):
        return any(plainly(pattern[1:], path[n:]) for n in range(len(path) + 1) if "/" not in path[:n])
    return path[:1] == pattern[0] and plainly(pattern[1:], path[1:])


PIECES = st.sampled_from(["/", "a", "b", "ab", "*", "*", "**"])


@given(st.lists(PIECES, max_size=9).map("".join).filter(lambda p: "***" not in p), st.text("/ab", max_size=12))
def test_a_path_pattern_fits_what_it_fits_when_everything_is_tried(pattern: str, path: str) -> None:
    pattern, path = "/" + pattern, "/" + path
    tolerated = not pattern.endswith(("/", "**")) and path.endswith("/") and plainly(pattern, path[:-1])
    assert bool(compile_path(pattern).fullmatch(path)) == (plainly(pattern, path) or tolerated)


STEPS = st.sampled_from(["a", "b", "ab", "x[json]"])


@given(st.lists(STEPS | st.sampled_from(["*", "**"]), max_size=6), st.lists(STEPS, max_size=8))
def test_a_place_fits_what_it_fits_when_everything_is_tried(pattern: list[str], steps: list[str]) -> None:
    def fits(pattern: list[str], steps: list[str]) -> bool:
        if not pattern:
            return not steps
        if pattern[0] == "**":
            return any(fits(pattern[1:], steps[n:]) for n in range(len(steps) + 1))
        return bool(steps) and pattern[0] in ("*", steps[0]) and fits(pattern[1:], steps[1:])

    place = ItemPlace("x", (".".join(["body", *pattern]),), "obvious")
    assert bool(compile_places([place]).match(".".join(["body", *steps]))) == fits(pattern, steps)


@pytest.mark.usefixtures("no_hang")
@pytest.mark.parametrize("unit", [".a", ".a.b", ".ab", ".a.a.b"])
def test_no_place_keeps_a_pattern_busy(unit: str) -> None:
    places = compile_places([ItemPlace("x", ("body.**.a.**.b.**.c.*.d",), "obvious")])
    for _ in range(500):
        places.match("body" + unit * (1_000 // len(unit)) + ".d")


@pytest.mark.usefixtures("no_hang")
@pytest.mark.parametrize("pattern", ["/**/a*b/**/c*d*e", "/*a*b*c*d*e", "/**/*a/**/*b", "/**/{x}a/**"])
@pytest.mark.parametrize("unit", ["a", "a/", "ab/", "a/b/", "axb/", "ab"])
def test_no_path_keeps_a_pattern_busy(pattern: str, unit: str) -> None:
    path, compiled = "/" + unit * LONGEST_PATH, compile_path(pattern)
    for _ in range(500):
        compiled.fullmatch(path, 0, LONGEST_PATH)
