"""`safepoint bench`: which interpreters and programs it finds, the rows of a run, and each mistake in one line.  No time is compared."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safepoint.bench import sizes
from safepoint.bench.languages import LANGUAGES, NAMED, OURS, REFERENCE
from safepoint.bench.run import chosen
from safepoint.bench.sizes import SIZES, Sizes
from safepoint.cli.main import cli
from safepoint.show.bench_page import BLOCKS
from tests.cli.begun import begun, ended

pytest.importorskip("llvmlite", reason="the interpreter is not installed (pip install '.[vm]')")

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "performance.md"
WITH_LUAJIT = pytest.mark.skipif(not NAMED[REFERENCE].installed, reason="luajit is not installed")


def call(*args: str) -> Result:
    return CliRunner().invoke(cli, args, prog_name="safepoint")


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`fib` is a tenth as long: for tests that look at neither its size nor its time."""
    programs = tmp_path / "programs"
    shutil.copytree(sizes.PROGRAMS, programs)
    for file in programs.glob("fib.*"):
        file.write_text(sizes.source("fib", file.suffix[1:], SIZES["fib"].less))
    monkeypatch.setattr(sizes, "PROGRAMS", programs)


@WITH_LUAJIT
@pytest.mark.usefixtures("short")
def test_a_quick_run_of_one_program_has_its_rows() -> None:
    """The whole of it, with real processes: and a word for each: three interpreters, each twice empty and once not."""
    result = call("bench", "fib", "--quick", "-i", "luajit")
    assert result.exit_code == 0, result.stderr
    lines = [re.sub(r"\W+", " ", line).split() for line in result.stdout.splitlines()]
    assert sum(line[:1] == ["fib"] for line in lines) == 2, "a row of ratios, one of superinstructions"
    assert sum(line[:2] == ["geometric", "mean"] for line in lines) == 2
    assert "; 2 rounds.\n" in result.stdout
    for name in (REFERENCE, "luajit"):
        assert re.search(rf"^safepoint is slower than {name} in (0 of 1|1 of 1: fib)\.$", result.stdout, re.MULTILINE)
    assert re.search(r"^rounds: 18 done in \d+ s; last: round 2: start, safepoint$", result.stderr, re.MULTILINE)


@WITH_LUAJIT
def test_the_json_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A smaller size of CPython too, in a tenth of the time."""
    monkeypatch.setitem(SIZES, "fib", Sizes(less=25, tiny=12))
    result = call("bench", "fib", "--rounds", "1", "-i", "cpython", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert [each["name"] for each in found["interpreters"]] == [OURS, REFERENCE, "cpython"]
    assert [each["smaller"] for each in found["interpreters"]] == [False, False, True]
    assert found["rounds"] == 1
    assert found["left_out"] == {}
    (row,) = found["programs"]
    assert (row["program"], row["size"], row["smaller"]) == ("fib", 37, 25)
    assert list(row["ratios"]) == list(found["mean"]["ratios"]) == [OURS, "cpython"]
    for ratio in (*row["ratios"].values(), *(each["ratio"] for each in row["optimisations"].values())):
        assert 0 < ratio["least"] == ratio["median"] == ratio["most"], "of one round"
    assert found["slower"].keys() == {REFERENCE, "cpython"}


def test_those_are_found_that_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [language.name for language in LANGUAGES]
    monkeypatch.setattr(
        "safepoint.bench.languages.shutil.which", lambda name: None if name in ("ruby", "pypy3") else name
    )
    here, missing = chosen([])
    assert [each.name for each in missing] == ["pypy", "ruby"]
    assert [each.name for each in here] == [name for name in names if name not in ("pypy", "ruby")]
    here, missing = chosen(["lua 5.4"])
    assert ([each.name for each in here], missing) == ([OURS, REFERENCE, "lua 5.4"], [])
    assert REFERENCE in names


def mistake(*args: str) -> str:
    """What is said of it, in one line."""
    result = call("bench", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line


def test_an_interpreter_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safepoint.bench.languages.shutil.which", lambda name: None if name == "pypy3" else name)
    assert mistake("-i", "pypy") == "safepoint: pypy: not installed (install pypy3, or leave it out)"
    monkeypatch.setattr("safepoint.bench.languages.shutil.which", lambda name: None if name == "luajit" else name)
    said = "safepoint: luajit -joff: not installed, and all are compared with it (install luajit)"
    assert mistake() == said
    assert mistake("-i", "pypy") == said


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("fbi",), "no program 'fbi'; did you mean fib?"),
        (("fib", "no such"), f"no program 'no such'; there are: {', '.join(SIZES)}"),
        (("-i", "lua"), "no interpreter 'lua'; did you mean luajit -joff or luajit or lua 5.4?"),
        (("-i", "perl"), f"no interpreter 'perl'; there are: {', '.join(NAMED)}"),
        (("--rounds", "0"), "Invalid value for '--rounds': 0 is not in the range x>=1 (see: safepoint bench --help)"),
        (("--rounds", "3", "--quick"), "--rounds would be ignored: --quick is 2 rounds (leave it out)"),
        (("--page", str(PAGE), "fib"), "--page has all programs and interpreters (leave out PROGRAM and --interpreter, or --page)"),
        (("--page", "none.md"), "none.md: cannot be read: [Errno 2] No such file or directory: 'none.md' (name a page that has the markers, such as docs/performance.md)"),
        (("--page", "page.md"), "page.md: must have the line <!-- made by safepoint bench: ratios --> once, and behind it <!-- end --> (docs/performance.md has)"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, tuple) else "",
)  # fmt: skip
def test_a_mistake_is_said_before_any_time_is_taken(
    args: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.md").write_text("a page without markers\n")
    monkeypatch.setattr("safepoint.bench.run.run", lambda *_: pytest.fail("it has begun to measure"))
    assert mistake(*args) == f"safepoint: {said}"
    assert [file.name for file in tmp_path.iterdir()] == ["page.md"]


@WITH_LUAJIT
def test_programs_that_differ_are_no_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(sizes.PROGRAMS, tmp_path, dirs_exist_ok=True)
    (tmp_path / "fib.lua").write_text("local N = 37\nprint(N)\n")
    monkeypatch.setattr(sizes, "PROGRAMS", tmp_path)
    said = call("bench", "fib", "-i", "luajit").stderr
    assert said.splitlines()[-1].endswith(f"{REFERENCE} prints '32', {OURS} '2178309': the programs are not the same")


@WITH_LUAJIT
def test_control_c_ends_the_program_that_is_under_way() -> None:
    """Its process, too: it would run on for seconds, and is sent no signal here."""
    process = begun("-", "bench", "fib", "-i", "cpython")
    until = time.monotonic() + 60
    while not (running := programs_of(process.pid)) and time.monotonic() < until:
        time.sleep(0.01)
    assert running
    process.send_signal(signal.SIGINT)
    assert ended(process) == (130, "")
    assert not [child for child in running if "fib-" in command_of(child)]


def programs_of(pid: int) -> list[int]:
    """The guest programs that a process runs."""
    found = Path(f"/proc/{pid}/task/{pid}/children")
    children = [int(child) for child in found.read_text().split()] if found.exists() else []
    return [child for child in children if "fib-" in command_of(child)]


def command_of(pid: int) -> str:
    """Its command line; "": it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


@WITH_LUAJIT
@pytest.mark.usefixtures("short")
def test_a_page_gets_its_tables_and_keeps_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one program, in two interpreters: as if there were no more."""
    for name in reversed([*SIZES][1:]):  # they are put back the other way round: in the order that other tests know
        monkeypatch.delitem(SIZES, name)
    two = tuple(NAMED[name] for name in (OURS, REFERENCE))
    monkeypatch.setattr("safepoint.bench.languages.LANGUAGES", two)
    monkeypatch.setattr("safepoint.bench.run.LANGUAGES", two)
    page = tmp_path / "page.md"
    begins = [f"<!-- made by safepoint bench: {name} -->" for name in BLOCKS]
    page.write_text("Before.\n" + "".join(f"{begin}\nold\n<!-- end -->\nBehind.\n" for begin in begins))
    result = call("bench", "--rounds", "1", "--page", str(page))
    assert result.exit_code == 0, result.stderr
    found = re.fullmatch(
        r"Before\.\n" + "".join(rf"{begin}\n(.*)<!-- end -->\nBehind\.\n" for begin in begins),
        page.read_text(),
        re.DOTALL,
    )
    assert found
    first, *others = found.groups()
    columns_of = [("| program | safepoint |", first), *(("| program | with / without |", each) for each in others)]
    for columns, block in columns_of:
        assert columns in block
        assert re.search(r"^\| fib \| [\d.]+ \([\d.]+\.\.[\d.]+\) \|", block, re.MULTILINE)
        assert "old" not in block
