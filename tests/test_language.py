"""Other languages: translations are whole and fit, and what is said in one holds no other."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import pty
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from string import Formatter

import polib
import pytest
from msgspec import structs

from analysis import glossary, knowledge, language, post, proof, redact, shared_report, texts, translation_source
from analysis.cli import main
from analysis.cli.page import every
from analysis.commands import COMMANDS
from analysis.model import Category
from analysis.needs import needs
from analysis.pipeline import Result
from analysis.report import html, terminal
from analysis.report.document import Paragraph, size
from analysis.report.private import private
from analysis.texts import answer, elsewhere, promises
from analysis.translation_update import messages, updated
from reporting import evening

ROOT = Path(__file__).parents[1]

GERMAN = language.read("de")

INVENTED = r"""
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\n"

msgctxt "report.THOUSANDS"
msgid ","
msgstr "'"

msgctxt "answer.DAYS"
msgid "{n} day"
msgid_plural "{n} days"
msgstr[0] "{n} dzenzo"
msgstr[1] "{n} dzenza"
msgstr[2] "{n} dzenzu"

msgctxt "report.CATEGORIES.update-check"
msgid "update check"
msgstr "nova?"

msgctxt "report.TITLE"
msgid "What was sent, and to whom"
msgstr ""
"""
"""A language that nobody speaks, with three forms for numbers."""


def filled_in(text: str) -> set[str]:
    """Names in braces."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def typed(text: str) -> list[str]:
    """Commands and options in a text, which are the same in every language."""
    commands = re.findall(rf"phonehome (?:{'|'.join(COMMANDS)})\b|--[a-z][a-z-]+|pihole -?[a-z]+", text)
    return sorted(set(commands))


def forms(entry: polib.POEntry) -> tuple[str, ...]:
    return tuple(entry.msgstr_plural.values()) if entry.msgid_plural else (entry.msgstr,)


def test_every_message_is_translated_and_none_is_out_of_date() -> None:
    now = updated("de")
    assert [e.msgctxt for e in now if not e.translated()] == [], "translate them in analysis/texts/de.po"
    assert [(e.msgctxt, e.msgid) for e in now] == [(e.msgctxt, e.msgid) for e in GERMAN], "run make translations"


@pytest.mark.parametrize("about", ["names in braces", "commands", "spaces at the ends", "forms"])
def test_a_translation_fits_its_message(about: str) -> None:
    wrong = []
    for entry in GERMAN:
        english = tuple(filter(None, (entry.msgid, entry.msgid_plural)))
        for said in forms(entry):
            if about == "names in braces":
                # A form for one thing may leave out its number, and what is only said of many.
                least, most = (set.intersection, set.union)
                fits = least(*map(filled_in, english)) <= filled_in(said) <= most(*map(filled_in, english))
                fits = fits or filled_in(said) in map(filled_in, english)
            elif about == "commands":
                fits = typed(said) in map(typed, english)
            elif about == "spaces at the ends":
                fits = any(said[: len(said) - len(said.lstrip())] == e[: len(e) - len(e.lstrip())] for e in english)
                fits = fits and any(said[len(said.rstrip()) :] == e[len(e.rstrip()) :] for e in english)
            else:
                fits = bool(said.strip()) or not english[0].strip()
            if not fits:
                wrong.append((entry.msgctxt, said))
    assert wrong == []


@pytest.mark.usefixtures("german")
def test_one_and_many_are_told_apart_in_both_languages() -> None:
    assert [texts.plural(n, answer.HOURS) for n in (0, 1, 2, 1234)] == [
        "0 Stunden",
        "1 Stunde",
        "2 Stunden",
        "1.234 Stunden",
    ]
    language.use("en")
    assert [texts.plural(n, answer.HOURS) for n in (0, 1, 1234)] == ["0 hours", "1 hour", "1,234 hours"]


@pytest.mark.usefixtures("german")
def test_numbers_and_dates_have_the_form_of_the_language() -> None:
    assert texts.number(1234567) == "1.234.567"
    assert texts.number(1234.5, ",.1f") == "1.234,5"
    assert size(3_400) == "3,4 kB"
    assert texts.long_date("2024-06-28") == "28. Juni 2024"


def test_english_is_what_it_was_after_another_language_was_used() -> None:
    before = dict(messages())
    labels = {name: item.label for name, item in knowledge.load().items.items()}
    language.use("de")
    assert texts.CATEGORIES[Category.UPDATE_CHECK] == "Suche nach Updates"
    assert knowledge.load().items["media.duration"].label == "Länge des Films"
    assert needs()[Category.LICENCE_CHECK].function == "nachweisen, dass bezahlt wurde"
    language.use("en")
    assert dict(messages()) == before
    assert {name: item.label for name, item in knowledge.load().items.items()} == labels
    assert promises.OCCASION_KINDS["play"] == ("film played", "films played")


def told(result: Result) -> Result:
    """The same result, with what is known in the language in use, and without the reasons that it was made up with."""
    said = tuple(structs.replace(c, reason="(hier)") for c in result.comparisons)
    return replace(result, knowledge=knowledge.load(), comparisons=said)


@pytest.mark.usefixtures("german")
def test_the_whole_first_screen_in_german() -> None:
    blocks = private(told(evening())).blocks[:7]
    said = [block.text.replace("\N{NO-BREAK SPACE}", " ") for block in blocks if isinstance(block, Paragraph)]
    assert said == [
        "Innerhalb von 2 Stunden: 5 Aufrufe nach außen, von 1 App (Plex). Wofür: 40 % für Nutzungsstatistik, 20 % um "
        "nach Updates zu suchen, 20 % zur Anmeldung, 20 % zu einem unbekannten Zweck. Angerufen: Plex 4, "
        "tracker.alice-isp.example 1.",
        "Gesendet, ohne dass die Angaben des Absenders es abdecken: Gerätename an Plex (Nutzungsstatistik; nicht "
        "genannt); User-Agent an tracker.alice-isp.example (unbekannter Zweck; ohne Liste, der Absender ist nicht "
        "bekannt).",
        "1 Aufruf trug etwas von dem, was du siehst oder besitzt, zu analytics.plex.tv: Länge des Films. Plex nennt "
        "als abschaltbar: Länge des Films.",
        "In dem, was lesbar war, wurde kein Titel, kein Dateiname und keine Kennung, Prüfsumme oder Bildadresse "
        "gefunden, die einen Titel verrät; nach deinen eigenen Titeln wurde nicht gesucht. Mit phonehome known import "
        "lässt sich nach ihnen suchen.",
        "1 von 4 Empfängern war nicht lesbar, darunter metrics.plex.tv: Was dorthin ging, ist nicht bekannt und kann "
        "alles sein. 1 Stelle im Mitschnitt ist beschädigt oder war nicht lesbar.",
        "Dieser Bericht kann für 4 von 6 Verbindungen nach außen (66 %) sprechen und für 86 % der dorthin gesendeten "
        "Bytes. In dem, was gelesen werden konnte, wurde kein Film abgespielt, deshalb lässt sich über die Wiedergabe "
        "nichts sagen. Von den Anlässen, bei denen Produkte senden, erfasst er: nichts; nicht erfasst: ein Start des "
        "Servers oder einer App, ein abgespielter Film, ein Einlesen der Bibliothek, ein ganzer Tag (Zeitgeber).",
        "Gehört media.alice.example dir? Es antwortet wie ein Medienserver; wenn ja, sag es mit: phonehome known add "
        "--kind server media.alice.example",
    ]


def sentences(text: str) -> Iterator[str]:
    """English messages that stand in a text, if they are long enough to be no chance."""
    flat = " ".join(text.split())
    for entry in GERMAN:
        for english in (entry.msgid, entry.msgid_plural):
            for piece in texts.pieces(english):
                if (
                    len(re.sub(r"phonehome( [a-z-]+)+", "", piece).split()) > 3
                    and " ".join(piece.split()) in flat
                    and entry.msgid != entry.msgstr
                ):
                    yield piece


@pytest.mark.usefixtures("german")
def test_no_english_sentence_is_left_in_a_german_report() -> None:
    document = private(told(evening()), page=True)
    assert list(sentences(terminal.render(document, width=10_000))) == []
    page = html.render(document)
    assert '<html lang="de">' in page
    assert list(sentences(page)) == []


@pytest.mark.parametrize("form", post.FORMS)
@pytest.mark.usefixtures("german")
def test_a_german_post_is_proven_and_can_be_verified_by_whoever_speaks_english(form: str) -> None:
    result = told(evening())
    redacted = redact.redact(result)
    text = post.post(result, redacted, form)
    assert "Nutzungsstatistik" in text or form == "json"
    language.use("en")
    assert shared_report.read(shared_report.embedded(text.encode())) == redacted
    assert proof.held(text, evening(), redacted) is None
    leaked = proof.held(f"{text}\ntracker.alice-isp.example", evening(), redacted)
    assert leaked
    assert leaked.what == "the name of a host"


@pytest.mark.parametrize("form", sorted(post.EXPORTS))
@pytest.mark.usefixtures("german")
def test_a_german_export_is_proven(form: str) -> None:
    result = told(evening())
    assert post.post(result, redact.redact(result), form)


def test_a_third_language_is_one_new_file(tmp_path: Path) -> None:
    (tmp_path / "xx.po").write_text(INVENTED, "utf-8")
    assert language.languages(tmp_path) == ("en", "xx")
    try:
        language.use("xx", tmp_path)
        assert [texts.plural(n, answer.DAYS) for n in (1, 3, 5, 22, 1000)] == [
            "1 dzenzo",
            "3 dzenza",
            "5 dzenzu",
            "22 dzenza",
            "1'000 dzenzu",
        ]
        assert texts.CATEGORIES[Category.UPDATE_CHECK] == "nova?"
        # What nobody has translated yet stays English.
        assert texts.TITLE == "What was sent, and to whom"
    finally:
        language.use("en")


def test_what_changed_in_english_is_doubtful_until_somebody_looks_at_it(tmp_path: Path) -> None:
    (tmp_path / "xx.po").write_text(INVENTED.replace('msgid "update check"', 'msgid "updates"'), "utf-8")
    made = {entry.msgctxt: entry for entry in updated("xx", tmp_path)}
    assert made["report.CATEGORIES.update-check"].fuzzy
    assert made["report.CATEGORIES.update-check"].msgid == "update check"
    assert made["answer.DAYS"].translated()
    assert made["answer.HOURS"].msgstr_plural == {0: "", 1: "", 2: ""}
    made_file = polib.POFile()
    made_file.extend(made.values())
    assert set(language.found_in(made_file)) == {"report.THOUSANDS", "answer.DAYS"}


def test_a_language_that_does_not_exist_is_refused_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--language", "tlh", "demo"])
    assert end.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "Error: Invalid value for '--language': 'tlh' is no language of phonehome; there are: en, de"
    )


@pytest.fixture
def english_again(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """English before and after, whatever a command line chooses for this process."""
    monkeypatch.setenv(language.VARIABLE, "en")
    yield
    language.use("en")


@pytest.mark.usefixtures("english_again")
@pytest.mark.parametrize("arguments", ["-h --language de", "known --help --language=de", "undo -h --language de_AT"])
def test_the_language_counts_wherever_it_stands(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments.split())
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("Aufruf: phonehome ")


@pytest.mark.usefixtures("english_again")
def test_an_option_that_does_not_exist_is_refused_in_the_language_behind_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["packs", "check", "--nosuch", "--language", "de"])
    assert capsys.readouterr().err.endswith("Fehler: Die Option '--nosuch' gibt es nicht.\n")


def test_no_module_keeps_a_copy_of_a_text() -> None:
    """A translation is written over the constants of `texts/`: who copied a sentence before goes on in English."""
    modules = {module.__name__: module for module in language.modules()}
    wrong = []
    for path in sorted((ROOT / "analysis").rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ImportFrom) and node.module in modules:
                values = ((a.name, getattr(modules[node.module], a.name)) for a in node.names if a.name.isupper())
                wrong += [f"{path.name}: {name}" for name, value in values if isinstance(value, str | tuple)]
            if isinstance(node, ast.Assign | ast.AnnAssign) and path.parent != language.FOLDER and node.value:
                named = ast.unparse(node.value)
                if re.search(r"\b(texts|words|say|steps)\.[A-Z]", named) and "lambda" not in named:
                    wrong.append(f"{path.name}: {named[:60]}")
    assert wrong == []


@pytest.mark.usefixtures("german")
def test_what_is_said_elsewhere_is_looked_up_with_what_changes_in_it() -> None:
    assert language.said("client rejected the certificate") == "die App lehnte das Zertifikat ab"
    # A name may be that of a word of ours, and hold anything.
    assert language.said("port: is empty; record something first") == "port: ist leer; zeichne zuerst etwas auf"
    assert language.said("a: b {x}: is empty; record something first") == "a: b {x}: ist leer; zeichne zuerst etwas auf"
    # A part may be a sentence itself, and a number has the form of the language.
    assert language.said("is cut off or damaged; 17 bytes were skipped") == (
        "ist abgeschnitten oder beschädigt; 17 Bytes wurden übersprungen"
    )
    assert language.said("nothing was found; 1,017 bytes were skipped") == (
        "nothing was found; 1.017 Bytes wurden übersprungen"
    )
    assert language.said("x: cannot be read: Is a directory") == "x: ist nicht zu lesen: ist ein Ordner"
    assert language.said("without cgroup v2 at /sys/fs/cgroup and sudo, which watch supplies for itself") == (
        "ohne cgroup v2 in /sys/fs/cgroup und sudo, was watch sich selbst besorgt"
    )
    assert language.said("nft -f -: was refused: Error: syntax error, unexpected newline") == (
        "nft -f -: wurde abgelehnt, mit den Worten: Error: syntax error, unexpected newline"
    )
    for unknown in ("what {nobody} says (x)", "", "is empty", ": " * 3000):
        assert language.said(unknown) == unknown


def test_what_the_code_says_to_people_is_found_in_it() -> None:
    source = """
def read(path, kind) -> Sentence:
    "No sentence for people."
    log.info("nor is this: it is for us")
    if kind:
        raise KeyError("this is a fault of ours")
    why = "is full" if path else f"is at {path.name}"
    if path:
        raise CaptureError(f"{path.name!r}: {why}, {', '.join(map(str, found))}; {len(found):,} {{x}}")
    tell("once" "more")
    raise Failure(str(error), 2)
    return "done"
"""
    said = [text for text, _ in translation_source.said_by(source)]
    assert said == ["{name}: {why}, {found}; {found2} {{x}}", "is full", "is at {name}", "oncemore", None, "done"]


def test_no_sentence_hides_where_it_cannot_be_found() -> None:
    """A text put together in another way than by an f-string would stay English for ever."""
    found = {text for text, _ in translation_source.found()}
    hidden = {
        literal
        for text, place in translation_source.found()
        if text is None and not place.source.startswith(("time.", "struct."))
        for literal in (node.value for node in ast.walk(ast.parse(place.source)) if isinstance(node, ast.Constant))
        if isinstance(literal, str) and len(literal.split()) > 1
    }
    assert hidden - found == set()


def test_what_a_recording_says_stands_in_the_code() -> None:
    """Keys are looked up by what the lower layers say: one that nobody says any more translates nothing."""
    code = (path.read_text("utf-8") for layer in ("captures", "addons") for path in (ROOT / layer).rglob("*.py"))
    whole = re.sub(r'"\s*f?"', "", " ".join(code))
    pieces = {key: [part.strip(" ;:,()") for part in re.split(r"\{\w+\}", key)] for key in elsewhere.recording()}
    assert [key for key, parts in pieces.items() if not all(part in whole for part in parts)] == []


@pytest.mark.usefixtures("german")
def test_every_command_helps_in_german() -> None:
    shown = {context.command_path: context.command.get_help(context) for context in every()}
    assert len(shown) > len(COMMANDS)
    assert {path: found for path, text in shown.items() if (found := sorted(set(sentences(text))))} == {}
    english = re.compile(r"\b(?:Usage|Options|Commands|Example|default|required|Show|the|and|or|is|of)\b")
    left = {path: english.findall(re.sub(r"(?m)^ .*phonehome .*$", "", text)) for path, text in shown.items()}
    assert {path: words for path, words in left.items() if words} == {}


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command that cannot do it says, without the lines on how it is called."""
    with pytest.raises(SystemExit) as end:
        main(["--language", "de", *arguments])
    assert end.value.code in (2, 3)
    said = capsys.readouterr().err
    assert list(sentences(said)) == []
    return said.splitlines()[-1]


ERRORS = {
    ("inspect", "nowhere.flow"): "Fehler: nowhere.flow: eine solche Datei gibt es nicht; prüfe den Pfad",
    ("inspect", "empty.har"): "Fehler: empty.har: ist leer; zeichne zuerst etwas auf",
    ("inspect", "folder"): "Fehler: folder: ist ein Ordner; gib die Mitschnitte darin an, z. B. folder/*.flow",
    ("inspect",): "Fehler: Es fehlt das Argument 'DATEI...'.",
    ("inspct",): "Fehler: inspct: ist kein Befehl; meintest du inspect?",
    (
        "inspect",
        "--formt",
    ): "Fehler: Die Option '--formt' gibt es nicht. (Meintest du eines davon: '--format', '--forum'?)",
    ("inspect", "--format", "odt", "x"): (
        "Fehler: Ungültiger Wert für '--format': 'odt' ist keines von 'terminal', 'json', 'markdown', 'bbcode', "
        "'html', 'csv'."
    ),
    ("inspect", "--since", "soon", "x"): (
        "Fehler: Ungültiger Wert für '--since': 'soon' ist keine Zeit; schreib 20:15, 2026-11-24 oder 2026-11-24T20:15"
    ),
    ("inspect", "--product", "nope", "empty.har"): "Fehler: --product nope: ist nicht bekannt; es gibt ",
    (
        "inspect",
        "-o",
        "none/x",
        "good.har",
    ): "Fehler: none/x: eine solche Datei oder einen solchen Ordner gibt es nicht",
    (
        "watch",
        "--upstream-ca",
        "none.pem",
    ): "Fehler: Ungültiger Wert für '--upstream-ca': Datei 'none.pem' gibt es nicht.",
    ("watch", "--listen", "x:y"): "Fehler: --listen x:y: muss PORT oder HOST:PORT sein, z. B. 127.0.0.1:8080",
    ("watch", "--gateway", "--no-dashboard"): (
        "Fehler: --gateway: nichts ist eingerichtet; führe zuerst phonehome gateway up aus"
    ),
    ("gateway", "plan", "--interface", "l o", "--device", "02:00:00:00:00:14"): (
        "Fehler: --interface 'l o': ist kein Name einer Schnittstelle; `ip link` zeigt sie"
    ),
    ("trust", "add", "winamp"): "Fehler: winamp: ist nicht bekannt; bekannt sind plex, ",
    ("trust", "remove"): "Fehler: nenne ein Produkt, oder --all",
    ("trust", "add", "plex", "--path", "none.pem"): "Fehler: none.pem: gibt es nicht",
    ("share", "empty.har", "--against", "a"): (
        "Fehler: --against: gehört zu --verify; phonehome share --verify BERICHT --against MITSCHNITT"
    ),
    ("share", "--verify", "empty.har"): (
        "Fehler: empty.har: ist kein gültiger geteilter Bericht: seine Form für Programme ist beschädigt oder fehlt"
    ),
    ("known", "add", "--kind", "ip", "no"): "Fehler: nichts wurde aufgenommen",
    ("known", "import", "nowhere"): (
        "Fehler: nowhere: eine solche Datei, einen solchen Ordner gibt es nicht; prüfe den Pfad"
    ),
    ("optout", "a"): "Fehler: a: eine solche Datei gibt es nicht; prüfe den Pfad",
    ("optout",): "Fehler: gib VORHER NACHHER an, oder --off DATEI... --on DATEI..., wenn es mehr sind",
    ("compare-reports", "a"): "Fehler: a: ist ein einziger Bericht; gib zwei oder mehr an",
    ("packs", "check", "nowhere"): "Fehler: nowhere: ist kein Ordner; gib ein Paket an, oder einen Ordner mit Paketen",
    ("declared", "show", "nope"): "Fehler: nope: dazu ist keine Liste bekannt; Listen gibt es zu: ",
    (
        "explain",
        "empty.har",
        "x",
    ): "Fehler: Ungültiger Wert für 'AUFRUF': 'x' ist kein gültiger Wert (ganze Zahl im Bereich).",
}
"""What was typed -> the last line of the answer, or how it begins."""


@pytest.mark.parametrize("arguments", ERRORS, ids=" ".join)
@pytest.mark.usefixtures("german")
def test_errors_are_said_in_german(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.har").write_bytes(b"")
    (tmp_path / "good.har").write_text(json.dumps({"log": {"version": "1.2", "entries": []}}), "utf-8")
    assert failed(capsys, *arguments).startswith(ERRORS[arguments])


@pytest.mark.usefixtures("german")
def test_doctor_speaks_german(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit):
        main(["doctor"])
    said = capsys.readouterr().out
    assert list(sentences(said)) == []
    assert re.findall(r"\b(?:the|is|and|or|not|tested|readable|every|port|free|none|at most)\b", said) == []
    assert "Plex Media Server auf Linux" in said


def on_a_terminal(folder: Path, answers: bytes, *arguments: str) -> str:
    """What the real program says on a terminal, in German, when this is typed."""
    parent, child = pty.openpty()
    environment = os.environ | {"PHONEHOME_LANGUAGE": "de", "PHONEHOME_HOME": str(folder), "COLUMNS": "1000"}
    command = [sys.executable, "-m", "analysis", *arguments]
    with subprocess.Popen(command, stdin=child, stdout=child, stderr=child, env=environment, cwd=ROOT) as process:
        os.close(child)
        os.write(parent, answers)
        said = b""
        with contextlib.suppress(OSError):  # how Linux tells that nobody writes any more
            while block := os.read(parent, 4096):
                said += block
        process.wait(60)
    os.close(parent)
    return said.decode()


def test_the_guided_start_asks_in_german(tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        said = on_a_terminal(tmp_path, f"9\n5\n{port}\n".encode(), "watch")
    assert "Was soll beobachtet werden?" in said
    assert "Fehler: 9 liegt nicht im Bereich 1<=x<=6." in said
    assert f"auf Port {port} dieses Rechners antwortet nichts; starte den Server und versuche es noch einmal" in said
    language.use("en")
    assert list(sentences(said)) == []


def test_english_loads_no_table() -> None:
    code = (
        "import sys\nfrom analysis.cli import main\ntry:\n    main(['share', '--help'])\n"
        "except SystemExit:\n    pass\nsys.exit('polib' in sys.modules)"
    )
    for spoken, loaded in (("en", 0), ("de", 1)):
        environment = os.environ | {"PHONEHOME_LANGUAGE": spoken}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=False, env=environment)
        assert done.returncode == loaded


def test_the_glossary_is_up_to_date() -> None:
    path, made = ROOT / "docs" / "glossary.md", glossary.page()
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(made, "utf-8")
    assert path.read_text("utf-8") == made, "run make docs"
    assert "| `no-list` | ohne Liste | der Absender veröffentlicht keine Liste dessen, was er sendet |" in made
