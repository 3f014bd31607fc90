"""What the code says to people beside `texts/`, found in it: help, errors, what the lower layers say of themselves.

Such a text stands in English where it is said, and `language.said` looks it up where it is shown.  It is found by where
it stands: it is given to one of `SAYS`, or to an exception that a person can cause.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import NamedTuple

from analysis import language
from analysis.commands import COMMANDS
from analysis.language import Forms
from analysis.texts import elsewhere

ROOT = Path(__file__).parents[1]

SAYS: Mapping[str, tuple[int, ...]] = {
    "said": (0,),  # `language.said`
    "tell": (0,),
    "_step": (0,),
    "_sentence": (1,),
    "Failure": (0,),
    "UsageError": (0,),
    "ClickException": (0,),
    "fail": (0,),
    "Check": (0, 2, 3, 4),
}
"""Function -> which of its arguments are shown to people (counted from 0; named ones all)."""

_GIVES = {"Sentence", "Step"}
"""Types of sentences: who gives one says it."""

_TABLES = {
    "captures/gateway/trust.toml": ("label", "then"),
    "captures/gateway/setups.toml": ("name", "way", "seen", "effort", "risk"),
}
"""Table -> its keys that people read."""


class Place(NamedTuple):
    """Where something is said."""

    file: str
    """Path from the root."""
    source: str
    """The expression."""


def spoken() -> Iterator[tuple[Forms, str]]:
    """All that is looked up by its English, each once, with the file in which it stands first."""
    seen: set[str] = set()
    for forms, place in (*_helps(), *_code(), *_tables(), *_plan(), *((forms, "") for forms in elsewhere.said())):
        if forms[0] not in seen and any(map(str.isalpha, _own(forms[0]))):
            seen.add(forms[0])
            yield forms, place


def _own(message: str) -> str:
    """What a message says itself."""
    return "".join(literal for literal, *_ in Formatter().parse(message))


def _code() -> Iterator[tuple[Forms, str]]:
    for text, place in found():
        if isinstance(text, str):
            yield (text,), place.file


@functools.cache
def found() -> tuple[tuple[str | None, Place], ...]:
    """Every text that the code says, with where; `None` where what is said there cannot be told from the code."""
    files = sorted((*ROOT.glob("captures/**/*.py"), *ROOT.glob("analysis/**/*.py"), *ROOT.glob("addons/*.py")))
    return tuple(one for file in files for one in said_by(file.read_text("utf-8"), file.relative_to(ROOT).as_posix()))


def said_by(source: str, file: str = "") -> Iterator[tuple[str | None, Place]]:
    """Source of one module -> what it says to people."""
    tree = ast.parse(source)
    tables = [node for node in tree.body if isinstance(node, ast.Assign)]
    arguments = ((argument, scope) for call, scope in _calls(tree, tree) for argument in _shown(call))
    for expression, scope in (*arguments, *_answers(tree)):
        within = scope if scope is tree else ast.Module([*tables, scope], [])  # type: ignore[list-item]  # a function
        yield from ((text, Place(file, ast.unparse(expression))) for text in _texts(expression, within))


def _answers(tree: ast.Module) -> Iterator[tuple[ast.expr, ast.AST]]:
    """What functions give back or collect that is said to be a sentence, with the function."""
    for function in ast.walk(tree):
        if not (isinstance(function, ast.FunctionDef) and _GIVES & {_name(node) for node in ast.walk(function)}):
            continue
        gives = function.returns and _GIVES & {_name(node) for node in ast.walk(function.returns)}
        for node in ast.walk(function):
            if (
                (isinstance(node, ast.Return | ast.Yield) and node.value and gives)
                or (isinstance(node, ast.YieldFrom) and isinstance(node.value, ast.GeneratorExp) and gives)
                or (
                    isinstance(node, ast.AnnAssign)
                    and node.value
                    and _GIVES & {_name(n) for n in ast.walk(node.annotation)}
                )
                or (isinstance(node, ast.AugAssign) and isinstance(node.value, ast.ListComp))
            ):
                yield node.value, function
            elif isinstance(node, ast.Call) and _name(node.func) in ("append", "extend"):
                lists = _lists(function)
                if not lists or _name(node.func.value) in lists:  # type: ignore[attr-defined]  # it has a name
                    yield node.args[0], function


def _lists(function: ast.FunctionDef) -> set[str]:
    """What a function is given to put sentences into."""
    given = [argument for argument in function.args.args if argument.annotation]
    return {one.arg for one in given if "list[Sentence]" in ast.unparse(one.annotation)}  # type: ignore[arg-type]


def _calls(node: ast.AST, scope: ast.AST) -> Iterator[tuple[ast.Call, ast.AST]]:
    """Every call that says something, with the function in which it stands."""
    for child in ast.iter_child_nodes(node):
        inner = child if isinstance(child, ast.FunctionDef) else scope
        if (isinstance(child, ast.Call) and _name(child.func) in SAYS) or _raised(child):
            yield (child.exc if isinstance(child, ast.Raise) else child), inner  # type: ignore[misc]  # of `_raised`
        yield from _calls(child, inner)


def _raised(node: ast.AST) -> bool:
    """Whether an exception is raised with a sentence for people."""
    return (
        isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and _name(node.exc.func).endswith(("Error", "Problem"))
        and _name(node.exc.func) not in (*SAYS, "KeyError", "HTTPError", "OSError")
    )


def _shown(call: ast.Call) -> list[ast.expr]:
    which = SAYS.get(_name(call.func), (0,))
    named = [keyword.value for keyword in call.keywords] if _name(call.func) == "Check" else []
    return [argument for n, argument in enumerate(call.args) if n in which] + named


def _texts(node: ast.expr | None, scope: ast.AST) -> Iterator[str | None]:
    """What an expression may say, with names in braces for what changes."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr():
            yield _template(node)
            for value in ast.walk(node):
                if isinstance(value, ast.IfExp) or (isinstance(value, ast.Name) and value.id in language.SENTENCES):
                    yield from (text for text in _texts(value, scope) if text)
        case ast.IfExp(body=one, orelse=other):
            yield from (*_texts(one, scope), *_texts(other, scope))
        case ast.Name(id=name) if values := list(_assigned(name, scope)):
            for value in values:
                yield from _texts(value, scope)
        case ast.Tuple(elts=[first, *_]) | ast.ListComp(elt=first) | ast.GeneratorExp(elt=first):
            yield from _texts(first, scope)
        case ast.List(elts=several) | ast.BoolOp(values=several):
            for one in several:
                yield from _texts(one, scope)
        case ast.Call(func=ast.Name(id="printable"), args=[inner, *_]):
            yield from _texts(inner, scope)
        case _:
            yield None


def _assigned(name: str, scope: ast.AST) -> Iterator[ast.expr]:
    """What a name is given within a function."""
    for node in ast.walk(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name) and target.id == name:
                    yield node.value
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = zip(target.elts, node.value.elts, strict=True)
                    yield from (value for one, value in pairs if isinstance(one, ast.Name) and one.id == name)


def _template(text: ast.JoinedStr) -> str:
    names: dict[str, str] = {}
    made = []
    for part in text.values:
        if isinstance(part, ast.FormattedValue):
            inner = ast.unparse(part.value)
            name = _called(part.value)
            taken = [other for expression, other in names.items() if expression != inner and other.rstrip("23") == name]
            names.setdefault(inner, f"{name}{len(taken) + 1}" if taken else name)
            made.append(f"{{{names[inner]}}}")
        elif isinstance(part, ast.Constant):
            made.append(str(part.value).replace("{", "{{").replace("}", "}}"))
    return "".join(made)


def _called(node: ast.expr) -> str:
    """An expression -> a name for what it stands for: `', '.join(map(printable, found))` is `found`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.lower().strip("_")
        case ast.Call(args=[*_, last]):
            return _called(last)
        case ast.Call(func=ast.Attribute(value=inner)) | ast.Subscript(value=inner):
            return _called(inner)
        case ast.BoolOp(values=[first, *_]) | ast.BinOp(left=first) | ast.Starred(value=first):
            return _called(first)
        case _:
            return "what"


def _name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _tables() -> Iterator[tuple[Forms, str]]:
    for file, keys in _TABLES.items():
        table = tomllib.loads((ROOT / file).read_text("utf-8"))
        entries = table.get("setup") or table.values()
        yield from ((((entry[key].strip(),), file)) for entry in entries for key in keys)


def _plan() -> Iterator[tuple[Forms, str]]:
    """The lines of a plan for people; what stands in braces there may be any expression."""
    file = "captures/gateway/templates/plan.txt"
    for line in (ROOT / file).read_text("utf-8").split("\n"):
        if not line.startswith(("{%", "   ip ")):
            yield (re.sub(r"\{\{ \(?(?:\w+\.)*(\w+).*? \}\}", r"{\1}", language.column(line)[1]),), file


def _helps() -> Iterator[tuple[Forms, str]]:
    """What the commands say of themselves, paragraph by paragraph, and the names of what they are given."""
    from analysis.cli.page import every

    yield from (((entry.help,), "analysis/commands.py") for entry in COMMANDS.values())
    for context in every():
        command = context.command
        texts = [*_paragraphs(inspect.cleandoc(command.help or "")), *_paragraphs(command.epilog or "")]
        texts += [getattr(parameter, "help", None) or "" for parameter in command.params]
        texts += re.findall(r"\b[A-Z]{2,}\b", " ".join(command.collect_usage_pieces(context)))
        for parameter in command.params:
            record = parameter.get_help_record(context)
            texts += re.findall(r"\b[A-Z]{2,}\b", record[0] if record else "")
        module = getattr(command.callback, "__module__", "").replace(".", "/")
        yield from (((text,), f"{module}.py") for text in texts)


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("\b"):
            for line in paragraph.split("\n")[1:]:
                before, words = language.column(line)
                yield from [words] * (not before.isspace() or not before)
        else:
            yield " ".join(paragraph.split())
