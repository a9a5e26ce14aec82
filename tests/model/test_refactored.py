"""A harmless change of the text's shape switches no property off: what a thread does is found by word, guard and ghost.

Each text here is the right one with a statement put into a helper, or a helper's name changed; beside it, a mistake that a property
must still miss.  And a text in which a place is gone is refused, never judged by less.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from safepoint.graph.text import ProtocolError, Text
from safepoint.model.custom import read
from safepoint.model.mutants import attempt
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol import files

SLEEP = ("        wait(t.wake.load() == 1)\n", "        fall_asleep(t)\n")
ASLEEP = "\n\ndef fall_asleep(t: Me) -> None:\n    wait(t.wake.load() == 1)\n"
AWAIT = ("        wait(t.state.load() != MANAGED)                 # STOP-AWAITS-ALL\n", "        await_one(t)\n")
AWAITED = "\n\ndef await_one(t: Thread) -> None:\n    wait(t.state.load() != MANAGED)\n"


def changed(tmp_path: Path, name: str, *edits: tuple[str, str], more: str = "") -> Text:
    """The protocol with a variant of one file."""
    (source,) = (path.read_text(encoding="utf-8") for path in files() if path.name == name)
    for old, new in edits:
        assert old in source
        source = source.replace(old, new)
    (tmp_path / name).write_text(source + more, encoding="utf-8")
    return read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "edits", "more", "scope", "mutant", "broken"),
    [
        ("optional.py", (SLEEP,), ASLEEP, "blocking-1", "looks-too-early", "sleeper-is-woken"),
        ("requester.py", (AWAIT,), AWAITED, "stop-1", "stop-published-late", "awaited-is-poisoned"),
        ("requester.py", (("operate(", "run_it("),), "", "handshake-1", "handshake-unchecked", "handshake-alone"),
    ],
)
def test_a_helper_switches_no_property_off(
    tmp_path: Path, name: str, edits: tuple[tuple[str, str], ...], more: str, scope: str, mutant: str, broken: str
) -> None:
    if edits[0][0] == "operate(":  # the owner calls it too
        text = _renamed(tmp_path)
    else:
        text = changed(tmp_path, name, *edits, more=more)
    assert attempt(Model(text, SCOPES[scope])).broken == ""
    assert attempt(Model(text, SCOPES[scope], mutant)).broken == broken


def _renamed(tmp_path: Path) -> Text:
    """`operate` has another name, in both files that know it."""
    ours = []
    for path in files():
        source = path.read_text(encoding="utf-8")
        copy = tmp_path / path.name
        copy.write_text(
            source.replace("operate(", "run_it(").replace("import operate", "import run_it"), encoding="utf-8"
        )
        ours.append(copy if path.name in ("requester.py", "owner.py") else path)
    return Text(tuple(ours))


@pytest.mark.parametrize(
    ("name", "edit", "scope", "said"),
    [
        ("optional.py", (SLEEP[0], "        pause()\n"), "blocking-1", "no step says that a thread sleeps until it is posted to"),
        ("requester.py", (AWAIT[0], "        pause()\n"), "stop-1", "no step says that a coordinator waits for a thread"),
        ("requester.py", ("    ran(HANDSHAKE, t)\n", ""), "handshake-1", "no step says that an operation is being run"),
    ],
)  # fmt: skip
def test_a_text_without_the_place_is_refused(
    tmp_path: Path, name: str, edit: tuple[str, str], scope: str, said: str
) -> None:
    text = changed(tmp_path, name, edit)
    with pytest.raises(ProtocolError, match=rf"{said}.*\(write: "):
        Properties(Model(text, SCOPES[scope]))
