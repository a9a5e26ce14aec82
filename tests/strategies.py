"""Hypothesis strategies: sources that are anything at all.  Those that are valid and busy are in `tests/generated`."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from tests.generated.programs import programs

EXAMPLES = sorted(Path(__file__).with_name("programs").glob("*.py"))
THREADED = sorted((Path(__file__).with_name("programs") / "threads").glob("*.py"))
PIECES = (
    "def f(a, b):", "while x < 3:", "for i in range(3):", "if a:", "elif b:", "else:", "return", "return a", "break", "continue", "global x", "x = 1",
    "x, y = y, x", "x += 1", "print(x)", "f(1)", "(", ")", ":", ",", "\n", "\n    ", "\n        ", " ", "-", "~", "not ", " and ", " is ", " in ",
    "lambda x: x", "[1]", "{}", "'s'", "1.5", "/", "**", "@", ":=", "class C:", "import os", "try:", "except:", "with a:", "yield", "await f",
    "assert a", "del x", "async def g():", "match x:", "*a", "**b", "x: int = 1", "...", "4611686018427387904", "\0", "\t", "\f", "\\\n", "#", "é", "\ufeff",
    "# coding: latin-1\n", "raise", "finally:", "except ValueError as e:", "f'{x!r:>3}'", "x[0]", "x[1:]", "x.append(1)", "print(x, end='')", "ValueError(1)", "0x", "1_000", "1__0", "'''", "f'{x}'", "b''", "print", "range", "len", "__name__",
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good program with pieces put in, taken out or doubled."""
    text = draw(st.sampled_from(EXAMPLES)).read_text()
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 20)))
        text = text[:start] + draw(st.sampled_from((*PIECES, text[start:end] * 2))) + text[end:]
    return text


def soup() -> st.SearchStrategy[str]:
    """Pieces of programs in any order."""
    return st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


def sources() -> st.SearchStrategy[str | bytes]:
    """Anything that a user may call a program."""
    return st.one_of(st.text(), st.binary(), soup(), mutated(), mutated().map(str.encode), programs(budget=300))
