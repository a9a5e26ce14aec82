"""A protocol text as it was read: its words, constants, procedures and mutants, and the one way to complain about it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from safepoint.graph.ir import WORLD, Cell, Const, Expr, Local
from safepoint.protocol import AROUND, TRIGGERS, files


class ProtocolError(Exception):
    """The text leaves the language: `file:line:column: what (write instead: …)` and the source line."""


DEEPEST = 5_000
"""Python's frames while a text is read: what follows a statement is read inside it, some six frames deeper."""


DECLARED = ("threads", "scopes")
"""Functions of a text that are no procedures."""

GLOBAL = "always_"
"""Functions whose names begin so read every word, and make no step: `model.global_claims` reads them."""


@contextmanager
def deeply() -> Iterator[None]:
    """Let a long text be read to its end."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, DEEPEST))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


@dataclass(frozen=True)
class Record:
    """What `t` or `world` is bound to: the running thread (SELF), the WORLD, thread number n, or the one a local numbers."""

    owner: int | str | Local
    cls: str


Value = Expr | Record | Cell | tuple["Value", ...]
"""What a name of the text may mean when it is compiled."""


@dataclass(frozen=True)
class Procedure:
    node: ast.FunctionDef
    file: str


@dataclass(frozen=True)
class Mutant:
    """A mistake that stands in the text beside the right line; in several places, if it takes more than one to make it.

    places: file, line and procedure of each.
    """

    name: str
    rule: str
    places: tuple[tuple[str, int, str], ...]

    @property
    def file(self) -> str:
        return self.places[0][0]

    @property
    def line(self) -> int:
        return self.places[0][1]


@dataclass
class Text:
    """Files of a protocol, parsed.  Raises ProtocolError for anything that is not of the language."""

    files: tuple[Path, ...] = field(default_factory=files)
    functions: dict[str, Procedure] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)  # class -> word -> declared type
    constants: dict[str, Value] = field(default_factory=dict)
    mutants: dict[str, Mutant] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path in self.files:
            self._read(path)

    def _read(self, path: Path) -> None:
        file = path.name
        try:
            source = path.read_text(encoding="utf-8")
            module = ast.parse(source, file)
        except (OSError, UnicodeDecodeError) as e:
            raise ProtocolError(f"{path}: cannot be read: {e}") from None
        except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
            line = getattr(e, "lineno", None) or 1
            what = getattr(e, "msg", None) or str(e) or "nested too deeply"
            raise ProtocolError(f"{file}:{line}:{getattr(e, 'offset', None) or 1}: not Python: {what}") from None
        self.lines[file] = source.splitlines()
        for node in module.body:
            self._declaration(node, file)

    def _declaration(self, node: ast.stmt, file: str) -> None:
        match node:
            case ast.FunctionDef(name=name):
                self.functions[name] = Procedure(node, file)
                self._mutants(node, file)
            case ast.ClassDef(name=name, bases=bases):
                inherited = [self.words.get(b.id, {}) for b in bases if isinstance(b, ast.Name)]
                own = {
                    s.target.id: ast.unparse(s.annotation)
                    for s in node.body
                    if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
                }
                self.words[name] = {k: v for words in [*inherited, own] for k, v in words.items()}
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id=cls), value=None):
                self.constants[name] = Record(WORLD, cls)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.constants[name] = self._constant(value, file)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
                for target, value in zip(names, values, strict=True):
                    if not isinstance(target, ast.Name):
                        self.error(target, file, "not the name of a constant", "NAME = 1")
                    self.constants[target.id] = self._constant(value, file)
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
                pass
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                pass
            case _:
                self.error(
                    node,
                    file,
                    "not a declaration of the protocol language",
                    "a constant, a class of words, or a function",
                )

    def _constant(self, node: ast.expr, file: str) -> Const:
        match node:
            case ast.Constant(value=int(value)):
                return Const(value)
            case ast.Name(id=name) if isinstance(known := self.constants.get(name), Const):
                return known
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return Const(self._constant(left, file).value | self._constant(right, file).value)
        self.error(node, file, "not a constant", "a number, a constant, or constants joined by |")

    def _mutants(self, function: ast.FunctionDef, file: str) -> None:
        for node in ast.walk(function):
            match node:
                case ast.Call(
                    func=ast.Name(id="mutant"),
                    args=[ast.Constant(value=str(name))],
                    keywords=[ast.keyword(arg="breaks", value=ast.Constant(value=str(rule)))],
                ):
                    before = self.mutants.get(name) or Mutant(name, rule, ())
                    if before.rule != rule:
                        self.error(
                            node, file, f"mutant {name} breaks {before.rule} elsewhere", "one rule, or another name"
                        )
                    self.mutants[name] = replace(before, places=(*before.places, (file, node.lineno, function.name)))
                case ast.Call(func=ast.Name(id="mutant")):
                    self.error(node, file, "a mutant needs a name and its rule", 'mutant("name", breaks="RULE-ID")')

    @property
    def is_custom(self) -> bool:
        """Has it its own roles?  Then its words are not ours, and our properties cannot be asked of it."""
        return AROUND[-1] not in self.files

    def with_trigger(self, trigger: str) -> Text:
        """The same text with this mechanism in place of the one it has; a custom text has none of ours, and stays as it is.

        Raises ProtocolError if that would leave a variant of the other mechanism unread.
        """
        now = next((path for path in self.files if path.stem in TRIGGERS), None)
        if self.is_custom or now is None or now.stem == trigger:
            return self
        if now != TRIGGERS[now.stem]:
            raise ProtocolError(
                f"{now.name}: is not read with trigger {trigger} (write: a policy whose trigger is {now.stem})"
            )
        return Text(tuple(TRIGGERS[trigger] if path == now else path for path in self.files))

    def triggers(self) -> list[str]:
        """The words that are declared as trigger words: they begin real, all others 0."""
        return [
            name for words in self.words.values() for name, kind in words.items() if kind in ("Trigger", "Triggers")
        ]

    @property
    def posted(self) -> set[str]:
        """The names by which it posts a request."""
        return {
            kind.id
            for p in self.functions.values()
            for node in ast.walk(p.node)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("posted", "asked")
            for kind in node.args[1:]
            if isinstance(kind, ast.Name)
        }

    def source(self, file: str, line: int) -> str:
        lines = self.lines.get(file, [])
        return lines[line - 1].strip() if 0 < line <= len(lines) else ""

    def error(self, node: ast.AST, file: str, what: str, instead: str) -> NoReturn:
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
        raise ProtocolError(f"{file}:{line}:{column}: {what} (write instead: {instead})\n    {self.source(file, line)}")
