"""Compiles names and constants."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Iterable

from safepoint.guest.code import INT_MAX, INT_MIN, OPCODES, SMALL
from safepoint.guest.compiler.emitter import Emitter, Tables
from safepoint.guest.compiler.source import Located
from safepoint.guest.compiler.subset import CALLED, PYTHONS, outside
from safepoint.guest.faults import EXCEPTIONS, GuestSyntaxError

_small = OPCODES["LOADK"].operands[1]
SMALL_INTS = range(max(SMALL) + 1, _small.high + 1)
SMALL_CODE = {repr(value): number for number, value in SMALL.items()}
"""`repr` of a constant that is no int -> operand of LOADK.  (As keys of a dictionary, True and 1 would be one.)"""


class NameCompiler(Emitter):
    """assigned: the local variables that certainly have a value at this point; all of them, if it is unreachable."""

    def __init__(self, tables: Tables, variables: dict[str, int], parameters: Iterable[str]) -> None:
        super().__init__(tables, variables)
        self.assigned = frozenset(parameters)
        self.maybe_unset: set[str] = set()  # variables that a BOUND checks

    def error(self, node: Located, what: str, instead: str) -> GuestSyntaxError:
        return self.tables.source.error(node, what, instead)

    def outside(self, node: ast.AST, place: Located) -> GuestSyntaxError:
        return self.error(place, *outside(node))

    # -- where a value goes: `value` and `push` return a slot, `into` is given one; `ExpressionCompiler` has all three

    @abstractmethod
    def value(self, node: ast.expr) -> int:
        """Compile an expression.  Returns the slot of its value: a local variable's own, or the next temporary."""

    @abstractmethod
    def push(self, node: ast.expr) -> int:
        """Compile an expression into the next temporary.  Returns that slot."""

    @abstractmethod
    def into(self, node: ast.expr, dst: int) -> None:
        """Compile an expression into `dst`, which the last instruction writes, or (see `in_parts`) which is a temporary."""

    # -- constants

    def constant(self, node: Located, value: float | str | None, dst: int) -> None:
        if value is None or isinstance(value, bool):
            self.emit(node, "LOADK", dst, SMALL_CODE[repr(value)])
        elif type(value) is int and value in SMALL_INTS:
            self.emit(node, "LOADK", dst, value)
        elif isinstance(value, int) and not INT_MIN <= value <= INT_MAX:
            raise self.error(node, "an int literal that does not fit in 63 bits", f"{INT_MIN} to {INT_MAX}")
        else:
            self.emit(node, "CONSTANT", dst, self.tables.constant(value))

    # -- names

    def local(self, node: ast.Name) -> int:
        """The variable's slot; where it may have no value, a BOUND before it."""
        slot = self.variables[node.id]
        if node.id not in self.assigned:
            names = self.tables.names
            self.emit(node, "BOUND", slot, names.setdefault(node.id, len(names)))
            self.maybe_unset.add(node.id)
            self.assigned |= {node.id}
        return slot

    def global_number(self, node: Located, name: str) -> int:
        self.check_name(node, name)
        if name in EXCEPTIONS:
            raise self.error(node, f"the class '{name}' can only be called, raised and caught", f"{name}()")
        if name in CALLED or name in self.tables.imported:
            raise self.error(node, f"'{name}' can only be called", "another name, or a def that calls it")
        if name in PYTHONS or (name.startswith("__") and name.endswith("__")):
            raise self.error(node, f"the name '{name}' has a meaning in Python that the guest lacks", "another name")
        return self.tables.globals.setdefault(name, len(self.tables.globals))

    def check_name(self, node: Located, name: str) -> None:
        if name == "print":
            raise self.error(node, "'print' can only be called", "another name, or a def that prints")
        if name == "range":
            raise self.error(node, "'range' stands only in a for loop", "for x in range(…)")

    def imports(self, node: ast.expr, *names: str) -> bool:
        """Whether the node is one of these names, and the program has imported it."""
        return self.pythons(node, *self.tables.imported.intersection(names))

    def pythons(self, node: ast.expr | None, *names: str) -> bool:
        """Whether the node is one of these names with the meaning that Python gives it."""
        return isinstance(node, ast.Name) and node.id in names and node.id not in self.variables
