"""A harmless change of the text's shape switches no property off: what a thread does is found by word, guard and ghost.

Each text here is the right one with a statement put into a helper, or a helper's name changed; beside it, a mistake that a property
must still miss.  And a text in which a place is gone is refused, never judged by less.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from safepoint.graph.text import ProtocolError, Text
from safepoint.model.mutants import attempt
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES
from safepoint.model.system import Model
from safepoint.protocol import files

SLEEP = "        wait(t.wake.load() == 1)\n"
ASLEEP = "\n\ndef fall_asleep(t: Me) -> None:\n    wait(t.wake.load() == 1)\n"
AWAIT = "        wait(t.state.look() != MANAGED)                 # STOP-AWAITS-ALL\n"
AWAITED = "\n\ndef await_one(t: Thread) -> None:\n    wait(t.state.look() != MANAGED)\n"


def changed(tmp_path: Path, names: tuple[str, ...], old: str, new: str, more: str = "") -> Text:
    """The protocol with a change in each of these files, and more at their end."""
    ours = list(files())
    for number, path in enumerate(ours):
        if path.name in names:
            source = path.read_text(encoding="utf-8")
            assert old in source
            ours[number] = tmp_path / path.name
            ours[number].write_text(source.replace(old, new) + more, encoding="utf-8")
    return Text(tuple(ours))


@pytest.mark.parametrize(
    ("names", "old", "new", "more", "scope", "mutant", "broken"),
    [
        (("optional.py",), SLEEP, "        fall_asleep(t)\n", ASLEEP, "blocking-1", "looks-too-early", "sleeper-is-woken"),
        (("requester.py",), AWAIT, "        await_one(t)\n", AWAITED, "stop-1", "stop-published-late", "awaited-is-poisoned"),
        (("requester.py", "owner.py"), "operate(", "run_it(", "", "handshake-1", "handshake-unchecked", "handshake-alone"),
    ],
)  # fmt: skip
def test_a_helper_switches_no_property_off(
    tmp_path: Path, names: tuple[str, ...], old: str, new: str, more: str, scope: str, mutant: str, broken: str
) -> None:
    text = changed(tmp_path, names, old, new, more)
    assert attempt(Model(text, SCOPES[scope])).broken == ""
    assert attempt(Model(text, SCOPES[scope], mutant)).broken == broken


@pytest.mark.parametrize(
    ("name", "old", "new", "scope", "said"),
    [
        ("optional.py", SLEEP, "        pause()\n", "blocking-1", "no step says that a thread sleeps until it is posted to"),
        ("requester.py", AWAIT, "        pause()\n", "stop-1", "no step says that a coordinator waits for a thread"),
        ("requester.py", "    ran(HANDSHAKE, t)\n", "", "handshake-1", "no step says that an operation is being run"),
    ],
)  # fmt: skip
def test_a_text_without_the_place_is_refused(
    tmp_path: Path, name: str, old: str, new: str, scope: str, said: str
) -> None:
    text = changed(tmp_path, (name,), old, new)
    with pytest.raises(ProtocolError, match=rf"{said}.*\(write: "):
        Properties(Model(text, SCOPES[scope]))
