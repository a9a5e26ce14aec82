"""docs/judge-your-own.md shows the files that the tests run, and what the commands print."""

from __future__ import annotations

import re
import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.conform.claims import CLAIMS
from safepoint.conform.judge import hold
from safepoint.conform.programs import BLOCKED, PROGRAMS
from safepoint.conform.runs import Runs
from safepoint.conform.schedules import ANY_SCHEDULE
from safepoint.conform.target import ABILITIES
from tests.conform import twins

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "judge-your-own.md").read_text(encoding="utf-8")
LUA = find_spec("lupa") is not None and shutil.which("cc") is not None


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_page_shows_the_adapters_and_lua_has_60_lines() -> None:
    toy, lua, _ = blocks("python")
    assert toy in (HERE / "toy.py").read_text(encoding="utf-8")
    assert lua == (HERE / "adapters" / "lua.py").read_text(encoding="utf-8")
    assert len([line for line in lua.splitlines() if line]) <= 60
    assert blocks("c") == [(HERE / "adapters" / "lua_shim.c").read_text(encoding="utf-8")]


def test_the_first_section_says_that_the_programs_may_be_translated() -> None:
    first = PAGE.partition("\n## ")[0]
    assert re.search(r"need not be Python: .*\bname\b.*`file`.*\(#lua\)", first, re.DOTALL)


@pytest.mark.parametrize("block", blocks("console"), ids=lambda b: b.splitlines()[0].rpartition(":")[2])
def test_each_output_is_what_the_command_prints(block: str) -> None:
    command, _, shown = block.partition("\n")
    if "lua" in command and not LUA:
        pytest.skip("lupa or a C compiler is not installed (pip install '.[targets]')")
    result = CliRunner().invoke(cli, shlex.split(command.removeprefix("$ safepoint ")))
    assert result.output == shown
    assert result.exit_code == int(" is refuted: " in shown)


def shape(report: str) -> set[str]:
    """Its lines without the schedule, which depends on more than the VM: hypothesis draws from the constants of what is imported."""
    report = re.sub(r"STOP|INTERRUPT|HANDSHAKE", "KIND", re.sub(r"(shortest)?  +state\..*", "", report))
    report = re.sub(r"(, KIND after \d+ steps)+", ", …", report)
    return {re.sub(r"\d+|(?<=program   )\S+", "…", line).strip() for line in report.splitlines()}


def test_the_shrunk_schedule_is_as_pytest_prints_it() -> None:
    (shown,) = blocks("text")
    found = hold(ANY_SCHEDULE, Runs(twins.OneShot()), "tests.conform.twins:OneShot").report
    assert shape(found) == shape(shown)
    for report in (found, shown):
        assert re.search(r"  shortest  state\.load\(name='[\w-]+'\)\n( {12}state\.\w+\(.*\)\n){2,}  repeat ", report)


def test_the_page_has_every_ability_and_counts_right() -> None:
    assert re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE) == list(ABILITIES.items())
    assert "which of twenty claims hold" in PAGE
    assert len(CLAIMS) == 20
    assert "There are eleven" in PAGE
    assert len([*PROGRAMS, BLOCKED]) == 11
