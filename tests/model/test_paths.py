"""Counterexamples: what people read, and the string that walks one again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepoint.graph.text import Text
from safepoint.model.counterexample import counterexample, path
from safepoint.model.explore import Violation, search
from safepoint.model.mutants import hunt
from safepoint.model.path import ReplayError, path_of, replay
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol import files
from safepoint.protocol.policies import POLICIES
from safepoint.show.report import find_again
from tests.model.pinned import CAUGHT

TEXT = Text()


@pytest.mark.parametrize("mutant", CAUGHT)
def test_a_counterexample_replays(mutant: str) -> None:
    scope, memory, broken = CAUGHT[mutant]
    result = find_again(TEXT, mutant=mutant, scope=scope, memory=memory)
    assert result.broken == broken
    found = path_of(result)
    again = replay(TEXT, found.replay)
    assert (again.steps, again.broken) == (found.steps, found.broken)
    assert len(found.replay) < 100


def test_a_counterexample_says_thread_line_and_changed_words() -> None:
    result = hunt(TEXT, "take-before-restore").result
    assert result is not None
    told = counterexample(result, TEXT)
    lines = told.splitlines()
    sources = {file.stem: file.read_text(encoding="utf-8").splitlines() for file in files()}
    assert "pending-is-poisoned: A thread in guest code with a pending request fails its next check" in lines[1]
    rows = [line for line in lines if re.match(r" +\d+  +\w+:\d+  ", line)]
    assert len(rows) == len(result.path) - 1
    for row in rows:
        file, _, line = row.split()[1].partition(":")
        statement = sources[file][int(line) - 1].split("  #")[0].strip().rstrip(":")
        assert statement in row or "choose" in statement
    assert any(row.endswith("T0.pending nothing -> INTERRUPT") for row in rows)
    assert lines[-1].startswith("again: safepoint replay 'm:interrupt-1/take-before-restore/")


def test_words_that_a_step_leaves_alone_are_not_shown() -> None:
    result = hunt(TEXT, "unlocked-take").result
    assert result is not None
    for step in path_of(result).steps:
        assert all(change.old != change.new for change in step.changes)
        assert len(step.changes) <= 2  # one access, and at most the frame's end beside it


def test_a_changed_text_is_noticed(tmp_path: Path) -> None:
    result = hunt(TEXT, "take-before-restore").result
    assert result is not None
    string = path_of(result).replay
    changed = tmp_path / "owner.py"
    source = files()[2].read_text(encoding="utf-8")
    assert "t.pending.fetch_and(~deliverable(t))" in source
    changed.write_text(source.replace("t.pending.fetch_and(~deliverable(t))", "t.pending.swap(0)"), encoding="utf-8")
    with pytest.raises(ReplayError, match="the protocol's text has changed"):
        replay(Text((*files()[:2], changed, *files()[3:])), string)


@pytest.mark.parametrize(
    ("policy", "word", "told"),
    [
        ("folded", "limit", "real -> poison"),
        ("dart", "limit", "real -> poison INTERRUPT"),
        ("pypy", "ticker", "real 2 -> poison"),
    ],
)
def test_a_poisoned_word_says_so_in_every_family(policy: str, word: str, told: str) -> None:
    """dart: the request bits are inside the limit, which is poisoned by holding any; pypy: a ticker has two real values."""
    model = Model(TEXT, SCOPES["interrupt-1"], "", POLICIES[policy])
    poisoned = Properties(model).poisoned
    result = search(model, lambda state: Violation("poisoned", "now") if any(poisoned(state, 0)) else None)
    assert path(path_of(result), TEXT).splitlines()[-2].endswith(f"T0.{word} {told}")


BROKEN_STRINGS = {
    "": "is not a path",
    "m:interrupt-1/take-before-restore/aaa": "is not a path",
    "m:nowhere//a~00000000": "speaks of scope 'nowhere'; there are: loops-1",
    "m:interrupt-1//aaaz~00000000": "step 4 of the path cannot be made",
    "m:interrupt-1//a99~00000000": "step 1 of the path cannot be made",
    "m:interrupt-1//a@~00000000": "is not a path",
    "m:interrupt-1//@a@a~00000000": "is not a path",
    "m:interrupt-1//a@b~00000000": "the loop of the path, from step 2, does not lead back",
    "m:interrupt-1//a~00000000": "the steps? have other names now|have other names now",
}


@pytest.mark.parametrize("string", BROKEN_STRINGS)
def test_a_broken_string_is_one_clear_error(string: str) -> None:
    with pytest.raises(ReplayError, match=BROKEN_STRINGS[string]):
        replay(TEXT, string)


@given(st.text(alphabet="m:abz/~-@0123456789", max_size=40))
def test_no_string_is_a_crash(string: str) -> None:
    try:
        told = path(replay(TEXT, string), TEXT)
    except ReplayError:
        return
    assert told
