"""What can go wrong: in a guest program's text (`GuestSyntaxError`), and while it runs (`Fault`).

A fault is data: the machine that executes the guest decides how to unwind.  Both machines take its message from here or from
`operations`, so their messages cannot differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from safepoint.guest.values import Ref

BASES = {
    "BaseException": "", "Exception": "BaseException", "KeyboardInterrupt": "BaseException",
    "ArithmeticError": "Exception", "OverflowError": "ArithmeticError", "ZeroDivisionError": "ArithmeticError",
    "AssertionError": "Exception", "AttributeError": "Exception", "EOFError": "Exception",
    "LookupError": "Exception", "IndexError": "LookupError", "KeyError": "LookupError",
    "MemoryError": "Exception", "NameError": "Exception", "UnboundLocalError": "NameError",
    "OSError": "Exception", "TimeoutError": "OSError",
    "RuntimeError": "Exception", "NotImplementedError": "RuntimeError", "RecursionError": "RuntimeError",
    "StopIteration": "Exception", "TypeError": "Exception",
    "ValueError": "Exception", "UnicodeError": "ValueError", "UnicodeEncodeError": "UnicodeError",
}  # fmt: skip
"""The guest's exception classes -> the class that each derives from, as in CPython."""

EXCEPTIONS = tuple(BASES)
"""The exceptions that a program may name."""

TERMINATION = "Terminated"
"""What TERMINATE raises derives from no class and has no name in a program, so no `except` catches it; every `finally` runs."""

KINDS = (*EXCEPTIONS, TERMINATION)
"""An operand of kind "kind" is an index into this table."""


def derives(kind: str, base: str) -> bool:
    """Whether `except base` catches an exception of class `kind`."""
    return kind == base or (kind != "" and derives(BASES.get(kind, ""), base))


@dataclass(frozen=True)
class Fault:
    """An exception of the guest.  kind: the name of its class.  ref: the exception object, if it exists already."""

    kind: str
    message: str = ""
    ref: Ref | None = None

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}" if self.message else self.kind


KEYBOARD_INTERRUPT = Fault("KeyboardInterrupt")
TERMINATED = Fault(TERMINATION)
RECURSION = Fault("RecursionError", "maximum recursion depth exceeded")


def name_fault(name: str) -> Fault:
    """The NameError of a global variable that is read while it has no value."""
    return Fault("NameError", f"name '{name}' is not defined")


def unbound_fault(name: str) -> Fault:
    """The UnboundLocalError of a local variable that is read while it has no value."""
    return Fault("UnboundLocalError", f"cannot access local variable '{name}' where it is not associated with a value")


class TooDeep(Exception):
    """Lists are nested deeper than an operation follows them.  The guest gets a RecursionError with this message."""


class Deadlock(Exception):
    """No thread can continue; CPython would hang.  waiting: each blocked thread, as "name at file:line"."""

    def __init__(self, waiting: Sequence[str]) -> None:
        self.waiting = tuple(waiting)
        super().__init__(f"deadlock: every thread waits for another ({', '.join(waiting)})")


class GuestSyntaxError(Exception):
    """A program is not Python, or is outside the subset; nothing has run.  line, column (in characters): from 1."""

    def __init__(self, file: str, line: int, column: int, what: str, instead: str = "") -> None:
        self.file, self.line, self.column, self.what, self.instead = file, line, column, what, instead
        super().__init__(f"{file}:{line}:{column}: {what}" + (f" (write instead: {instead})" if instead else ""))


def format_syntax_error(error: GuestSyntaxError, source: str) -> str:
    """The text of an error in an input, with the line and a caret below its column, as CPython prints it; ends in a newline."""
    lines = source.split("\n")
    line = lines[error.line - 1] if error.line <= len(lines) else ""
    shown = line.lstrip()
    before = "".join("\t" if c == "\t" else " " for c in shown[: max(0, error.column - 1 - len(line) + len(shown))])
    caret = f"    {shown}\n    {before}^\n" if shown else ""
    instead = f" (write instead: {error.instead})" if error.instead else ""
    return f'  File "{error.file}", line {error.line}\n{caret}SyntaxError: {error.what}{instead}\n'


Location = tuple[str, int, str]
"""file, line (from 1), function.  A traceback lists them from the outermost call to the innermost."""

REPEATS_SHOWN = 3
"""CPython prints this many equal entries of a traceback, then the number of the others."""


def format_traceback(fault: Fault, places: Sequence[Location], source: str | Mapping[str, str]) -> str:
    """The text that CPython prints for an uncaught exception, without its carets; ends in a newline.

    source: of all places, or that of each file.
    """
    text = ["Traceback (most recent call last):"] if places else []
    return "\n".join([*text, *_entries(places, source), str(fault)]) + "\n"


def format_stack(name: str, places: Sequence[Location], source: str | Mapping[str, str]) -> str:
    """The text that shows where a thread is; ends in a newline.  source: as `format_traceback`."""
    return "\n".join([f"{name} (most recent call last):", *_entries(places, source)]) + "\n"


def _entries(places: Sequence[Location], source: str | Mapping[str, str]) -> list[str]:
    sources = {file: source if isinstance(source, str) else source[file] for file, _, _ in places}
    lines = {file: re.split(r"\r\n|\r|\n", text) for file, text in sources.items()}
    text = []
    for place, run in groupby(places):
        count = len(list(run))
        text += _entry(place, lines[place[0]]) * min(count, REPEATS_SHOWN)
        if count > REPEATS_SHOWN:
            more = count - REPEATS_SHOWN
            text.append(f"  [Previous line repeated {more} more time{'s' if more > 1 else ''}]")
    return text


def _entry(place: Location, lines: list[str]) -> list[str]:
    file, line, function = place
    source = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return [f'  File "{file}", line {line}, in {function}', *([f"    {source}"] if source else [])]
