"""A protocol text as it was read: its words, constants, procedures and mutants, and the one way to complain about it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NoReturn
from weakref import WeakKeyDictionary

from safepoint.graph.added import added
from safepoint.graph.ir import WORLD, Cell, Const, Expr, Local
from safepoint.graph.source import mutant_calls, parsed
from safepoint.protocol import AROUND, CORE, TRIGGERS, files, trigger_file

OURS = {*CORE[1:], *TRIGGERS.values(), *AROUND}
"""The files that make a text one of our protocol: all but the words."""


class ProtocolError(Exception):
    """The text leaves the language: `file:line:column: what (write instead: …)` and the source line."""


DECLARED = ("threads", "scopes")
"""Functions of a text that are no procedures."""

GLOBAL = "always_"
"""Functions whose names begin so read every word, and make no step: `model.global_claims` reads them."""


@dataclass(frozen=True)
class Record:
    """What `t` or `world` is bound to: the running thread (SELF), the WORLD, thread number n, or the one a local numbers."""

    owner: int | str | Local
    cls: str


Value = Expr | Record | Cell | tuple["Value", ...]
"""What a name of the text may mean when it is compiled."""

HANDLER, EACH_THREAD = "handler", "each_thread"
TYPES = ("Word", "Trigger", "Triggers", "Suspension", "int")
"""What a word may be declared as."""


@dataclass(frozen=True)
class Procedure:
    """`kind`: of a role that belongs to a thread, HANDLER or EACH_THREAD."""

    node: ast.FunctionDef
    file: str
    kind: str = ""

    @cached_property
    def assigned(self) -> frozenset[str]:
        """The names that it assigns to."""
        names = (n for n in ast.walk(self.node) if isinstance(n, ast.Name))
        return frozenset(n.id for n in names if isinstance(n.ctx, ast.Store))


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


@dataclass(eq=False)
class Text:
    """Files of a protocol, parsed: each its own, whatever it says.  Raises ProtocolError for anything that is not of the language.

    `instead`: a file to the one of ours in whose place it is read.  `first`: class to word to what it holds at first, if not 0.
    """

    files: tuple[Path, ...] = field(default_factory=files)
    instead: dict[Path, Path] = field(default_factory=dict)
    functions: dict[str, Procedure] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)  # class -> word -> declared type
    first: dict[str, dict[str, int]] = field(default_factory=dict)
    constants: dict[str, Value] = field(default_factory=dict)
    families: dict[str, tuple[str, int]] = field(default_factory=dict)  # constants that are declared together
    added: dict[str, str] = field(default_factory=dict)  # words of each thread that a trigger of a user's own declares
    mutants: dict[str, Mutant] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)
    base: Text | None = None  # the text that this one is, but for what some of its procedures do

    def __post_init__(self) -> None:
        for path in self.files:
            self._read(path)

    def _read(self, path: Path) -> None:
        file = path.name
        try:
            source = path.read_text(encoding="utf-8-sig")  # an editor may begin it with a mark
            module = parsed(source, file)
        except (OSError, UnicodeDecodeError) as e:
            raise ProtocolError(f"{path}: cannot be read: {getattr(e, 'strerror', e)} (name a text)") from None
        except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
            line = getattr(e, "lineno", None) or 1
            what = getattr(e, "msg", None) or str(e) or "nested too deeply"
            raise ProtocolError(f"{file}:{line}:{getattr(e, 'offset', None) or 1}: not Python: {what}") from None
        if file in self.lines:
            raise ProtocolError(f"{path}: a second file of that name (write: another name)")
        self.lines[file] = source.splitlines()
        for node in module.body:
            self._declaration(node, file)

    def _declaration(self, node: ast.stmt, file: str) -> None:
        match node:
            case ast.FunctionDef(name=name):
                if name in self.functions:
                    self.error(node, file, f"{name}() is defined twice, before in {self.functions[name].file}", "one")
                self.functions[name] = Procedure(node, file, self._kind(node, file))
                self._mutants(node, file)
            case ast.ClassDef(name=name):
                self._class(node, file)
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id=cls), value=None) if cls in self.words:
                for other in self.constants.values():
                    if isinstance(other, Record) and self.words[cls].keys() & self.words[other.cls].keys():
                        said = f"{name} has words of the same names as another variable, and would be that one"
                        self.error(node, file, said, "one variable, or a class with other words")
                self.constants[name] = Record(WORLD, cls)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.constants[name] = self._constant(value, file)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
                for target, value in zip(names, values, strict=True):
                    if not isinstance(target, ast.Name):
                        self.error(target, file, "not the name of a constant", "NAME = 1")
                    self.constants[target.id] = self._constant(value, file)
                    self.families[target.id] = (file, node.lineno)
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
                pass
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                pass
            case _:
                said = "not a declaration of the protocol language"
                self.error(node, file, said, "a constant, a class of words, or a function")

    def _kind(self, node: ast.FunctionDef, file: str) -> str:
        """What is declared above a function."""
        a = node.args
        if a.vararg or a.kwarg or a.defaults or a.kwonlyargs:
            self.error(node, file, "a parameter is a name, and no more", f"def {node.name}(t: Thread, x: int) -> None")
        match [ast.unparse(d) for d in node.decorator_list]:
            case []:
                return ""
            case ["handler" | "each_thread" as kind] if len(a.args) == 1 and self._is_thread(a.args[0]):
                return kind
        self.error(node, file, "no declaration of a role", f"@handler or @each_thread above def {node.name}(t: Thread)")

    def _is_thread(self, parameter: ast.arg) -> bool:
        return parameter.annotation is not None and ast.unparse(parameter.annotation) in self.words

    def _class(self, node: ast.ClassDef, file: str) -> None:
        """The words that a class declares, and those that it inherits."""
        if node.name in self.words:
            self.error(node, file, f"class {node.name} is defined twice", "one, or another name")
        words: dict[str, str] = {}
        first: dict[str, int] = {}
        for base in node.bases:
            if not isinstance(base, ast.Name) or base.id not in self.words:
                self.error(base, file, "not a class of words", "a class that stands before it in the text")
            words |= self.words[base.id]
            first |= self.first[base.id]
        for statement in node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=word), annotation=annotation, value=value) if word not in words:
                    words[word] = kind = ast.unparse(annotation)
                    if kind not in TYPES:
                        self.error(annotation, file, f"no type of a word: {kind}", ", ".join(TYPES))
                    if value is not None:
                        first[word] = self._begins(value, kind, file)
                case ast.Pass() | ast.Expr(value=ast.Constant()):
                    pass
                case _:
                    self.error(statement, file, "a class has words only, each of its own name", "name: Word, name: int")
        self.words[node.name], self.first[node.name] = words, first
        if not self.is_custom and [file] == [path.name for path in self.files[len(CORE) : len(CORE) + 1]]:
            self.added |= added(self.words, self.first, node.name)

    def _begins(self, value: ast.expr, kind: str, file: str) -> int:
        match value:
            case ast.Call(func=ast.Name(id="begins"), args=[inner], keywords=[]) if kind in ("Word", "Suspension"):
                return self._constant(inner, file).value
            case _ if kind == "int":
                return self._constant(value, file).value
        self.error(
            value, file, f"a {kind} does not begin so", "state: Word = begins(1), mine: int = 1; a trigger begins real"
        )

    def begins(self, of_world: bool, word: str) -> int:
        """What a word, or a private word, of the world or of each thread holds at first, if it is no trigger word."""
        worlds = {value.cls for value in self.constants.values() if isinstance(value, Record)}
        return next((w[word] for cls, w in self.first.items() if (cls in worlds) == of_world and word in w), 0)

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
        for node in mutant_calls(function):
            match node:
                case ast.Call(
                    args=[ast.Constant(value=str(name))],
                    keywords=[ast.keyword(arg="breaks", value=ast.Constant(value=str(rule)))],
                ) if re.fullmatch(r"[\w.-]+", name):
                    before = self.mutants.get(name) or Mutant(name, rule, ())
                    if before.rule != rule:
                        self.error(
                            node, file, f"mutant {name} breaks {before.rule} elsewhere", "one rule, or another name"
                        )
                    self.mutants[name] = replace(before, places=(*before.places, (file, node.lineno, function.name)))
                case _:
                    self.error(node, file, "a mutant needs a name and its rule", 'mutant("name", breaks="RULE-ID")')

    @cached_property
    def is_custom(self) -> bool:
        """Has it its own roles?  Then its words are not ours, and our properties cannot be asked of it."""
        return not any(self.instead.get(path, path) in OURS for path in self.files)

    def with_trigger(self, trigger: str) -> Text:
        """The same text with this mechanism in place of the one it has; a custom text has none of ours, and stays as it is.

        Raises ProtocolError if that would leave a variant of the other mechanism unread.
        """
        if self.is_custom or len(self.files) <= len(CORE):
            return self
        now, wanted = self.files[len(CORE)], trigger_file(trigger)  # behind the core stands the mechanism
        ours = self.instead.get(now, now)
        if ours == wanted:
            return self
        if now != ours:
            raise ProtocolError(
                f"{now.name}: is not read with trigger {wanted.stem} (write: a policy whose trigger is {ours.stem})"
            )
        read_before = _OTHERS.setdefault(self, {})
        if trigger not in read_before:
            paths = tuple(wanted if path == now else path for path in self.files)
            read_before[trigger] = Text(paths, self.instead)
        return read_before[trigger]

    def declared(self, *types: str) -> list[str]:
        """The words that are declared as one of these."""
        return list({name: 0 for words in self.words.values() for name, kind in words.items() if kind in types})

    def triggers(self) -> list[str]:
        """The words that are declared as trigger words: they begin real."""
        return self.declared("Trigger", "Triggers")

    def owner_of(self, word: str) -> str:
        """What the text calls the record of a word that belongs to no thread: the variable of its class."""
        found = (n for n, v in self.constants.items() if isinstance(v, Record) and word in self.words[v.cls])
        return next(found, WORLD)

    def source(self, file: str, line: int) -> str:
        lines = self.lines.get(file, [])
        return lines[line - 1].strip() if 0 < line <= len(lines) else ""

    def complaint(self, function: str, what: str, instead: str) -> ProtocolError:
        """An error that is a function's as a whole."""
        procedure = self.functions[function]
        place = f"{procedure.file}:{procedure.node.lineno}:{procedure.node.col_offset + 1}"
        return ProtocolError(f"{place}: {function}: {what} (write instead: {instead})")

    def must_not_end(self, role: str) -> ProtocolError:
        call = ast.unparse(ast.Call(ast.Name(role), [ast.Name(a.arg) for a in self.functions[role].node.args.args], []))
        return self.complaint(role, "a role of the model must not end", f"return {call} on each way")

    def error(self, node: ast.AST, file: str, what: str, instead: str) -> NoReturn:
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
        raise ProtocolError(f"{file}:{line}:{column}: {what} (write instead: {instead})\n    {self.source(file, line)}")


_OTHERS: WeakKeyDictionary[Text, dict[str, Text]] = WeakKeyDictionary()
"""A text to itself with other triggers."""
