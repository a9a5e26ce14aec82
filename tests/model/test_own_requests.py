"""What a custom text says of requests: that they are served in the end, by whom, and how soon."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.graph.ir import Ghost
from safepoint.graph.text import Text
from safepoint.model.custom import read, scopes_of
from safepoint.model.system import Model
from tests.model.said import HEAD, RIGHT, SERVES, own, verdict

# ---------------------------------------------------------------------------------------------- requests


TWICE = "if world.stop.fetch_or(1) == 1:\n        rest()"


@pytest.mark.parametrize("kind", [1, 2, 8, 64])
@pytest.mark.parametrize(
    ("serves", "waits", "broken"),
    [
        (RIGHT, "pause()", ""),
        (RIGHT, "rest()", ""),
        (RIGHT, "wait(t.pending.load() == 0)", ""),
        # takes, then restores: the next poison is lost
        ("bits = t.pending.swap(0); t.limit.swap(t.limit.real); served(bits, t)", "pause()", "owed-is-served"),
        # and of two requests the first one's answer is not the second's
        ("bits = t.pending.swap(0); t.limit.swap(t.limit.real); served(bits, t)", TWICE, "owed-is-served"),
        (RIGHT, TWICE, ""),
        # is asked, and says nothing
        ("t.limit.swap(t.limit.real); t.pending.swap(0)", "pause()", "owed-is-served"),
        ("t.limit.swap(t.limit.real)", "rest()", "owed-is-served"),
        # serves what it saw before it clears the word: what comes in between goes with it
        ("t.limit.swap(t.limit.real); b = t.pending.load(); served(b, t); t.pending.store(0)", "pause()", "owed-is-served"),
        ("t.limit.swap(t.limit.real); b = t.pending.load(); served(b, t); t.pending.store(0)", "wait(t.pending.load() == 0)", ""),
        # takes, then serves later: what comes in between is another request
        ("t.limit.swap(t.limit.real); b = t.pending.swap(0); pause(); served(b, t)", "pause()", ""),
        ("b = t.pending.swap(0); t.limit.swap(t.limit.real); pause(); served(b, t)", "pause()", "owed-is-served"),
        ("t.limit.swap(t.limit.real); b = t.pending.swap(0); taken(b, t); pause(); served(b, t)", "pause()", ""),
        ("t.limit.swap(t.limit.real); b = t.pending.swap(0); taken(b, t)", "pause()", "taken-is-served"),
    ],
)  # fmt: skip
def test_what_is_owed_is_served(serves: str, waits: str, broken: str, kind: int, tmp_path: Path) -> None:
    """Kinds are the text's own: also those whose numbers mean something to our protocol."""
    body = SERVES.format(serves=serves, waits=waits).replace("K", str(kind))
    assert verdict(tmp_path, body, "--scope", "small") == broken


MIXED = """
def mutator(t: Me) -> None:
    match choose():
        case "computes":
            pause()
        case "posts to itself":
            t.pending.fetch_or(K)
            posted(t, K)
            t.limit.swap(t.limit.poison)
    if t.limit.load() == t.limit.poison:
        t.limit.swap(t.limit.real)
        if t.pending.fetch_and(~K) & K:
            served(K, t)
        wait(t.flag.load() == 0)
    return mutator(t)


def suspender() -> None:
    t = choose(threads())
    match choose():
        case "suspends":
            t.flag.swap(1)
            t.limit.store(t.limit.poison)
        case "lets go":
            t.flag.swap(0)
        case "posts":
            t.pending.fetch_or(K)
            posted(t, K)
            t.limit.store(t.limit.poison)
    return suspender()
"""


def test_only_those_rounds_are_not_counted_on_that_post_again(tmp_path: Path) -> None:
    """A thread that is suspended is let go by the same role that posts: without its other rounds nothing would be served."""
    assert verdict(tmp_path, MIXED) == ""
    assert verdict(tmp_path, MIXED.replace("served(K, t)", "pause()")) == "owed-is-served"


def test_two_at_once_that_are_taken_for_neither(tmp_path: Path) -> None:
    body = SERVES.format(serves="t.limit.swap(t.limit.real); bits = t.pending.swap(0)\n"
                                "        if bits == K:\n            served(K, t)\n        if bits == L:\n            served(L, t)",
                         waits="pause()")  # fmt: skip
    other = body[body.index("def poster") :].replace("poster", "other").replace("K", "L")
    assert verdict(tmp_path, body + "\n\n" + other, "--scope", "poster-1") == ""
    assert verdict(tmp_path, body + "\n\n" + other) == "owed-is-served"


def test_every_model_of_a_text_adds_what_clears_a_request_to_graphs_of_its_own(tmp_path: Path) -> None:
    body = SERVES.format(
        serves="t.limit.swap(t.limit.real); b = t.pending.swap(0); served(b, t)", waits="pause()"
    ).replace("K", "1")
    (tmp_path / "own.py").write_text(HEAD + body)

    def shape(text: Text, memory: str) -> list[tuple[int, int]]:
        model = Model(text, scopes_of(text)["poster-1"], memory=memory)
        return [
            (process.footprint, sum(isinstance(tree, Ghost) and tree.op == "cleared" for tree in process.graph.trees))
            for process in model.processes
        ]

    text = read(tmp_path / "own.py")
    again = [shape(text, "sc"), shape(text, "tso")]
    assert again == [shape(read(tmp_path / "own.py"), memory) for memory in ("sc", "tso")]
    assert sum(cleared for _, cleared in again[0]) == 1  # the swap


# ---------------------------------------------------------------------------------------------- bounds

CHECKED = """
def mutator(t: Me) -> None:
    match choose():
        case "push":
            if t.limit.load() == t.limit.poison:
                sees(t)
        case "back-edge":
            {polls}
    return mutator(t)


def sees(t: Me) -> None:
    t.limit.swap(t.limit.real)
    bits = t.pending.swap(0)
    served(bits, t)


def poster() -> None:
    t = choose(threads())
    t.pending.fetch_or(K)
    posted(t, K)
    t.limit.store(t.limit.poison)
    {waits}
    return poster()


def scopes() -> None:
    scope("posts", poster{declared})
"""

TURN = """

def turn(t: Me) -> None:
    t.mine = t.mine + 1 & 1
    if t.mine == 1:
        pause()
        return
    if t.limit.load() == t.limit.poison:
        sees(t)
"""
POLLS = "if t.limit.load() == t.limit.poison:\n                sees(t)"


@pytest.mark.parametrize("waits", ["pause()", "wait(t.pending.load() == 0)"])
@pytest.mark.parametrize("memory", ["sc", "tso"])
@pytest.mark.parametrize(
    ("polls", "declared", "bound", "broken"),
    [
        (POLLS, "", (1, 1), ""),
        (POLLS, ", frames=1, back_edges=1", (1, 1), ""),
        ("turn(t)", "", (1, 2), ""),  # each second back-edge looks
        ("turn(t)", ", back_edges=2", (1, 2), ""),
        ("turn(t)", ", back_edges=1", (1, 2), "declared-bound"),
        ("pause()", "", (1, None), ""),  # none does: and the text does not say that one must
        ("pause()", ", frames=1", (1, None), ""),
        ("pause()", ", back_edges=9", (1, None), "declared-bound"),
    ],
)
def test_the_checks_until_a_request_is_seen_are_counted(
    polls: str, declared: str, bound: tuple[int, int | None], broken: str, memory: str, waits: str, tmp_path: Path
) -> None:
    body = CHECKED.format(polls=polls, declared=declared, waits=waits) + (TURN if polls == "turn(t)" else "")
    said = own(tmp_path, body, "--memory", memory, "--json")
    found = json.loads(said.out)
    row = found["protocol"][-1]
    assert row["bound"] == {"frames": bound[0], "back_edges": bound[1]} or broken
    assert (row["verdict"], said.code) == (("refuted", 1) if broken else ("holds", 0))
    assert (found["refuted"] or {}).get("property", "") == broken
    finite = bound[0] is not None and bound[1] is not None
    if broken and finite:  # no loop: one check more than is declared, the last one that of the last step
        assert found["refuted"]["detail"] == "T0 checks 2 times (back-edge) before it has seen K; declared is 1"
        steps = found["refuted"]["path"]
        assert sum("back-edge" in step["statement"] for step in steps) >= 2
        assert "back-edge" in steps[-1]["statement"]
        walked = CliRunner().invoke(cli, shlex.split(found["refuted"]["again"].removeprefix("safepoint ")))
        assert (
            walked.exit_code,
            walked.output.splitlines()[-1].strip().startswith("-> declared-bound: T0 checks 2"),
        ) == (1, True)


def test_a_bound_that_claims_too_little_is_said_of_the_kinds_that_have_one(tmp_path: Path) -> None:
    said = own(tmp_path, CHECKED.format(polls="turn(t)", declared=", back_edges=9", waits="pause()") + TURN, "--json")
    (line,) = json.loads(said.out)["too_weak"]
    assert line.endswith(
        ": scope posts: declared: back_edges=9, and no scope explored attains it: at most 2 (write: back_edges=2; a larger scope may need more)"
    )
    assert said.code == 0


def test_a_bound_that_is_not_kept_is_shown_with_its_loop(tmp_path: Path) -> None:
    said = own(tmp_path, CHECKED.format(polls="pause()", declared=", back_edges=1", waits="pause()"))
    assert (
        "posts-1: declared-bound: the text declares frames unbounded, back-edges 1, and has frames 1, back-edges unbounded"
        in said.out
    )
    assert "-> declared-bound: T0 checks 1 time a round (back-edge), and never sees K" in said.out
    again = shlex.split(said.out.strip().splitlines()[-1].removeprefix("again: safepoint "))
    walked = CliRunner().invoke(cli, again)
    assert walked.exit_code == 1
    assert walked.output.strip() in said.out


def test_a_text_without_checks_has_no_bound(tmp_path: Path) -> None:
    said = own(tmp_path, SERVES.format(serves=RIGHT, waits="pause()"), "--json")
    assert json.loads(said.out)["protocol"][0]["bound"] is None
