"""What is known about products, calls, data items and declared lists: loads `products/`, `items.toml`, `names.toml`.

Code is listed, data is discovered: a pack is a folder, a rule or a declared list is one file in it.  Everything is
loaded strictly; `KnowledgeError` names the place of every error at once.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import msgspec

from analysis import VERSION, schema
from analysis.pack import DeclaredList, Item, Names, Product, Rule
from analysis.schema import KnowledgeError

SHIPPED = Path(__file__).with_name("products")
"""Folder of the packs that come with the tool."""

ITEMS = Path(__file__).with_name("items.toml")
"""The vocabulary of data items."""

NAMES = Path(__file__).with_name("names.toml")
"""Names of fields that mean the same in anybody's calls."""

MOST_FILES = 2_000
"""A folder of packs with more files is refused: packs are written by people."""

MOST_BYTES = 512 * 1024
"""A larger file is refused."""


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

    @cached_property
    def domains(self) -> Mapping[str, str]:
        """Domain -> id of the pack whose entity it belongs to."""
        return {domain: product.id for product in self.products.values() for domain in product.domains}

    def rule(self, rule_id: str) -> Rule:
        """The rule of this id.  Raises `KeyError` for an unknown one."""
        return self.rules[rule_id]

    def owner(self, host: str) -> str:
        """Host -> id of the pack to whose entity it belongs, or the empty string."""
        rest = host
        while rest:
            if rest in self.domains:
                return self.domains[rest]
            rest = rest.partition(".")[2]
        return ""

    def lists_of(self, product: str, kind: str = "policy") -> tuple[DeclaredList, ...]:
        """The declared lists of a product, oldest first; empty when it publishes none of this kind."""
        return tuple(x for x in self.lists if x.product == product and x.kind == kind)

    def in_force(self, product: str, day: str, declared: str = "") -> DeclaredList | None:
        """The policy that applied on a day (`YYYY-MM-DD`; empty: today's), or the one called `declared` if given.

        A capture older than the oldest list is judged by the oldest.  `None` when there is no (such) list.
        """
        policies = self.lists_of(product)
        if declared:
            return next((x for x in policies if x.id == declared), None)
        return next((x for x in reversed(policies) if not day or x.effective <= day), policies[0] if policies else None)


def load(own: Path | None = None, cache: Path | None = None) -> Knowledge:
    """Shipped packs and those of the user -> `Knowledge`.

    `own` is the folder of the user's packs (`$PHONEHOME_HOME/packs`), `cache` the folder in which the result is kept
    for the next start (MessagePack; keyed by path, size and time of every file and by the tool's version; an
    unreadable one is rebuilt).  Raises `KnowledgeError` with one line for each error.
    """
    folders = [folder for root in (SHIPPED, own) if root for folder in _folders(root)]
    key = _cache_key(folders)
    kept = cache / f"packs-{key}.msgpack" if cache else None
    if kept and (known := _from_cache(kept)):
        return known
    known = _load(folders)
    if kept:
        _to_cache(kept, known)
    return known


def load_pack(folder: Path) -> tuple[Product, tuple[Rule, ...], tuple[DeclaredList, ...]]:
    """One pack's folder -> what stands in it.  Raises `KnowledgeError` with one line for each error."""
    errors: list[str] = []
    pack = folder.name
    product = _read(folder / "product.toml", Product, errors)
    rules = [(path.stem, _read(path, Rule, errors)) for path in sorted(folder.glob("calls/*.toml"))]
    lists = [(path.stem, _read(path, DeclaredList, errors)) for path in sorted(folder.glob("declared/*.toml"))]
    if errors or product is None:
        raise KnowledgeError("\n".join(errors))
    return (
        replace(product, id=pack),
        tuple(replace(rule, id=f"{pack}/{name}") for name, rule in rules if rule),
        tuple(replace(x, id=name, product=pack) for name, x in lists if x),
    )


def _load(folders: list[Path]) -> Knowledge:
    errors: list[str] = []
    items = _items(errors)
    products: dict[str, Product] = {}
    rules: dict[str, Rule] = {}
    lists: list[DeclaredList] = []
    for folder in folders:
        try:
            product, its_rules, its_lists = load_pack(folder)
        except KnowledgeError as error:
            errors.extend(str(error).splitlines())
            continue
        if product.id in products:
            errors.append(f"{folder}: a pack named {product.id} exists already; choose another name for the folder")
        products[product.id] = product
        rules.update({rule.id: rule for rule in its_rules})
        lists.extend(its_lists)
    names = _names(items, errors)
    errors.extend(_wrong_across_files(items, products, rules, lists))
    if errors:
        raise KnowledgeError("\n".join(errors))
    return Knowledge(
        items=items,
        products=products,
        rules=rules,
        lists=tuple(sorted(lists, key=lambda x: (x.product, x.effective))),
        hashes={folder.name: _hash(folder) for folder in folders},
        shipped=frozenset(folder.name for folder in folders if folder.parent == SHIPPED),
        names=names,
    )


def _items(errors: list[str]) -> dict[str, Item]:
    tables = _toml(ITEMS, errors)
    items: dict[str, Item] = {}
    for key, table in tables.items():
        try:
            items[key] = replace(schema.convert(Item, table, f"{ITEMS.name}: {key}"), id=key)
        except KnowledgeError as error:
            errors.extend(str(error).splitlines())
    return items


def _names(items: Mapping[str, Item], errors: list[str]) -> Names:
    try:
        names = schema.convert(Names, _toml(NAMES, errors), NAMES.name)
    except KnowledgeError as error:
        errors.extend(str(error).splitlines())
        return Names()
    for n, entry in enumerate(names.field):
        place = f"{NAMES.name}: field.{n}"
        named, groups = (entry.item, entry.server_item), (*entry.beside, *entry.not_beside)
        errors.extend(f"{place}: {item} is not in items.toml" for item in named if item and item not in items)
        errors.extend(f"{place}: {key} is not among `beside`" for key in groups if key not in names.beside)
        if entry.value and entry.value not in names.values:
            errors.append(f"{place}: {entry.value} is not among `values`")
    errors.extend(f"{NAMES.name}: pattern: {p.item} is not in items.toml" for p in names.pattern if p.item not in items)
    return names


def _read[T](path: Path, cls: type[T], errors: list[str]) -> T | None:
    place = f"{path.parent.parent.name}/{path.parent.name}/{path.name}"
    before = len(errors)
    table = _toml(path, errors)
    if len(errors) > before:
        return None
    try:
        return schema.convert(cls, table, place)
    except KnowledgeError as error:
        errors.extend(str(error).splitlines())
        return None


def _toml(path: Path, errors: list[str]) -> dict[str, object]:
    try:
        if path.is_symlink():
            errors.append(f"{path}: is a link; put the file itself into the pack")
        elif path.stat().st_size > MOST_BYTES:
            errors.append(f"{path}: is larger than {MOST_BYTES // 1024} kB; split it into several files")
        else:
            return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        errors.append(f"{path}: cannot be read: {error}")
    return {}


def _wrong_across_files(
    items: Mapping[str, Item], products: Mapping[str, Product], rules: Mapping[str, Rule], lists: list[DeclaredList]
) -> Iterator[str]:
    """What can only be seen across files: items and switches that do not exist, patterns that would be slow."""
    for rule in rules.values():
        yield from (f"{rule.id}: items: {i.id}: is not in items.toml" for i in rule.items if i.id not in items)
        if rule.match.path.count("**") > 2:
            yield f"{rule.id}: match.path: holds more than two `**`; name the parts between them"
        known = {switch.id for switch in products[rule.id.partition("/")[0]].switches}
        yield from (f"{rule.id}: switches: {s.id}: is not in product.toml" for s in rule.switches if s.id not in known)
    for product in products.values():
        named = [(f.name, i) for f in product.fields for i in (f.item, f.server_item) if i]
        yield from (f"{product.id}: fields: {name}: {i} is not in items.toml" for name, i in named if i not in items)
    for declared in lists:
        switches = {switch.id for switch in products[declared.product].switches}
        for statement in declared.statements:
            place = f"{declared.product}/declared/{declared.id}: {statement.id}"
            yield from (f"{place}: {i} is not in items.toml" for i in statement.items if i not in items)
            if statement.switch and statement.switch not in switches:
                yield f"{place}: switch {statement.switch} is not in product.toml"


def _folders(root: Path) -> list[Path]:
    """The packs' folders under a root, sorted; hidden and linked ones are left out."""
    if not root.is_dir():
        return []
    folders = sorted(p for p in root.iterdir() if p.is_dir() and not p.is_symlink() and (p / "product.toml").exists())
    files = sum(1 for folder in folders for _ in folder.rglob("*.toml"))
    if files > MOST_FILES:
        raise KnowledgeError(f"{root}: holds {files} files; at most {MOST_FILES} are read")
    return folders


def _hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.toml")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return "sha256:" + digest.hexdigest()


def _cache_key(folders: list[Path]) -> str:
    digest = hashlib.sha256(f"{VERSION} {SHIPPED}".encode())
    for path in [ITEMS, NAMES, *(p for folder in folders for p in sorted(folder.rglob("*.toml")))]:
        stat = path.stat()
        digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:32]


def _from_cache(path: Path) -> Knowledge | None:
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Knowledge)
    except (OSError, msgspec.MsgspecError):
        return None


def _to_cache(path: Path, known: Knowledge) -> None:
    """Keeps the result; a full disk or a read-only folder only costs the next start some time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for old in path.parent.glob("packs-*.msgpack"):
            old.unlink(missing_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(msgspec.msgpack.encode(known))
        part.chmod(0o600)
        part.replace(path)
    except OSError:
        return
