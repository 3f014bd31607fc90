"""Other languages: translations are whole and fit, and what is said in one holds no other."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from string import Formatter

import polib
import pytest
from msgspec import structs

from analysis import glossary, knowledge, language, post, proof, redact, shared_report, texts
from analysis.cli import COMMANDS, main
from analysis.model import Category
from analysis.needs import needs
from analysis.pipeline import Result
from analysis.report import html, terminal
from analysis.report.document import Paragraph, size
from analysis.report.private import private
from analysis.texts import answer, promises, recorded
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
    assert [e.msgctxt for e in now] == [e.msgctxt for e in GERMAN], "run make translations"


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
    said = [block.text for block in private(told(evening())).blocks[:7] if isinstance(block, Paragraph)]
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
                if len(piece.split()) > 3 and " ".join(piece.split()) in flat and entry.msgid != entry.msgstr:
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


def test_what_the_recording_says_is_translated_with_what_changes_in_it() -> None:
    assert recorded.said("is damaged (KeyError)") == "is damaged (KeyError)"
    language.use("de")
    try:
        assert recorded.said("client rejected the certificate") == "die App lehnte das Zertifikat ab"
        assert recorded.said("is cut off or damaged; 17 bytes were skipped") == (
            "ist abgeschnitten oder beschädigt; 17 Bytes wurden übersprungen"
        )
        assert recorded.said("what {nobody} says (x)") == "what {nobody} says (x)"
    finally:
        language.use("en")


def test_everything_that_is_said_to_be_recorded_stands_in_the_code() -> None:
    """Keys are looked up by what the lower layers say: one that nobody says any more translates nothing."""
    code = (path.read_text("utf-8") for layer in ("captures", "addons") for path in (ROOT / layer).rglob("*.py"))
    whole = re.sub(r'"\s*f?"', "", " ".join(code))
    pieces = {key: [part.strip(" ;:,()") for part in re.split(r"\{\w+\}", key)] for key in recorded.SAID}
    assert [key for key, parts in pieces.items() if not all(part in whole for part in parts)] == []
    assert [key for key, text in recorded.SAID.items() if key != text] == []


def test_the_glossary_is_up_to_date() -> None:
    path, made = ROOT / "docs" / "glossary.md", glossary.page()
    if os.environ.get("UPDATE_DOCS"):
        path.write_text(made, "utf-8")
    assert path.read_text("utf-8") == made, "run make docs"
    assert "| `no-list` | ohne Liste | der Absender veröffentlicht keine Liste dessen, was er sendet |" in made
