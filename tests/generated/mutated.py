"""Programs with something wrong: text whose lines or tokens were changed, and compiled code whose instructions were.

The edits are those of `safepoint campaign fuzz`, with a source of random numbers that Hypothesis draws, and so makes small.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from safepoint.differential.fuzz import MOST_EDITS, damaged_code, edited
from safepoint.guest.code import Program
from safepoint.guest.compiler.program import compile_program
from tests.strategies import EXAMPLES, THREADED
from tests.terminated import PROGRAMS as TERMINATED

OF_SEVERAL = [*THREADED, *TERMINATED.values()]


@st.composite
def mutated_programs(draw: st.DrawFn, threads: bool = False) -> str:
    """A program of the corpus with a few lines or tokens deleted, doubled, swapped or replaced by others of their kind."""
    text = draw(st.sampled_from(OF_SEVERAL if threads else EXAMPLES)).read_text()
    random = draw(st.randoms(use_true_random=False))
    for _ in range(draw(st.integers(1, MOST_EDITS))):
        text = edited(text, random)
    return text


@st.composite
def damaged(draw: st.DrawFn, threads: bool = False) -> Program:
    """A compiled program of which a function was changed: instructions, handlers, or the size of its frame."""
    good = compile_program(draw(st.sampled_from(OF_SEVERAL if threads else EXAMPLES)).read_bytes(), "f.py")
    number = draw(st.integers(0, len(good.codes) - 1))
    code, random = good.codes[number], draw(st.randoms(use_true_random=False))
    for _ in range(draw(st.integers(1, MOST_EDITS))):
        code = damaged_code(code, random)
    return replace(good, codes=(*good.codes[:number], code, *good.codes[number + 1 :]))
