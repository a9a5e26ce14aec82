"""`safepoint distance`: what it prints is what its page shows, and its JSON has all of it; with and without an interpreter that compiles."""

from __future__ import annotations

import json
import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safepoint.cli.main import cli
from safepoint.guest.distance.measure import static_distance
from safepoint.protocol.policies import POLICIES
from safepoint.show.distance import SHOWN
from tests.guest.compiling import compiled

PAGE = (Path(__file__).parents[2] / "docs" / "distance.md").read_text(encoding="utf-8")
PROGRAMS = TREE, COUNT = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SHOWN_ON_PAGE = re.findall(r"^```console\n\$ safepoint (.*?)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
VM = pytest.mark.skipif(find_spec("llvmlite") is None, reason="the interpreter is not installed (pip install '.[vm]')")
STRAIGHT = "compiled-loop-jumps-straight"


def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, *args: str) -> Result:
    monkeypatch.chdir(tmp_path)
    Path("tree.py").write_text(source, encoding="utf-8")
    return CliRunner().invoke(cli, ["distance", "tree.py", *args], prog_name="safepoint")


@VM
@pytest.mark.parametrize("number", [0, 1])
def test_the_page_shows_what_is_printed(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line, output = SHOWN_ON_PAGE[number]
    assert len(SHOWN_ON_PAGE) == 2
    command, file, *options = shlex.split(line)
    assert (command, file) == ("distance", ["tree.py", "count.py"][number])
    monkeypatch.chdir(tmp_path)
    Path(file).write_text(PROGRAMS[number], encoding="utf-8")
    result = CliRunner().invoke(cli, [command, file, *options], prog_name="safepoint")
    assert (result.exit_code, result.output) == ([0, 1][number], output)


@VM
def test_the_json_has_the_compiled_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = json.loads(call(tmp_path, monkeypatch, TREE, "--json").output)
    compiled = found["installed"]
    assert (compiled["judged"], compiled["why_not"], compiled["differences"]) == (True, "", [])
    for name, measured in compiled["distance"].items():
        assert measured["length"] == found["distance"][name]["length"]
    module, total = compiled["functions"]
    assert [(each["function"], each["line"], each["compiled"], each["interpreted"]) for each in (module, total)] == [
        ("<module>", 1, True, []),
        ("total", 1, True, []),
    ]
    assert (module["frame_pushes"], total["frame_pushes"], total["back_edges"]) == ([9, 10], [4, 4], [])
    (loop,) = module["back_edges"]
    assert (loop["line"], loop["opcode"]) == (8, "FOR_RANGE")
    assert loop["ways"] == ["by the interpreter", "through its entry of the dispatch table"]


@VM
def test_compiled_code_that_is_not_as_its_bytecode_is_refuted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = call(tmp_path, monkeypatch, COUNT, "--mutant", STRAIGHT, "--json")
    found = json.loads(result.output)
    assert result.exit_code == 1
    assert found["distance"]["back_edges"]["length"] == 1
    assert found["installed"]["distance"]["back_edges"]["length"] is None
    assert {each["line"] for each in found["installed"]["differences"]} == {2}


@VM
def test_a_difference_has_the_words_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "items = [1, 2]\nfor number in range(9):\n    copy = items + items\n"
    said = call(tmp_path, monkeypatch, source, "--mutant", STRAIGHT).output
    differences = re.findall(r"^compiled: tree.py:2: (.*) unbounded as compiled", said, re.MULTILINE)
    measures = re.findall(r"^│ (\S[^│]*?) +│ [^│]*│ unbounded", said, re.MULTILINE)
    assert {*differences} == {*measures, "counted units of bulk work"}
    assert "units of bulk work" in measures


@VM
def test_a_mutant_without_compiled_code_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = call(tmp_path, monkeypatch, COUNT, "--mutant", STRAIGHT, "-p", "cpython")
    assert result.exit_code == 2
    assert "there is no compiled code to judge: nothing is compiled" in result.output
    result = call(tmp_path, monkeypatch, COUNT, "--mutant", "compiled-loop-jumps")
    assert result.exit_code == 2
    assert f"did you mean {STRAIGHT}" in result.output


@VM
@pytest.mark.parametrize("mutant", ["looks-too-early", "install-makes-real"])
def test_a_mutant_that_is_in_nothing_that_is_looked_at_is_refused(
    mutant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one is in a way out of guest code; the other leaves entries real for a request that came before."""
    result = call(tmp_path, monkeypatch, COUNT, "--mutant", mutant)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"safepoint: mutant {mutant}: nothing that is looked at here has it"
        " (leave out --mutant, or try `safepoint replay` or `safepoint explore`)\n"
    )


@VM
def test_back_edges_that_are_left_to_the_interpreter_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There are 64 entries (`records.LOOPS`)."""
    source = "for i in range(2):\n    pass\n" * 67
    said = call(tmp_path, monkeypatch, source).output
    assert ": 0 frame pushes and 67 back-edges (64 compiled, 3 interpreted), all checked; no way is longer\n" in said


def test_without_the_interpreter_it_says_that_its_code_was_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: str) -> None:
        raise ImportError("No module named 'llvmlite'")

    monkeypatch.setattr("safepoint.cli.distance.entry_point", missing)
    why = "the interpreter cannot run: No module named 'llvmlite' (pip install llvmlite)"
    result = call(tmp_path, monkeypatch, TREE)
    assert result.exit_code == 0
    assert result.output.endswith(f"\ncompiled code is not judged: {why}\n")
    assert "as compiled" not in result.output
    compiled = json.loads(call(tmp_path, monkeypatch, TREE, "--json").output)["installed"]
    assert (compiled["judged"], compiled["why_not"], compiled["distance"]) == (False, why, None)
    assert {each["why_not"] for each in compiled["functions"]} == {why}


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
