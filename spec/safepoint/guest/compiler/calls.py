"""Compiles calls, and what else needs values in adjacent slots: list displays, f-strings, subscripts."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from safepoint.guest.code import LINK
from safepoint.guest.compiler.names import NameCompiler
from safepoint.guest.compiler.source import Located
from safepoint.guest.compiler.subset import NOT_MADE
from safepoint.guest.faults import EXCEPTIONS
from safepoint.guest.operations.builtins import ARGUMENTS, BUILTINS

METHODS = {"append": (1, 1), "pop": (0, 1), "start": (0, 0), "join": (0, 0), "acquire": (0, 0), "release": (0, 0)}
"""Method of a list, thread or lock -> its least and greatest number of arguments."""

ACTIONS = {
    "sleep": ("SLEEP", 1),
    "interrupt": ("INTERRUPT", 1),
    "terminate": ("TERMINATE", 1),
    "handshake": ("HANDSHAKE", 1),
    "collect": ("COLLECT", 0),
}
"""Imported function that returns None -> its opcode, and its number of arguments."""


SECTIONS = ("masked", "terminable")
"""Imported functions that begin a `with`."""


class CallCompiler(NameCompiler):
    def gathers(self, node: ast.expr) -> bool:
        """Whether an expression is computed from adjacent slots into the first of them."""
        if isinstance(node, ast.Call):
            elsewhere = self.pythons(node.func, "print", "len") or self.imports(node.func, "Lock", *ACTIONS)
            return not (elsewhere or isinstance(node.func, ast.Attribute))
        return isinstance(node, ast.List) or (isinstance(node, ast.JoinedStr) and len(node.values) > 0)

    def gather(self, node: ast.expr) -> int:
        """Compile an expression that `gathers`.  Returns the next temporary, which holds its value."""
        match node:
            case ast.Call(func=ast.Name(id=name)) if self.pythons(node.func, *BUILTINS):
                least, most = ARGUMENTS[name]
                self.count(node, name, least, most)
                return self.together(node, node.args, "BUILTIN", BUILTINS.index(name))
            case ast.Call(func=ast.Name(id=name)) if self.pythons(node.func, *EXCEPTIONS):
                self.count(node, name, 0, 1)
                return self.exception(node, name, node.args)
            case ast.Call() if self.imports(node.func, "Thread"):
                return self.thread(node)
            case ast.Call(func=ast.Name(id=name)) if self.imports(node.func, *SECTIONS):
                raise self.error(node, f"{name}() stands only in a with", f"with {name}():")
            case ast.Call():
                return self.call(node)
            case ast.List():
                return self.together(node, node.elts, "LIST")
            case ast.JoinedStr():
                return self.format(node)
        raise AssertionError(node)

    def together(self, node: Located, parts: Sequence[ast.expr], op: str, *operands: int) -> int:
        """Push the parts into adjacent slots, and emit the operation that makes one value of them."""
        first = self.top
        for part in parts:
            self.push(part)
        self.emit(node, op, first, *operands, len(parts))
        self.top = first
        return self.allocate()

    # -- calls

    def call(self, node: ast.Call) -> int:
        """Callee, return link (two words) and arguments in adjacent slots; the result replaces the callee."""
        base = self.push(node.func)
        self.allocate(LINK - 1)
        self.no_keywords(node)
        for argument in node.args:
            self.push(argument)
        self.emit(node, "CALL", base, len(node.args))
        self.top = base + 1
        return base

    def exception(self, node: Located, kind: str, arguments: Sequence[ast.expr]) -> int:
        if kind in NOT_MADE:
            raise self.error(node, f"only Python itself makes a {kind}", "ValueError(…)")
        return self.together(node, arguments, "EXCEPTION", EXCEPTIONS.index(kind))

    def method(self, node: ast.Call, called: ast.Attribute, dst: int | None) -> None:
        """A method call.  dst: the slot for its value, or None if the value is not used."""
        if called.attr not in METHODS:
            raise self.error(
                node, f"the method {called.attr} is outside the guest's language", f"{', '.join(METHODS)}, or a def"
            )
        self.count(node, called.attr, *METHODS[called.attr])
        of, arguments = self.value(called.value), [self.value(argument) for argument in node.args]
        if called.attr == "append":
            self.emit(node, "APPEND", of, *arguments)
            if dst is not None:
                self.constant(node, None, dst)
        elif called.attr != "pop":
            self.emit(node, called.attr.upper(), of)
            if dst is not None:
                self.constant(node, True if called.attr == "acquire" else None, dst)
        else:
            dst = self.allocate() if dst is None else dst
            self.emit(node, "POP_AT" if arguments else "POP", dst, of, *arguments)

    def thread(self, node: ast.Call) -> int:
        """`Thread(target=f, args=(a, b))`."""
        match node.args, [(k.arg, k.value) for k in node.keywords]:
            case [], [("target", target)]:
                return self.together(node, [target], "THREAD")
            case [], [("target", target), ("args", ast.Tuple(elts=args))]:
                return self.together(node, [target, *args], "THREAD")
        raise self.error(node, "Thread with other arguments than target and args", "Thread(target=f, args=(a, b))")

    def imported(self, node: ast.Call, dst: int) -> None:
        """`Lock()`, `sleep(s)` and the other imported functions."""
        assert isinstance(node.func, ast.Name)
        if node.func.id == "Lock":
            self.count(node, "Lock", 0, 0)
            self.emit(node, "LOCK", dst)
        else:
            op, takes = ACTIONS[node.func.id]
            self.count(node, node.func.id, takes, takes)
            self.emit(node, op, *(self.value(argument) for argument in node.args))
            self.constant(node, None, dst)

    def length(self, node: ast.Call, dst: int) -> None:
        self.count(node, "len", 1, 1)
        self.emit(node, "LEN", dst, self.value(node.args[0]))

    def print(self, node: ast.Call) -> None:
        first = self.top
        op = "PRINT"
        for argument in node.args:
            self.push(argument)
        for keyword in node.keywords:
            if keyword.arg != "end":
                raise self.error(keyword, "print takes no keyword but end", "print(a, b, end='')")
            self.push(keyword.value)
            op = "PRINT_END"
        self.emit(node, op, first, self.top - first)
        self.top = first

    def count(self, node: ast.Call, name: str, least: int, most: int | None) -> None:
        """Raise unless the call has from `least` to `most` arguments (None: no limit), and no keywords."""
        self.no_keywords(node)
        given = len(node.args)
        if given < least or (most is not None and given > most):
            wanted = {None: f"at least {least}", least: f"{least}"}.get(most, f"{least} to {most}")
            raise self.error(node, f"{name} with {given} argument{'s' * (given != 1)}", f"{wanted} of them")

    def no_keywords(self, node: ast.Call) -> None:
        for keyword in node.keywords:
            raise self.error(keyword, "a keyword argument is outside the guest's language", "the arguments in order")

    # -- f-strings

    def format(self, node: ast.JoinedStr) -> int:
        """Format the values in order: at once, if a later part contains a call, which may change the value."""
        first = self.top
        last_call = max((n for n, part in enumerate(node.values) if _calls(part)), default=0)
        for number, part in enumerate(node.values):
            if isinstance(part, ast.FormattedValue):
                self.formatted(node, part, at_once=number < last_call)
            else:
                self.push(part)
        if len(node.values) > 1 or not isinstance(node.values[0], ast.Constant):
            self.emit(node, "FORMAT", first, len(node.values))
        self.top = first
        return self.allocate()

    def formatted(self, node: ast.JoinedStr, part: ast.FormattedValue, at_once: bool) -> None:
        if part.format_spec is not None:
            raise self.error(node, "a format in an f-string is outside the guest's language", "{x} or {x!r}")
        if part.conversion == ord("a"):
            raise self.error(node, "!a in an f-string is outside the guest's language", "!r")
        slot = self.push(part.value)
        if part.conversion == ord("r"):
            self.emit(part.value, "BUILTIN", slot, BUILTINS.index("repr"), 1)
        elif at_once:
            self.emit(part.value, "FORMAT", slot, 1)

    # -- subscripts

    def subscript(self, node: ast.Subscript, dst: int) -> None:
        if isinstance(node.slice, ast.Slice):
            self.part(node, node.slice, dst)
        else:
            of, index = self.element(node)
            self.emit(node, "INDEX", dst, of, index)

    def element(self, node: ast.Subscript) -> tuple[int, int]:
        """The slots of a sequence and of the index into it."""
        if isinstance(node.slice, ast.Slice):
            raise self.error(node, "a slice can only be read", "a loop over the indices")
        return self.value(node.value), self.value(node.slice)

    def part(self, node: ast.Subscript, bounds: ast.Slice, dst: int) -> None:
        if bounds.step is not None:
            raise self.error(bounds.step, "a slice with a step is outside the guest's language", "a loop over a range")
        of, first = self.value(node.value), self.top
        for bound in (bounds.lower, bounds.upper):
            self.push(bound or ast.copy_location(ast.Constant(None), node))
        self.emit(node, "SLICE", dst, of, first)


def _calls(node: ast.AST) -> bool:
    return any(isinstance(inner, ast.Call) for inner in ast.walk(node))
