"""The command line: exit statuses, one clear error each, and nothing heavy at start-up."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from safepoint.cli.main import cli
from safepoint.graph.gather import text_of
from safepoint.graph.text import Text
from safepoint.model.memory.names import SC
from safepoint.model.mutants import all_mutants, beyond
from safepoint.model.scopes import chosen
from safepoint.protocol.policies import FOLDED, PATCHED, POLICIES
from safepoint.protocol.rules import RULES
from safepoint.verify.explore import shown_beyond, unexplored
from safepoint.verify.rows import ScopeRow
from tests.model.pinned import CAUGHT

ROOT = Path(__file__).parents[2]


def call(*args: str) -> Result:
    return CliRunner().invoke(cli, args, prog_name="safepoint")


@pytest.mark.parametrize("mutant", Text().mutants)
def test_a_mutant_prints_its_interleaving_and_exits_1(mutant: str) -> None:
    """In the scope that catches it: that it is the first to do so is for `test_model` to show."""
    scope, memory, _ = CAUGHT[mutant]
    result = call("explore", "--mutant", mutant, "--scope", scope, "--memory", memory)
    assert result.exit_code == 1
    assert f"mutant {mutant} of rule" in result.output
    string = result.output.strip().splitlines()[-1].removeprefix("again: safepoint replay '").rstrip("'")
    again = call("replay", string)
    assert again.exit_code == 1
    assert again.output.strip() in result.output


@pytest.mark.parametrize(("mutant", "where"), [("stop-without-park", "stop-1"), ("test-before-take", "interrupt-1")])
def test_a_mutant_is_hunted_through_the_scopes_and_memory_models(mutant: str, where: str) -> None:
    result = call("explore", "--mutant", mutant)
    assert result.exit_code == 1
    assert f"scope {where} (" in result.output


def test_explore_holds() -> None:
    result = call("explore", "--scope", "interrupt-1", "--json")
    (row,) = json.loads(result.output)["protocol"]
    assert result.exit_code == 0
    assert (row["policy"], row["memory"], row["verdict"]) == ("folded", "sc", "holds")
    assert row["bound"] == {"frames": 1, "back_edges": 1}


@pytest.mark.parametrize(
    ("mutant", "scope"), [("poison-before-post", "interrupt-1"), ("looks-too-early", "blocking-1")]
)
def test_the_json_of_a_refutation_can_be_replayed(mutant: str, scope: str) -> None:
    result = call("explore", "--mutant", mutant, "--scope", scope, "--json")
    found = json.loads(result.output)
    assert result.exit_code == 1
    assert found["protocol"][-1]["verdict"] == "refuted"
    refuted = found["refuted"]
    assert refuted["property"] == CAUGHT[mutant][2]
    said = call(*shlex.split(refuted["again"])[1:])
    assert said.exit_code == 1
    assert refuted["again"] == f"safepoint replay '{refuted['replay']}'"
    lines = [line for line in said.output.splitlines() if re.match(r" *\d+  ", line)]
    assert len(lines) == len(refuted["path"]) > 0
    for line, step in zip(lines, refuted["path"], strict=True):
        assert f"{step['file'].removesuffix('.py')}:{step['line']}  " in line
        assert step["statement"] in line
        assert step["who"] in said.output.splitlines()[0]
        assert all(f"{change['word']} " in line for change in step["changes"])


def test_of_what_holds_the_json_has_no_refutation() -> None:
    found = json.loads(call("explore", "--scope", "interrupt-1", "--json").output)
    assert (found["refuted"], found["survived"]) == (None, None)


def test_a_mutant_that_survives_is_said_to() -> None:
    """It does not hold: it is a mistake that these scopes do not show."""
    result = call("explore", "--scope", "interrupt-1", "--mutant", "no-recheck")
    assert result.exit_code == 0
    assert result.output.endswith(
        "\nmutant no-recheck of rule REENTER-LOOKS-AGAIN survived: no property is broken here\n"
    )
    assert "holds" not in result.output
    found = json.loads(call("explore", "--scope", "interrupt-1", "--mutant", "no-recheck", "--json").output)
    assert found["survived"] == "no-recheck"
    among = len(chosen("tiny", slices=FOLDED.slices))
    assert found["left_out"] == {
        "scopes": f"1 of {among} of tiny explored: another may show more (write: --scope tiny)"
    }


@pytest.mark.parametrize(
    ("explored", "threads", "said"),
    [
        ("tiny", None, "explored with at most 1: 2 may show more (write: --scope small)"),
        ("small", None, "explored with at most 2: 3 may show more (write: --scope nightly)"),
        ("small", 1, "explored with at most 1: 2 may show more (write: --scope small)"),
        ("nightly", None, None),
    ],
)
def test_of_a_mutant_that_survives_it_is_said_where_more_threads_are(
    explored: str, threads: int | None, said: str | None
) -> None:
    about = unexplored(text_of(FOLDED), chosen(explored, threads, FOLDED.slices), FOLDED, "no-recheck")
    assert about == (said and ("threads", said))
    assert unexplored(text_of(FOLDED), chosen(explored, threads), FOLDED, "") is None


def test_of_a_mutant_that_only_one_scope_shows_the_command_is_said() -> None:
    """The one that `safepoint rules CODE-IS-CLAIMED` prints.  Three threads are needed for it."""
    mutant, scope = "one-claim-for-all", "loops-1"
    options = ("explore", "-p", "patched", "--scope", scope, "--mutant", mutant)
    command = f"safepoint explore -p patched --mutant {mutant} --scope loops-3"
    said = f"the one that shows this mutant (write: {command})"
    assert json.loads(call(*options, "--json").output)["left_out"]["scopes"] == said
    assert said in " ".join(call(*options).output.split())
    assert f"broken by: {command}\n" in call("rules", "CODE-IS-CLAIMED").output
    row = ScopeRow(
        policy="patched",
        memory=SC,
        threads=3,
        scope="loops-3",
        states=1,
        transitions=0,
        depth=0,
        seconds=0,
        verdict="holds",
        bound=None,
    )
    assert shown_beyond([row], text_of(PATCHED), PATCHED, mutant) is None
    assert shown_beyond([], text_of(PATCHED), PATCHED, "looks-at-none") is None


def test_a_path_that_was_wrapped_is_one() -> None:
    string = call("explore", "--mutant", "poison-before-post", "--json").output
    replay = json.loads(string)["refuted"]["replay"]
    assert call("replay", f"{replay[:20]}\n{replay[20:]}").output == call("replay", replay).output


GUESTS: dict[str, tuple[bytes, str]] = {
    "subset": (b"x = 1\ny = {1: 2}\n", "guest.py:2:5: "),
    "nul": (b"x = 1\0\n", "guest.py:1:"),
    "encoding": (b"# coding: nope\nx = 1\n", "guest.py:1:"),
    "utf-8": (b"x = '\xff'\n", "guest.py:1:"),
    "nesting": (b"x = " + b"(" * 10_000 + b"1" + b")" * 10_000, "guest.py:1:"),
    "minuses": (b"x = " + b"-" * 10_000 + b"1", "guest.py:1:"),
    "sums": (b"x = 1" + b" + 1" * 10_000, "guest.py:1:"),
    "blocks": (b"".join(b" " * i + b"if 1:\n" for i in range(10_000)), "guest.py:"),
    "number": (b"x = 4611686018427387904\n", "guest.py:1:5: "),
}


@pytest.mark.parametrize("name", GUESTS)
@pytest.mark.parametrize("machine", ["vm", "reference"])
def test_a_program_outside_the_subset_does_not_run(name: str, machine: str, tmp_path: Path) -> None:
    source, place = GUESTS[name]
    path = tmp_path / "guest.py"
    path.write_bytes(source)
    result = call("run", str(path), "--machine", machine)
    assert result.exit_code == 2
    assert re.match(rf"safepoint: .*{re.escape(place)}", result.output), result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_explains_itself(rule: str) -> None:
    """In any case."""
    result = call("rules", rule.lower())
    assert result.output == call("rules", rule).output
    assert result.exit_code == 0
    assert RULES[rule].text in result.output
    mutants = [(policy.name, mutant.name) for policy, mutant in all_mutants() if mutant.rule == rule]
    assert mutants
    for policy, mutant in mutants:
        option = "" if policy == "folded" else f"-p {policy} "
        assert (
            f"    broken by: safepoint explore {option}--mutant {mutant}{beyond(POLICIES[policy], mutant)}\n"
            in result.output
        )
    assert f"    run its tests: pytest --rule {rule}\n" in result.output


def test_rules_as_json_have_the_documented_shape() -> None:
    rows = json.loads(call("rules", "--json").output)
    assert [row["id"] for row in rows] == list(RULES)
    for row in rows:
        assert {"id", "title", "text", "source", "checks", "mutants"} <= set(row)
        assert re.search(r"\bMUST\b", row["text"])
        assert row["checks"]
        assert row["mutants"]


def test_each_command_has_a_summary_that_is_not_cut() -> None:
    """In a terminal of 80 columns; one line each."""
    shown = CliRunner().invoke(cli, ["--help"], terminal_width=80).output.partition("Commands:\n")[2]
    lines = [line.split(maxsplit=1) for line in shown.splitlines()]
    assert [name for name, *_ in lines] == cli.list_commands(click.Context(cli))
    for _, *said in lines:
        assert said
        assert re.fullmatch(r"[A-Z].*[.?]", said[0])
        assert "..." not in said[0]
    assert max(map(len, shown.splitlines())) <= 80


def test_help_imports_nothing_heavy() -> None:
    """Counted, not timed: what `--help` imports beside the standard library and click."""
    script = (
        "import sys; from click.testing import CliRunner; from safepoint.cli.main import cli\n"
        "assert CliRunner().invoke(cli, ['--help']).exit_code == 0\n"
        "print([m for m in ('rich', 'llvmlite', 'numpy', 'pytest', 'safepoint.model.explore') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"


def test_the_reference_machine_runs_a_program(tmp_path: Path) -> None:
    path = tmp_path / "guest.py"
    path.write_text("def f(n):\n    return 7 // n\n\nprint(f(2))\nprint(f(0))\n", encoding="utf-8")
    result = call("run", str(path), "--machine", "reference")
    assert result.exit_code == 1
    assert result.output.startswith("3\nTraceback (most recent call last):\n")
    assert result.output.endswith("ZeroDivisionError: integer division or modulo by zero\n")
