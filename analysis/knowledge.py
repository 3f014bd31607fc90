"""What is known about products, calls, data items and declared lists: loads `products/` and the tables.

Code is listed, data is discovered: a pack is a folder, a rule or a declared list is one file in it.  Everything is
loaded strictly; `KnowledgeError` names the place of every error at once.
"""

from __future__ import annotations

import gc
import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path

import msgspec
import tomli
from msgspec import structs

from analysis import VERSION, consistency, language, ontology, pack, schema
from analysis.ontology import ONTOLOGY, Ontology, Term
from analysis.pack import DeclaredList, Item, Names, Product, Rule, Statement
from analysis.schema import KnowledgeError
from captures import home
from captures.model import Sentence

SHIPPED = Path(__file__).with_name("products")
"""Folder of the packs that come with the tool."""

ITEMS = Path(__file__).with_name("items.toml")
"""The vocabulary of data items."""

NAMES = Path(__file__).with_name("names.toml")
"""Names of fields that mean the same in anybody's calls."""

MOST_FILES = 2_000
"""More files of the user's packs are refused: packs are written by people."""

MOST_BYTES = 512 * 1024
"""A larger file is refused."""

MOST_PACKS = 100
MOST_RULES = 1_000
"""Packs of a user, and calls in all of them; more are refused, since a call may be tried against each."""

_MOST_HOSTS = 20_000
_LONGEST_HOST = 253
"""The owners of so many hosts, of at most so many characters, are kept: hostile traffic may name endless ones."""

_MOST_ABOUT = 10_000
"""Pairs of a list and an item, of which it is kept what the one says of the other."""

_PARTS = ("calls", "declared")
"""Folders in a pack."""

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""Names of packs and of the files in them."""


# Not a slotted class: the look-up table below is worked out once and kept in the instance.  Compared by identity, so
# that other stages can keep what they work out from it.
@dataclass(frozen=True, eq=False)
class Knowledge:
    """Everything that was loaded."""

    items: Mapping[str, Item]
    """Vocabulary by item id."""
    products: Mapping[str, Product]
    """Packs by id."""
    rules: Mapping[str, Rule]
    """Rules by `pack/call`."""
    lists: tuple[DeclaredList, ...]
    """Declared lists, by product and date."""
    hashes: Mapping[str, str]
    """`sha256:…` over the files of each pack, by pack id."""
    shipped: frozenset[str]
    """Ids of the packs that come with the tool; all others are the user's own and private."""
    names: Names = field(default_factory=Names)
    """Names of fields and forms of values that say what they hold in anybody's calls."""
    ontology: Ontology = field(default_factory=Ontology)
    """What the broader words of lists cover."""

    @cached_property
    def domains(self) -> Mapping[str, str]:
        """Domain -> id of the pack whose entity it belongs to."""
        return {domain: product.id for product in self.products.values() for domain in product.domains}

    @cached_property
    def _owners(self) -> dict[str, str]:
        """What `owner` found so far."""
        return {}

    @cached_property
    def carriers(self) -> Mapping[str, tuple[Rule, ...]]:
        """Item -> the rules of calls to others that can carry it."""
        carriers: dict[str, dict[str, Rule]] = {}
        for rule in self.rules.values():
            for place in rule.items if rule.match.party != "own" else ():
                carriers.setdefault(place.id, {})[rule.id] = rule
        return {item: tuple(rules.values()) for item, rules in carriers.items()}

    def label(self, item: str) -> str:
        """Id of a data item or of a broader term -> what people read; the id itself when there is none."""
        known = self.items.get(item) or self.ontology.items.get(item)
        return known.label if known else item

    def rule(self, rule_id: str) -> Rule:
        """The rule of this id.  Raises `KeyError` for an unknown one."""
        return self.rules[rule_id]

    def owner(self, host: str) -> str:
        """Host -> id of the pack to whose entity it belongs, or the empty string."""
        known = self._owners.get(host)
        if known is None:
            known = next((self.domains[end] for end in _ends(host) if end in self.domains), "")
            if len(self._owners) >= _MOST_HOSTS:
                self._owners.clear()
            if len(host) <= _LONGEST_HOST:
                self._owners[host] = known
        return known

    def lists_of(self, product: str, kind: str = "policy") -> tuple[DeclaredList, ...]:
        """The declared lists of a product, oldest first; empty when it publishes none of this kind."""
        return self._lists.get((product, kind), ())

    @cached_property
    def _lists(self) -> Mapping[tuple[str, str], tuple[DeclaredList, ...]]:
        """Product and kind of list -> its lists."""
        known: dict[tuple[str, str], tuple[DeclaredList, ...]] = {}
        for one in self.lists:
            known[one.product, one.kind] = (*known.get((one.product, one.kind), ()), one)
        return known

    def list_of(self, product: str, declared: str) -> DeclaredList | None:
        """The document of a product that has this date (its file's name), or `None`."""
        return next((x for x in self.lists if x.product == product and x.id == declared), None)

    def about(self, declared: DeclaredList, item: str) -> tuple[Statement, ...]:
        """A list and an item -> the statements that name the item or a broader term for it, in their order."""
        known = self._about.get((id(declared), item))
        if known is None or known[0] is not declared:
            if len(self._about) >= _MOST_ABOUT:
                self._about.clear()
            said = tuple(s for s in declared.statements if self.ontology.covers_item(s.items, item))
            known = self._about[id(declared), item] = (declared, said)
        return known[1]

    @cached_property
    def _about(self) -> dict[tuple[int, str], tuple[DeclaredList, tuple[Statement, ...]]]:
        """What `about` found so far: all calls ask the same of the same lists."""
        return {}

    def statement(self, product: str, declared: str, statement: str) -> Statement | None:
        """The statement of this id in the document of this date, or `None` when there is no such thing."""
        document = self.list_of(product, declared)
        return next((s for s in document.statements if s.id == statement), None) if document else None

    def blanket(self, product: str) -> Statement | None:
        """A general denial of a product's vendor ("no tracking"), the latest; `None` when there is none."""
        lists = [x for x in reversed(self.lists) if x.product == product]
        return next((s for x in lists for s in x.statements if s.blanket), None)

    def in_force(self, product: str, day: str, declared: str = "") -> DeclaredList | None:
        """The policy that applied on a day (`YYYY-MM-DD`; empty: today's), or the one called `declared` if given.

        A capture older than the oldest list is judged by the oldest.  `None` when there is no (such) list.
        """
        policies = self.lists_of(product)
        if declared:
            return next((x for x in policies if x.id == declared), None)
        return next((x for x in reversed(policies) if not day or x.effective <= day), policies[0] if policies else None)


def _ends(host: str) -> Iterator[str]:
    """`a.b.c` -> `a.b.c`, `b.c`, `c`."""
    while host:
        yield host
        host = host.partition(".")[2]


def load(own: Path | None = None, cache: Path | None = None) -> Knowledge:
    """Shipped packs and those of the user -> `Knowledge`.

    `own` is the folder of the user's packs (`$PHONEHOME_HOME/packs`), `cache` the folder in which the result is kept
    for the next start (MessagePack; keyed by path, size and time of every file and by the tool's version; an
    unreadable one is rebuilt).  Raises `KnowledgeError` with one line for each error.
    """
    errors: list[Sentence] = []
    packs = [_Pack(folder) for root in (SHIPPED, own) if root for folder in folders(root, errors)]
    _look(packs, errors)
    kept = cache / f"packs-{_cache_key(packs)}.msgpack" if cache and not errors else None
    if kept and (known := _from_cache(kept)):
        return _in_language(known)
    known = _read(packs, errors)
    if errors:
        raise KnowledgeError("\n".join(errors))
    if kept:
        _to_cache(kept, known)
    return _in_language(known)


def _in_language(known: Knowledge) -> Knowledge:
    """What people read of it, in the language in use; the cache holds English."""
    if language.current() == language.SOURCE:
        return known

    def products() -> Iterator[tuple[str, Product]]:
        for name, product in known.products.items():
            blocking = tuple(
                structs.replace(one, breaks=language.say(f"breaks.{name}.{n}", one.breaks))
                for n, one in enumerate(product.blocking)
            )
            yield name, structs.replace(product, blocking=blocking) if blocking and name in known.shipped else product

    terms = known.ontology
    return replace(
        known,
        items={
            name: structs.replace(it, label=language.say(f"items.{name}", it.label)) for name, it in known.items.items()
        },
        products=dict(products()),
        ontology=structs.replace(terms, items=_labelled(terms.items), recipients=_labelled(terms.recipients)),
    )


def _labelled(terms: Mapping[str, Term]) -> Mapping[str, Term]:
    return {
        name: structs.replace(term, label=language.say(f"terms.{name}", term.label)) for name, term in terms.items()
    }


def load_pack(folder: Path) -> tuple[Product, tuple[Rule, ...], tuple[DeclaredList, ...]]:
    """One pack's folder -> what stands in it.  Raises `KnowledgeError` with one line for each error."""
    errors: list[Sentence] = []
    one = _Pack(folder)
    one.look(errors)
    one.read(errors)
    if errors or one.product is None:
        raise KnowledgeError("\n".join(errors))
    return one.product, tuple(one.rules), tuple(one.lists)


def inspect(own: Sequence[Path]) -> tuple[Knowledge, list[str]]:
    """Shipped packs and the given folders of packs -> what could be loaded, and one line for each error.

    For who writes packs: a slip in one file hides none in another.  A folder that is a shipped pack counts once.
    """
    errors: list[Sentence] = []
    there = {folder.resolve() for folder in folders(SHIPPED, errors)}
    packs = [_Pack(folder) for folder in folders(SHIPPED, errors)]
    packs += [_Pack(folder) for folder in own if folder.resolve() not in there]
    _look(packs, errors)
    return _read(packs, errors), errors


def folders(root: Path, errors: list[Sentence]) -> list[Path]:
    """The packs' folders under a root, sorted; hidden ones are left out, links are an error."""
    if not root.is_dir():
        return []
    found = []
    with os.scandir(root) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            errors.append(f"{entry.path}: is a link; put the pack itself into the folder")
        elif entry.is_dir() and os.path.lexists(f"{entry.path}/product.toml"):
            found.append(Path(entry.path))
        elif entry.is_dir() and any(os.path.lexists(f"{entry.path}/{part}") for part in _PARTS):
            errors.append(f"{entry.path}: has no product.toml, which says whose pack it is")
    return found


@dataclass(slots=True)
class _Pack:
    """One folder: the files in it, and what stands in them."""

    folder: Path
    files: list[tuple[str, int, int]] = field(default_factory=list)
    """Name in the folder (with `/`), size, time in ns; sorted."""
    product: Product | None = None
    rules: list[Rule] = field(default_factory=list)
    lists: list[DeclaredList] = field(default_factory=list)
    digest: str = ""

    @property
    def id(self) -> str:
        return self.folder.name

    def look(self, errors: list[Sentence]) -> None:
        """Finds the files; what is no plain file in the folder itself, too large, or not looked for, is an error."""
        if not NAME.fullmatch(self.id):
            errors.append(f"{self.folder}: a pack's name holds small letters, digits and dashes only")
        for name in ("", *_PARTS):
            folder = f"{self.folder}/{name}" if name else str(self.folder)  # strings cost a third of paths here
            if os.path.islink(folder):  # noqa: PTH114 - likewise
                errors.append(f"{folder}: is a link; put the folder itself into the pack")
            elif os.path.isdir(folder):  # noqa: PTH112 - likewise
                self._scan(folder, name, errors)
        self.files.sort()

    def _scan(self, folder: str, name: str, errors: list[Sentence]) -> None:
        with os.scandir(folder) as listing:
            entries = list(islice(listing, MOST_FILES + 1))
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not entry.name.startswith(".") and (name or entry.name not in _PARTS):
                    errors.append(
                        f"{entry.path}: is not read; a pack holds product.toml, calls/*.toml, declared/*.toml"
                    )
                continue
            if not entry.name.endswith(".toml"):
                continue
            seen = entry.stat(follow_symlinks=False)
            if stat.S_ISLNK(seen.st_mode):
                errors.append(f"{entry.path}: is a link; put the file itself into the pack")
            elif not stat.S_ISREG(seen.st_mode):
                errors.append(f"{entry.path}: is no plain file; remove it")
            elif seen.st_size > MOST_BYTES:
                errors.append(f"{entry.path}: is larger than {MOST_BYTES // 1024} kB; split it into several files")
            elif not NAME.fullmatch(entry.name) or (not name and entry.name != "product.toml"):
                errors.append(f"{entry.path}: is not read; a pack holds product.toml, calls/*.toml, declared/*.toml")
            else:
                self.files.append((f"{name}/{entry.name}" if name else entry.name, seen.st_size, seen.st_mtime_ns))

    def read(self, errors: list[Sentence]) -> None:
        """Reads the files; those with an error are left out."""
        digest = hashlib.sha256()
        for name, size, _ in self.files:
            place = f"{self.id}/{name}"
            try:
                content = _content(f"{self.folder}/{name}", size)
            except OSError as error:
                errors.append(f"{place}: cannot be read: {(error.strerror or 'unknown fault').lower()}")
                continue
            digest.update(name.encode() + b"\0" + content + b"\0")
            self._take(name.removesuffix(".toml"), content, place, errors)
        self.digest = "sha256:" + digest.hexdigest()

    def _take(self, name: str, content: bytes, place: str, errors: list[Sentence]) -> None:
        kind, _, stem = name.rpartition("/")
        if kind == "calls":
            if rule := _convert(Rule, content, place, errors, id=f"{self.id}/{stem}"):
                self.rules.append(rule)
        elif kind == "declared":
            if declared := _convert(DeclaredList, content, place, errors, id=stem, product=self.id):
                self.lists.append(declared)
        elif product := _convert(Product, content, place, errors, id=self.id):
            self.product = product


def _content(path: str, size: int) -> bytes:
    """At most as much as was there when the file was found; a link that has taken its place since is not followed.

    A third of what `Path.read_bytes` costs, for hundreds of small files.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)


def _convert[T](cls: type[T], content: bytes, place: str, errors: list[Sentence], **derived: str) -> T | None:
    try:
        return schema.convert(cls, _toml(content, place), place, **derived)
    except KnowledgeError as error:
        errors.extend(str(error).splitlines())
        return None


def _toml(content: bytes, place: str) -> dict[str, object]:
    """`tomli` is `tomllib`, compiled: a third of the time."""
    try:
        return tomli.loads(content.decode("utf-8"))
    except (UnicodeDecodeError, tomli.TOMLDecodeError, RecursionError) as error:
        raise KnowledgeError(f"{place}: cannot be read: {error}") from None


def _look(packs: list[_Pack], errors: list[Sentence]) -> None:
    """Raises `KnowledgeError` when the user's packs hold so many files that reading them would take long."""
    left = MOST_FILES
    for one in packs:
        one.look(errors)
        if one.folder.parent != SHIPPED:
            left -= len(one.files)
            if left < 0:
                raise KnowledgeError(f"{one.folder.parent}: holds too many files; at most {MOST_FILES} are read")


def _read(packs: list[_Pack], errors: list[Sentence]) -> Knowledge:
    """Reads the packs; those without a product, and those whose name is taken, are left out."""
    collecting = gc.isenabled()
    gc.disable()  # 20 % of the time: nothing that is made here is garbage
    try:
        items = _items(errors)
        products: dict[str, Product] = {}
        taken: list[_Pack] = []
        for one in packs:
            one.read(errors)
            if one.id in products:
                errors.append(f"{one.folder}: a pack named {one.id} exists already; choose another name for the folder")
            elif one.product:
                products[one.id] = one.product
                taken.append(one)
        rules = {rule.id: rule for one in taken for rule in one.rules}
        lists = sorted((x for one in taken for x in one.lists), key=lambda x: (x.product, x.effective))
        names = _convert(Names, NAMES.read_bytes(), NAMES.name, errors) or Names()
        errors.extend(f"{NAMES.name}: {fault}" for fault in consistency.faults_of_names(names, items))
        terms = _convert(Ontology, ONTOLOGY.read_bytes(), ONTOLOGY.name, errors) or Ontology()
        errors.extend(f"{ONTOLOGY.name}: {fault}" for fault in ontology.faults(terms, items, pack.KINDS))
        errors.extend(consistency.faults(items, products, rules, lists, terms))
        own = [one for one in taken if one.folder.parent != SHIPPED]
        if len(own) > MOST_PACKS:
            errors.append(f"{own[0].folder.parent}: holds {len(own)} packs; at most {MOST_PACKS} are read")
        if (count := sum(len(one.rules) for one in own)) > MOST_RULES:
            errors.append(f"{own[0].folder.parent}: holds {count} calls; at most {MOST_RULES} are read")
    finally:
        if collecting:
            gc.enable()
    return Knowledge(
        items=items,
        products=products,
        rules=rules,
        lists=tuple(lists),
        hashes={one.id: one.digest for one in taken},
        shipped=frozenset(one.id for one in taken if one.folder.parent == SHIPPED),
        names=names,
        ontology=terms,
    )


def _items(errors: list[Sentence]) -> dict[str, Item]:
    items: dict[str, Item] = {}
    for key, table in _toml(ITEMS.read_bytes(), ITEMS.name).items():
        try:
            items[key] = schema.convert(Item, table, f"{ITEMS.name}: {key}", id=key)
        except KnowledgeError as error:
            errors.extend(str(error).splitlines())
    return items


def _cache_key(packs: list[_Pack]) -> str:
    """Everything on which the result depends: the files, and the code that reads them."""
    code = (Path(module.__file__ or "") for module in (pack, schema, consistency, ontology))
    key: list[object] = [VERSION]
    for path in (ITEMS, NAMES, ONTOLOGY, Path(__file__), *code):
        seen = path.stat()
        key.append((str(path), seen.st_size, seen.st_mtime_ns))
    key.extend((str(one.folder), one.files) for one in packs)
    return hashlib.sha256(repr(key).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _from_cache(path: Path) -> Knowledge | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Knowledge)
    except (OSError, msgspec.MsgspecError):
        return None


def _to_cache(path: Path, known: Knowledge) -> None:
    """Keeps the result; a full disk or a read-only folder only costs the next start some time."""
    try:
        home.folder(path.parent)
        for old in path.parent.glob("packs-*"):
            old.unlink(missing_ok=True)
        home.write(path, msgspec.msgpack.encode(known))
    except OSError:
        return
