"""What many reports say together: changes dated, disagreements explained, and nobody's lies in large letters."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

pytest.importorskip("pyarrow")

from analysis.cli import main
from analysis.community import sentences, shares
from analysis.community.answers import Answers, Outlier, What, answers
from analysis.community.answers import json as as_json
from analysis.community.collect import collect
from analysis.community.dataset import Dataset, Reproduced
from analysis.community.reports import load
from communities import CHANGED, SWITCH, Report, report, row, save, setting, simulate, version

NOW = 1_790_000_000.0
CHANGE = "Plex sends library name to Google (usage statistics) since version 1.37."
REASON = (
    "Whether Plex sends position in the film to Plex (usage statistics) depends on the setting “Send playback data to "
    "Plex”."
)

type Ask = Callable[..., Answers]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Posts, each with who posted it -> answers."""

    def ask(posts: Iterable[tuple[str, Report]], minimum: int = 5) -> Answers:
        for who, made in posts:
            save(tmp_path / "posts", who, made)
        dataset = Dataset(tmp_path / "dataset", make=True)
        assert not collect([tmp_path / "posts"], dataset, now=NOW).rejected
        return answers(dataset, minimum=minimum)[0]

    return ask


def noise(chance: random.Random) -> list[dict[str, object]]:
    """What makes a report different from others of the same kind."""
    items = ("client.id", "client.os", "client.app", "server.version", "media.bitrate")
    return [row(item, count=chance.choice(("1", "2-5", "6-20", "21-100"))) for item in items]


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "posts"
    simulate(folder, seed=7, people=120, reports=700)
    return folder


@pytest.fixture(scope="module")
def simulated(posts: Path) -> tuple[Answers, tuple[Outlier, ...]]:
    dataset = Dataset(posts.parent / "dataset", make=True)
    found = collect([posts], dataset, now=NOW)
    assert (found.known, len(found.rejected)) == (9, 18)
    return answers(dataset)


def test_a_change_is_dated_and_a_disagreement_is_explained(simulated: tuple[Answers, tuple[Outlier, ...]]) -> None:
    found, _ = simulated
    assert list(sentences.headlines(found)) == [CHANGE, REASON]
    assert [(change.version, change.appeared) for change in found.changes] == [(CHANGED, True)]
    assert [(one.kind, one.name) for one in found.disagreements if one.kind] == [("setting", SWITCH)]


def test_no_forgery_shows_but_to_who_collects(simulated: tuple[Answers, tuple[Outlier, ...]]) -> None:
    found, few = simulated
    text = as_json(found)
    for forged in ("account.email", "account.uuid", "account.soul", "Evil Corp", "canary", "9.99", "9999"):
        assert forged not in text
    assert {outlier.cell.item for outlier in few} == {"account.email", "account.uuid"}
    assert found.counts.unknown > 0


def test_five_people_who_agree_move_no_headline(
    posts: Path, simulated: tuple[Answers, tuple[Outlier, ...]], tmp_path: Path
) -> None:
    honest = tmp_path / "honest"
    shutil.copytree(posts, honest, ignore=shutil.ignore_patterns("colluder-*"))
    dataset = Dataset(tmp_path / "dataset", make=True)
    collect([honest], dataset, now=NOW)
    assert list(sentences.headlines(answers(dataset)[0])) == list(sentences.headlines(simulated[0]))


def test_numbers_are_told_in_classes_only(simulated: tuple[Answers, tuple[Outlier, ...]]) -> None:
    found, _ = simulated
    labels = {one.seen.posters for one in found.statements} | {one.seen.of for one in found.statements}
    assert labels <= {"100+", "50+", "20+", "10+", "5+"}
    bounds = [bound for one in found.statements for bound in (one.seen.low, one.seen.high)]
    assert all(abs(bound * 20 - round(bound * 20)) < 1e-9 for bound in bounds)


def test_a_person_counts_once_however_often_he_posts(ask: Ask) -> None:
    chance = random.Random(1)  # noqa: S311
    posts = [("alice", report([*noise(chance), row("media.title")])) for _ in range(50)]
    posts += [(f"p{n}", report(noise(chance))) for n in range(30)]
    found = ask(posts)
    assert "media.title" not in as_json(found)
    assert found.counts.posters == "20+"


def test_reports_without_a_name_are_one_person(ask: Ask) -> None:
    chance = random.Random(2)  # noqa: S311
    posts = [("", report(noise(chance))) for _ in range(50)] + [(f"p{n}", report(noise(chance))) for n in range(3)]
    assert ask(posts).statements == ()
    assert ask([("p4", report(noise(chance)))]).statements != ()


@pytest.mark.parametrize(("different", "counted"), [(2, 1), (3, 2)])
def test_what_is_nearly_the_same_counts_once(tmp_path: Path, different: int, counted: int) -> None:
    """Of twenty places two may differ, and no third."""
    items = [item for item in _items() if item != "media.title"][:20]
    one = report([row(item) for item in items])
    other = report([row(item, count="6-20" if n < different else "2-5") for n, item in enumerate(items)])
    save(tmp_path / "posts", "alice", one)
    save(tmp_path / "posts", "bob", other)
    dataset = Dataset(tmp_path / "dataset", make=True)
    collect([tmp_path / "posts"], dataset, now=NOW)
    assert sum(map(len, load(dataset).views.values())) == counted
    # With other settings, the same is another report.
    save(tmp_path / "posts", "carol", one | {"report": "c" * 32, "settings": [setting(SWITCH, "on")]})
    collect([tmp_path / "posts"], dataset, now=NOW)
    assert sum(map(len, load(dataset).views.values())) == counted + 1


def _items() -> list[str]:
    from analysis.vocabulary import vocabulary

    return sorted(vocabulary().shipped.items)


def test_who_is_alone_cannot_be_told_from_nobody() -> None:
    for n in (20, 100):
        everybody = shares.share(n, n, 5)
        assert [shares.share(n - left, n, 5)._replace(posters="") for left in range(5)] == [
            everybody._replace(posters="")
        ] * 5
        assert shares.share(n - 5, n, 5)._replace(posters="") != everybody._replace(posters="")


def test_no_part_is_told_whose_rest_is_too_small(ask: Ask) -> None:
    chance = random.Random(3)  # noqa: S311
    of = {"Linux": 12, "Windows": 5, "Android": 4}
    posts = [
        (f"{platform}-{n}", report(noise(chance), platforms=[platform])) for platform, k in of.items() for n in range(k)
    ]
    told = {one.platform for one in ask(posts).statements}
    assert told == {"", "Linux", "Windows"}  # all but Android's four; and of these there is no complement
    posts = [(f"x{n}", report(noise(chance), platforms=["Linux"])) for n in range(40)]
    assert "Linux" in {one.platform for one in ask(posts).statements}


def test_the_rest_of_a_part_is_as_large_as_the_part(ask: Ask) -> None:
    chance = random.Random(4)  # noqa: S311
    posts = [(f"p{n}", report(noise(chance), settings=[setting(SWITCH, "on" if n < 17 else "off")])) for n in range(20)]
    assert {one.switch for one in ask(posts).statements} == {""}


def test_who_left_something_out_did_not_look_in_vain(ask: Ask) -> None:
    """Ten of twenty saw the title; ten more left out something, which may be the title."""
    chance = random.Random(8)  # noqa: S311
    saw = [(f"saw{n}", report([*noise(chance), row("media.title")])) for n in range(10)]
    had_not = [(f"not{n}", report(noise(chance))) for n in range(10)]

    def seen(posts: Iterable[tuple[str, Report]]) -> tuple[str, float, float]:
        found = ask([*saw, *had_not, *posts])
        (one,) = [s for s in found.statements if s.what.item == "media.title" and not (s.version or s.platform)]
        return one.seen.of, one.seen.low, one.seen.high

    alone = seen([])
    assert alone[0] == "20+"
    held_back = [(f"held{n}", report(noise(chance), left_out=True)) for n in range(30)]
    assert seen(held_back) == alone
    whole = [(f"whole{n}", report(noise(chance))) for n in range(30)]
    assert seen(whole)[0] == "50+"


def test_what_was_left_out_is_no_change_and_no_disagreement(ask: Ask) -> None:
    """Who has the newer version, or Windows, left things out of his report; who sees all of it sees the title."""
    chance = random.Random(9)  # noqa: S311
    title = row("media.title")
    posts = [(f"old{n}", report([*noise(chance), title], versions=[version("1.40")])) for n in range(30)]
    newer = {"versions": [version("1.41")], "platforms": ["Windows"]}
    posts += [(f"new{n}", report([*noise(chance), title], **newer)) for n in range(8)]
    hidden = [(f"hid{n}", report(noise(chance), **newer, left_out=True)) for n in range(30)]
    found = ask([*posts, *hidden])
    assert not [c for c in found.changes if c.what.item == "media.title"]
    assert not [d for d in found.disagreements if d.what.item == "media.title"]
    open_ = [(f"open{n}", report(noise(chance), **newer)) for n in range(30)]
    found = ask([*posts, *open_])
    assert [c.version for c in found.changes if c.what.item == "media.title"] == ["1.41"]


def test_the_minimum_cannot_be_set_below_three(ask: Ask) -> None:
    chance = random.Random(5)  # noqa: S311
    assert ask([(f"p{n}", report(noise(chance))) for n in range(2)], minimum=1).statements == ()
    assert ask([("p3", report(noise(chance)))], minimum=1).minimum == 3


@pytest.mark.parametrize("seed", range(5))
def test_zeal_is_no_change(ask: Ask, seed: int) -> None:
    """With the newer version everybody posts six times: what three in ten see is then seen by most, once at least."""
    chance = random.Random(seed)  # noqa: S311

    def made(number: str) -> Report:
        rows = [*noise(chance), *([row("media.title")] if chance.random() < 0.3 else [])]
        return report(rows, versions=[version(number)])

    posts = [(f"p{n}", made("1.40")) for n in range(40)]
    posts += [(f"p{n}", made("1.41")) for n in range(40) for _ in range(6)]
    assert ask(posts).changes == ()


def test_what_is_sent_no_longer_is_dated_too(ask: Ask) -> None:
    chance = random.Random(6)  # noqa: S311

    def made(n: int) -> Report:
        number = n % 6
        return report(
            [*noise(chance), *([row("media.title")] if number < 3 else [])], versions=[version(f"1.{number}")]
        )

    (change,) = ask((f"p{n % 60}", made(n + n // 60)) for n in range(240)).changes
    assert (change.version, change.appeared, change.headline) == ("1.3", False, True)


def test_versions_are_numbers(ask: Ask) -> None:
    """1.10 comes after 1.9."""
    chance = random.Random(8)  # noqa: S311
    posts = []
    for n in range(120):
        number = 7 + n % 6
        rows = [*noise(chance), *([row("media.title")] if number >= 10 else [])]
        posts.append((f"p{n}", report(rows, versions=[version(f"1.{number}")])))
    (change,) = ask(posts).changes
    assert (change.before, change.version) == ("1.9", "1.10")


def test_another_list_that_judges_otherwise_is_shown(ask: Ask) -> None:
    chance = random.Random(9)  # noqa: S311
    posts = []
    for n in range(40):
        old = n % 2
        judged = {"declared": "2018-05-23", "verdict": "undeclared"} if old else {"declared": "2024-06-28"}
        posts.append((f"p{n}", report([*noise(chance), row("media.title") | judged])))
    (revised,) = ask(posts).revisions
    assert (revised.old, revised.was.verdict) == ("2018-05-23", "undeclared")
    assert (revised.new, revised.now.verdict) == ("2024-06-28", "optional")


def test_a_platform_explains_a_verdict(ask: Ask) -> None:
    chance = random.Random(10)  # noqa: S311
    posts = []
    for n in range(60):
        windows = n % 2 == 0
        judged = row("media.title", verdict="denied" if windows else "optional")
        posts.append((f"p{n}", report([*noise(chance), judged], platforms=["Windows" if windows else "Linux"])))
    (found,) = [one for one in ask(posts).disagreements if one.kind]
    assert (found.verdict, found.kind, found.name) == ("denied", "platform", "Linux")


def test_an_accusation_is_a_headline_only_when_it_can_be_repeated(tmp_path: Path) -> None:
    chance = random.Random(11)  # noqa: S311
    lab = report([*noise(chance), row("media.title", verdict="denied")])
    for n in range(40):
        save(tmp_path / "posts", f"p{n}", report([*noise(chance), row("media.title", verdict="denied")]))
    save(tmp_path / "posts", "lab", lab)
    dataset = Dataset(tmp_path / "dataset", make=True)
    collect([tmp_path / "posts"], dataset, now=NOW)
    assert list(sentences.headlines(answers(dataset)[0])) == []
    dataset.add_reproduced(Reproduced(lab["report"], "A. Keeper", "sha256:" + "ab" * 32))
    assert list(sentences.headlines(answers(dataset)[0])) == [
        "Plex sends title to Plex (usage statistics): the list says that this is never collected. "
        "Reproduced by A. Keeper."
    ]


def test_what_nobody_looked_at_needs_a_capture(ask: Ask) -> None:
    chance = random.Random(12)  # noqa: S311
    posts = [(f"p{n}", report(noise(chance), platforms=["Linux" if n % 3 else "Windows"])) for n in range(12)]
    posts += [(f"q{n}", report(noise(chance), platforms=["Windows"], versions=[version("1.41")])) for n in range(6)]
    partly = {"platforms": ["Linux"], "versions": [version("1.41")], "left_out": True}
    posts += [(f"r{n}", report(noise(chance), **partly)) for n in range(6)]
    gaps = {(gap.product, gap.version): (gap.looked, gap.platforms) for gap in ask(posts).gaps}
    assert gaps["plex", "1.41"] == (("Windows",), ("Linux",))
    assert gaps["plex", "1.40"] == (("Linux",), ("Windows",))
    assert gaps["jellyfin", ""] == ((), ("Windows", "Linux"))


def test_later_months_can_be_left_out(tmp_path: Path) -> None:
    chance = random.Random(13)  # noqa: S311
    for n in range(10):
        save(tmp_path / "posts", f"p{n}", report(noise(chance), month="2026-03"))
        save(tmp_path / "posts", f"p{n}", report([*noise(chance), row("media.title")], month="2026-04"))
    dataset = Dataset(tmp_path / "dataset", make=True)
    collect([tmp_path / "posts"], dataset, now=NOW)
    assert What("plex", "media.title", "Plex", "usage-statistics") in {s.what for s in answers(dataset)[0].statements}
    assert "media.title" not in as_json(answers(dataset, until="2026-03")[0])


def test_a_person_reads_it(tmp_path: Path, simulated: object, posts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert simulated
    with pytest.raises(SystemExit) as end:
        main(["community", str(posts.parent / "dataset"), "--product", "plex", "--item", "library.name"])
    out = capsys.readouterr().out
    assert end.value.code == 0
    assert CHANGE in out
    assert REASON not in out
    path = tmp_path / "answers.json"
    with pytest.raises(SystemExit):
        main(["community", str(posts.parent / "dataset"), "--format", "json", "-o", str(path)])
    assert json.loads(path.read_text())["schema"] == "phonehome/community-answers/1"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--item", "media.smell"], "is not known"),
        (["--entity", "Evil Corp"], "is not known"),
        (["--product", "nosuch"], "is not known"),
        (["--until", "March"], "write 2026-03"),
        (["--minimum", "2"], "2 is not in the range"),
    ],
)
def test_a_wrong_question_is_answered_in_one_sentence(
    posts: Path, simulated: object, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert simulated
    with pytest.raises(SystemExit) as end:
        main(["community", str(posts.parent / "dataset"), *arguments])
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_a_folder_that_is_no_dataset_is_told_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["community", str(tmp_path)])
    assert end.value.code == 2
    assert "phonehome collect" in capsys.readouterr().err
