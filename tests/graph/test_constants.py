"""A text's own constants: which of them a word's value is called by."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.graph.constants import said
from tests.model.own_worlds import text_of

OWN = Path(__file__).parents[1] / "model" / "data" / "own_texts"


@pytest.mark.parametrize(("name", "change"), [("own5", "MANAGED -> SUSPENDED"), ("own5b", "NATIVE -> PARKED")])
def test_a_path_has_the_names_of_the_text(name: str, change: str) -> None:
    """Not ours, which are other names of other values of a word that is called the same."""
    done = CliRunner().invoke(cli, ["explore", "--protocol", str(OWN / f"{name}.py")])
    assert done.exit_code == 1
    assert f"T0.state {change}" in done.output


def test_a_path_says_whose_a_word_is_as_the_text_does(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text((OWN / "ob2.py").read_text(encoding="utf-8").replace("world", "slot").replace(
        "def backup(t: Me)", "@each_thread\ndef backup(t: Thread)"), encoding="utf-8")  # fmt: skip
    arguments = ["explore", "--protocol", str(path), "--scope", "all-2"]
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    done = CliRunner().invoke(cli, [*arguments, "--mutant", "told-after-release"])
    assert (done.exit_code, "last-backup-was-told: claimed by the text" in done.output) == (1, True)
    assert "slot.message NOBODY -> INIT" in done.output
    assert "world." not in done.output


FUNCTIONS = """\
ON, OFF = 1, 0
IDLE, BUSY = 1, 2
LOW = 4


def f(t: Me) -> None:
    put(t, BUSY)
    t.y.fetch_or(A | C)
    t.x.load()
    now = state(t)
    t.i = now
    t.held.store(ON)
    t.held.store(IDLE)


def put(t: Thread, value: int) -> None:
    t.x.store(value)


def state(t: Thread) -> int:
    value = t.x.load()
    return value


def g(t: Me) -> None:
    if t.i == LOW:
        t.i = 0
"""


@pytest.mark.parametrize(
    ("word", "value", "name"),
    [
        ("x", 2, "BUSY"),  # passed as an argument
        ("x", 1, "IDLE"),  # declared together with one that is
        ("i", 2, "BUSY"),  # returned, and assigned
        ("x", 4, "LOW"),  # compared with what it is assigned to
        ("x", 0, "0"),
        ("y", 1, "A"),
        ("y", 5, "A|C"),  # bits
        ("y", 6, "B|C"),  # declared together with them
        ("y", 8, "8"),
        ("held", 1, "1"),  # two names are no name
        ("held", 0, "0"),
        ("go", 1, "1"),
    ],
)
def test_a_value_is_called_as_the_text_calls_it(word: str, value: int, name: str, tmp_path: Path) -> None:
    assert said(text_of(tmp_path, FUNCTIONS), word, value) == name
