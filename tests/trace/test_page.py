"""docs/trace.md: its C is compiled and run, what it writes is judged, and its tables are those of the program."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safepoint.cli.main import cli
from safepoint.protocol.policies import POLICIES
from safepoint.trace.events import EVENTS
from safepoint.trace.layout import VARIANTS
from safepoint.trace.lines import RULES, VERSION, Header

PAGE = (Path(__file__).parents[2] / "docs" / "trace.md").read_text(encoding="utf-8")
CC = shutil.which("cc")
needs_cc = pytest.mark.skipif(CC is None, reason="no C compiler: docs/trace.md's example is not compiled (install cc)")


def traced(directory: Path, *options: str) -> tuple[Path, Result]:
    """The example, compiled and run; and the verdict on what it wrote."""
    vm, before, after = re.findall(r"^```c\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    source, program, trace = (directory / name for name in ("tiny.c", "tiny", "run.trace"))
    source.write_text(before + vm + after)
    flags = ("-std=gnu11", "-O2", "-Wall", "-Werror", "-pthread", *options)
    subprocess.run([str(CC), *flags, str(source), "-o", str(program)], check=True, timeout=60)
    with trace.open("wb") as file:
        subprocess.run([str(program)], stdout=file, check=True, timeout=60)
    return trace, CliRunner().invoke(cli, ["accept", str(trace)])


@needs_cc
def test_the_example_is_a_run_of_the_protocol(tmp_path: Path) -> None:
    trace, result = traced(tmp_path)
    assert result.exit_code == 0, result.output
    assert trace.read_bytes().count(b'"posted"') == 200
    assert "not judged: woken is not logged: whether a sleeper is woken" in result.output


@needs_cc
def test_the_example_that_forgets_is_refused(tmp_path: Path) -> None:
    _, result = traced(tmp_path, "-DFORGETS=1")
    assert result.exit_code == 1
    first, rule, instead, *_ = result.output.splitlines()
    shown = re.search(r"^    refused: run\.trace:\d+: (.*)\n    (  .*)\n    (  .*)\n", PAGE, re.MULTILINE)
    assert shown is not None
    assert first.endswith("no run of the protocol explains it")
    assert (rule, instead) == (shown[2], shown[3])


def test_the_heart_of_the_example_is_short() -> None:
    vm = re.search(r"/\* The VM\..*?```", PAGE, re.DOTALL)
    assert vm is not None
    assert sum("STAMP" in line or "LOG" in line for line in vm[0].splitlines()) <= 10


def test_the_table_of_events_is_that_of_the_structs() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `") and line.count("|") == 5]
    expected = [
        f"| `{kind}` | {', '.join(f'`{name}`' for name in cls.__struct_fields__[5:])} | {' '.join((cls.__doc__ or '').split())} | {cls.unjudged} |"
        for kind, cls in EVENTS.items()
    ]
    assert rows == expected


def test_the_table_of_the_header_has_every_field() -> None:
    fields = {
        name for row in PAGE.splitlines() if row.count("|") == 3 for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert fields == {*Header.__struct_fields__} - {"seq", "chain"}
    assert f'`"safepoint-trace"`, {VERSION}, {RULES} |' in PAGE
    assert all(f"`{variant}`" in PAGE for variant in VARIANTS)
    (policy,) = (row for row in PAGE.splitlines() if row.startswith("| `policy`"))
    assert all(f"`{name}`" in policy for name in POLICIES)
