"""Sources and code that no programmer would write: refused in one line, or run alike by both machines; never a crash, never a hang.

The interpreter runs in a process of its own, which is killed when it does not answer.  Each test says how many it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from safepoint.guest.code import Program
from tests.child import Child
from tests.fuzzed import judge_program, judge_source
from tests.generated.mutated import damaged, mutated_programs
from tests.strategies import mutated, soup

SOURCES: dict[str, st.SearchStrategy[str | bytes]] = {
    "random bytes": st.binary(),
    "random texts": st.text(),
    "texts of tokens": soup(),
    "programs with pieces put in": st.one_of(mutated(), mutated().map(str.encode)),
    "mutated programs": mutated_programs(),
    "mutated programs of several threads": mutated_programs(threads=True),
}
CODES = {"code of programs": damaged(), "code of programs of several threads": damaged(threads=True)}


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    with Child(bound=60) as child:
        yield child


def told(kind: str, ways: Counter[str]) -> str:
    return f"fuzzed with {ways.total()} {kind}: " + ", ".join(f"{count} {how}" for how, count in ways.most_common())


@pytest.mark.timeout(14_400)  # nightly; the child is given a minute for each
@pytest.mark.parametrize("kind", SOURCES)
def test_any_source_is_refused_or_runs_alike(kind: str, child: Child, say: Callable[[str], None]) -> None:
    ways: Counter[str] = Counter()

    @given(SOURCES[kind])
    def judge(source: str | bytes) -> None:
        note(repr(source))
        ways[child(judge_source, source)] += 1

    judge()
    say(told(kind, ways))


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("kind", CODES)
def test_any_code_is_refused_or_runs_alike(kind: str, child: Child, say: Callable[[str], None]) -> None:
    ways: Counter[str] = Counter()

    @given(CODES[kind])
    def judge(program: Program) -> None:
        ways[child(judge_program, program)] += 1

    judge()
    say(told(f"damaged {kind}", ways))
