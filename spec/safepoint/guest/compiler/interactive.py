"""Compile a program input by input, as a prompt gets it: each may use what the earlier ones have defined.

The tables of a program only grow, so what has been loaded stays right.  An input becomes a function without parameters that
is called `<module>`; the module itself does nothing.  Its expression statements print the `repr` of their value, as at
Python's prompt, unless it is None.
"""

from __future__ import annotations

import ast
import codeop
import re
import warnings

from safepoint.guest.code import Code, Instruction, Program
from safepoint.guest.compiler.emitter import Label, Tables
from safepoint.guest.compiler.program import StatementCompiler
from safepoint.guest.compiler.source import Source
from safepoint.guest.faults import GuestSyntaxError
from safepoint.guest.operations.builtins import BUILTINS

MODULE = Code("<module>", (), 1, (Instruction("HALT", (), 1),), 1)
"""Where a thread's first function returns to."""

BEGINS = re.compile(r"(?!(else|elif|except|finally)\b)[^\s#]")
"""A line that begins a statement; at those words one goes on that could have ended before."""


def is_complete(text: str) -> bool:
    """Can the lines typed so far be compiled, or can no further line mend them?  A block ends at an empty line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return codeop.compile_command(text, symbol="single") is not None
        except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
            return True


def begins_another(text: str, line: str) -> bool:
    """Does a line begin a statement of its own, behind a block that no empty line has ended?"""
    return bool(BEGINS.match(line)) and not is_complete(text) and is_complete(text + "\n")


class Inputs:
    """The inputs so far.  `program`: all that they have defined, and last the function that runs the newest one.

    `program.file`, `program.source`: of the newest input.  `most`: instructions of a function, and of an input without its functions; None: any number.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._tables = Tables(Source("", "<input-0>"))
        self._inputs: set[str] = set()  # names of their files
        self._functions: list[Code] = []
        self.count = 0
        self.program = self._tables.program(MODULE)

    def add(self, text: str) -> Program:
        """Compile an input.  GuestSyntaxError: there is none then, and what it was to define is not defined."""
        self.count += 1
        source = Source(text, f"<input-{self.count}>")
        old = self._tables
        tables = Tables(source, [*old.codes], {**old.constants}, {**old.globals}, {**old.names}, {*old.imported})
        tree = source.parse()
        module = InputCompiler(tables, {}, ())
        for statement in self._importing(module, tree.body):
            if isinstance(statement, ast.FunctionDef):
                module.function(statement)
            else:
                module.statement(statement)
        functions = tables.codes[len(old.codes) :]
        end = tree.body[-1] if tree.body else ast.Pass(lineno=1, col_offset=0)
        slot = module.allocate()
        module.constant(end, None, slot)
        module.emit(end, "RETURN", slot)
        tables.add(module.code("<module>", (), 1))
        self._bound(source, tables.codes[len(old.codes) :])
        self._functions += functions
        self._tables, self.program = tables, tables.program(MODULE)
        return self.program

    def _bound(self, source: Source, codes: list[Code]) -> None:
        """Refuse a code that is too long, where it gets so."""
        for code in codes:
            if self._most is not None and len(code.instructions) > self._most:
                who, instead = ("this input", "inputs") if code.name == "<module>" else (f"{code.name}()", "functions")
                what = f"{who} has {len(code.instructions):,} instructions, and at a prompt there is room for {self._most:,}"
                line = code.instructions[self._most].line
                raise GuestSyntaxError(source.file, line, 1, what, f"several {instead}, or a file for safepoint run")

    def _importing(self, module: InputCompiler, statements: list[ast.stmt]) -> list[ast.stmt]:
        """The input without the imports at its top.  A name that functions use already as a variable cannot be imported."""
        count = next((n for n, node in enumerate(statements) if not isinstance(node, ast.ImportFrom)), len(statements))
        module.importing(statements[:count])
        for node in statements[:count]:
            assert isinstance(node, ast.ImportFrom)
            for name in node.names:
                number = self._tables.globals.get(name.name)
                for code in self._functions:
                    if any(i.op in ("GLOBAL", "SET_GLOBAL") and i.operands[1] == number for i in code.instructions):
                        what = f"'{name.name}' is a variable in {code.name}(), which was defined before this import"
                        raise module.error(node, what, "the import first, in a new session")
        return statements[count:]


class InputCompiler(StatementCompiler):
    """Compiles the statements of an input."""

    def expression_statement(self, node: ast.Expr) -> None:
        """Print the `repr` of its value, unless that is None."""
        end, value = Label(), self.push(node.value)
        none, differs = self.allocate(), self.allocate()
        self.constant(node, None, none)
        self.emit(node, "IS_NOT", differs, value, none)
        self.emit(node, "FALSE_JUMP", differs, end)
        self.emit(node, "BUILTIN", value, BUILTINS.index("repr"), 1)
        self.emit(node, "PRINT", value, 1)
        self.place(end)
