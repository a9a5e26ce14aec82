"""Which files make a text: those that are given, what they import, and, for a variant of our protocol, the rest of ours."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from safepoint.graph.text import OURS, ProtocolError, Text
from safepoint.protocol import CORE, TRIGGERS, files
from safepoint.protocol.own import OwnPolicy
from safepoint.protocol.policy import Policy

PYTHON = ("__future__", "typing", "collections.abc", "contextlib")
"""Modules that a text imports for its editor."""
VOCABULARY = ("language", "names")
"""Modules of ours that are no text."""
NAMES = {"trigger", *(path.stem for path in (CORE[0], *OURS))}
ENVIRONMENT = "mutator"
"""The function that a text defines which brings its own guest threads and roles."""


def text_of(policy: Policy) -> Text:
    """Our protocol with the policy's trigger.  Raises ProtocolError; also if a trigger of a user's own has changed meanwhile."""
    return _with(policy.trigger, policy.trigger_digest if isinstance(policy, OwnPolicy) else "")


@lru_cache
def _with(trigger: str, digest: str) -> Text:
    """digest: of the file of a trigger of a user's own."""
    text = Text(files(trigger))
    if digest and digest_of(Path(trigger)) != digest:
        raise ProtocolError(f"{trigger}: has changed since the command began (begin it again)")
    return text


def without_roles(trigger: str) -> Text:
    """Our protocol with a trigger, without the roles, which no VM has.  Raises ProtocolError."""
    return _without_roles(trigger, "" if trigger in TRIGGERS else digest_of(Path(trigger)))


@lru_cache
def _without_roles(trigger: str, _digest: str) -> Text:
    return Text(files(trigger)[:-1])


def digest_of(path: Path) -> str:
    """What tells what a file says from what it said before.  Raises ProtocolError."""
    try:
        return sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise ProtocolError(f"{path}: cannot be read: {error.strerror} (name a file that can)") from None


def gather(given: Sequence[Path], trigger: str) -> Text:
    """A custom text; or our protocol, with each file in the place of one of ours: of the one that has its name, of `roles` if
    it has a `mutator`, of the one whose functions it defines.  Raises ProtocolError.
    """
    found = _Found(trigger)
    for path in given:
        found.add(path)
    if not found.is_ours():
        return Text(tuple(found.defines))
    place: dict[Path, Path] = {}
    beside: list[Path] = []
    for path in found.defines:
        ours = found.stands_for(path)
        if ours is None:
            beside.append(path)
        elif ours in place:
            raise ProtocolError(f"{path} and {place[ours]} both stand for our {ours.name} (write: one of them)")
        else:
            place[ours] = path
    *protocol, environment = (place.get(ours, ours) for ours in files(trigger))
    whole = (*protocol, *beside, environment)
    defined, called = set[str]().union(*map(functions, whole)), set[str]().union(*map(_called, whole))
    for ours, path in place.items():
        if missing := (functions(ours) - defined) & called:
            raise ProtocolError(
                f"{path.name}: read in place of our {ours.name}, and defines no {', '.join(sorted(missing))} (write what that file has,"
                f" or a text of its own, with a mutator())"
            )
    return Text(whole, {path: ours for ours, path in place.items()})


@dataclass
class _Found:
    """`defines`: each file, what it imports before it, to the functions that it defines.  `imported`: by another of them."""

    trigger: str
    defines: dict[Path, frozenset[str]] = field(default_factory=dict)
    imported: set[Path] = field(default_factory=set)
    seen: set[Path] = field(default_factory=set)
    imports_ours: bool = False

    def add(self, path: Path) -> None:
        """Read a file, and what it imports from beside it."""
        if path.resolve() in self.seen:
            return
        self.seen.add(path.resolve())
        body = parsed(path)
        for node in body:
            for module in _modules(node):
                self._import(path, node, module)
        self.defines[path] = frozenset(node.name for node in body if isinstance(node, ast.FunctionDef))

    def _import(self, path: Path, node: ast.stmt, module: str) -> None:
        package, _, name = module.rpartition(".")
        if module in PYTHON or (package.startswith("safepoint.") and name in VOCABULARY):
            return
        if package.startswith("safepoint.protocol") and name in NAMES:
            self.imports_ours = True
            return
        file = path.parent / f"{module.lstrip('.')}.py"
        if not isinstance(node, ast.ImportFrom) or any(a.asname for a in node.names) or not file.is_file():
            raise ProtocolError(
                f"{path.name}:{node.lineno}:1: {ast.unparse(node)}: no file {file.name} beside it, or another name for what it"
                " has (write instead: from FILE import NAME)"
            )
        self.imported.add(file.resolve())
        self.add(file)

    def is_ours(self) -> bool:
        """Is it our protocol, with other files in place of some?"""
        return self.imports_ours or not any(ENVIRONMENT in names for names in self.defines.values())

    def stands_for(self, path: Path) -> Path | None:
        """The file of ours in whose place it is read; None: beside them."""
        ours = files(self.trigger)
        for each in ours:
            if each.name == path.name:
                return each
        if path.stem in TRIGGERS:
            raise ProtocolError(
                f"{path.name}: is not read with trigger {self.trigger} (write: -p, a policy that has it)"
            )
        if ENVIRONMENT in self.defines[path]:
            return ours[-1]
        is_part = path.resolve() in self.imported  # then it has to be most of one of ours
        common = {each: len(self.defines[path] & functions(each)) for each in ours}
        common = {each: n for each, n in common.items() if not is_part or 2 * n > len(functions(each))}
        best = [each for each, count in common.items() if count and count == max(common.values())]
        if not is_part and (typo := get_close_matches(ENVIRONMENT, self.defines[path], 1)):
            raise ProtocolError(f"{path.name}: has no {ENVIRONMENT}() (write: def {ENVIRONMENT}(t: Me), for {typo[0]})")
        if len(best) > 1:
            both = " as of ".join(each.name for each in best)
            raise ProtocolError(f"{path.name}: defines as much of {both} (write: a file for each)")
        if not best and not is_part:
            raise ProtocolError(
                f"{path.name}: neither a text of its own, which has a mutator(), nor a variant of a file of ours (write: def"
                f" mutator(t: Me), or name it as the file it replaces: {', '.join(each.name for each in ours)})"
            )
        return best[0] if best else None


def parsed(path: Path) -> list[ast.stmt]:
    """What stands in a file.  Raises ProtocolError."""
    try:
        return ast.parse(path.read_text(encoding="utf-8-sig"), path.name).body
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        Text((path,))  # which says what is wrong with it
        raise


def functions(path: Path) -> frozenset[str]:
    """What a file defines, and no other text does."""
    return frozenset(node.name for node in parsed(path) if isinstance(node, ast.FunctionDef)) - {"threads"}


def _called(path: Path) -> frozenset[str]:
    nodes = (node for statement in parsed(path) for node in ast.walk(statement))
    return frozenset(node.func.id for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))


def _modules(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.ImportFrom(module=module, names=names):
            yield from [module] if module else (alias.name for alias in names)
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
