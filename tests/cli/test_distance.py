"""`safepoint distance`: what it prints is what its page shows, and its JSON has all of it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safepoint.cli.main import cli
from safepoint.guest.distance.measure import static_distance
from safepoint.protocol.policies import POLICIES
from safepoint.show.distance import SHOWN
from tests.guest.compiling import compiled

PAGE = (Path(__file__).parents[2] / "docs" / "distance.md").read_text(encoding="utf-8")
(TREE,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
((COMMAND, OUTPUT),) = re.findall(r"^```console\n\$ safepoint (.*?)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, *args: str) -> Result:
    monkeypatch.chdir(tmp_path)
    Path("tree.py").write_text(source, encoding="utf-8")
    return CliRunner().invoke(cli, ["distance", "tree.py", *args], prog_name="safepoint")


def test_the_page_shows_what_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command, file = shlex.split(COMMAND)
    assert (command, file) == ("distance", "tree.py")
    result = call(tmp_path, monkeypatch, TREE)
    assert (result.exit_code, result.output) == (0, OUTPUT)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_json_has_all_of_it(policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = call(tmp_path, monkeypatch, TREE, "-p", policy, "--json")
    found = json.loads(result.output)
    assert result.exit_code == 0
    assert (found["file"], found["policy"], found["values_followed"]) == ("tree.py", policy, True)
    ways = POLICIES[policy].period or 1
    loops = "back-edge" in POLICIES[policy].sites
    pushes, elsewhere = "push" in POLICIES[policy].sites, POLICIES[policy].elsewhere
    assert found["checks"] == {"frames": pushes, "back_edges": loops, "elsewhere": elsewhere, "until_seen": ways}
    lengths = {name: measured["length"] for name, measured in found["distance"].items()}
    if elsewhere == "return":  # recursion goes down without a check, and comes back by one
        assert lengths == {"frames": "depth", "back_edges": 1, "instructions": "depth", "units": None}
        assert {reason["line"] for reason in found["distance"]["frames"]["reasons"]} == {4, 9, 10}
        return
    if not pushes:  # the recursion of this program is without a check
        assert {*lengths.values()} == {None}
        return
    bound = POLICIES[policy].declared.as_json()
    assert lengths == {**bound, "instructions": "depth", "units": None}
    assert [reason["line"] for reason in found["distance"]["instructions"]["reasons"]] == [4]
    polled = (
        [] if loops else [10]
    )  # a long instruction polls as a loop does: if that sees nothing, there is a reason more
    assert [reason["line"] for reason in found["distance"]["units"]["reasons"]] == [*polled, 10]
    # where loops check nothing the way goes on, out of the function and behind the loop
    assert {step["function"] for step in found["distance"]["instructions"]["way"]} == {
        "total",
        *([] if loops else ["<module>"]),
    }


def test_the_way_is_as_long_as_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And begins where it says: the longest of this program is behind the loop."""
    source = "for i in range(3):\n    pass\nx = 1\nx = x + 1\nx = x * x\n"
    measured = static_distance(compiled(source), POLICIES["folded"]).measures["instructions"]
    assert sum(step.instructions for step in measured.way) == measured.length == 10
    said = call(tmp_path, monkeypatch, source).output
    assert "in instructions, the longest way begins behind the back-edge at line 1:\n" in said
    assert re.findall(r"^ +(\d+)  tree.py:(\d+) in <module>$", said, re.MULTILINE) == [
        ("2", "3"),
        ("3", "4"),
        ("5", "5"),
    ]


def test_what_is_too_much_to_print_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = SHOWN + 3
    said = call(tmp_path, monkeypatch, f"x = 'a' * {100}\n" + "x = x + x\n" * many).output
    assert said.count(": strings joined, of any length") == SHOWN - 1  # beside the string that is repeated
    assert f"units of bulk work: and at {many + 1 - SHOWN} more places (--json has them all)\n" in said
    assert f"on {many + 1 - SHOWN} more lines\n" in said


def test_the_stack_gives_a_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = call(tmp_path, monkeypatch, TREE, "--stack", "300").output
    assert "│ depth: 18 a frame │ 936 " in said  # 300 / 6 frames, one below them and the end: 52 times 18
