"""The bench's programs: one in each language, in the same size, and all print the same as CPython, whose output is what it must be."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from safepoint.bench import switched
from safepoint.bench.children import BenchError, Outputs, check, programs, ran
from safepoint.bench.languages import LANGUAGES, NAMED, OURS, REFERENCE, Language
from safepoint.bench.sizes import EMPTY, PROGRAMS, SIZES, full, source
from safepoint.verify.report import Quiet

SUFFIXES = {language.suffix for language in LANGUAGES}
CPYTHON = NAMED["cpython"]
KNOWN = {
    "fib": "144",
    "while": "\n".join([str(1000 * 999 // 2)] * 2),
    "for": "\n".join([str(1000 * 999 // 2)] * 3),
    "nested": str(30 * (100 * 99 // 2)),
    "sieve": "168",  # primes up to 1000
    "trees": str(2**13 - 1),  # nodes of a tree of depth 12
    "queens": "10",  # ways on a board of 5
    "churn": "\n".join(str(200 * (k + 2)) for k in range(4)),
}
"""What programs must print in their tiny size, by arithmetic or by heart.  The others have only the four languages to agree."""


@cache
def expected(program: str) -> str:
    """What CPython prints."""
    text = source(program, "py", SIZES[program].tiny)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


@pytest.mark.parametrize("program", KNOWN)
def test_cpython_prints_what_it_must(program: str) -> None:
    assert expected(program) == f"{KNOWN[program]}\n"


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.name)
def test_each_language_prints_what_cpython_prints(language: Language) -> None:
    if not language.installed:
        pytest.skip(f"{language.name} is not installed: there is no {language.command[0]}")
    with programs() as files:
        said = {program: files.run(language, program, SIZES[program].tiny).output for program in SIZES}
        assert files.run(language, EMPTY).output == ""
    assert said == {program: expected(program) for program in SIZES}


def test_no_optimisation_changes_an_output() -> None:
    ours = switched.ours()
    for program, sizes in SIZES.items():
        steps = switched.measure(ours, [program], 1, Quiet(), sizes.tiny)
        assert list(steps) == ["superinstructions", "compiled code"]
        assert all(len(found.on[program]) == len(found.off[program]) == 1 for found in steps.values())


def test_every_program_is_there_in_every_language_and_in_one_size() -> None:
    assert {file.name for file in PROGRAMS.iterdir()} == {f"{name}.{suffix}" for name in SIZES for suffix in SUFFIXES}
    for name, sizes in SIZES.items():
        (size,) = {full(name, suffix) for suffix in SUFFIXES}
        assert sizes.tiny < sizes.less < size


def test_a_size_takes_the_place_of_the_files() -> None:
    for suffix in SUFFIXES:
        before, after = (source("fib", suffix, size).splitlines() for size in (None, 5))
        assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
            (line, line.replace("37", "5")) for line in before if "37" in line
        ]


def test_what_makes_a_comparison_worthless_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BenchError, match=r"ended with 3: .*why"):
        ran([sys.executable, "-c", "import sys; sys.stderr.write('why'); sys.exit(3)"])
    with pytest.raises(BenchError, match=r"took more than 0\.2 s"):
        ran([sys.executable, "-c", "import time; time.sleep(60)"], patience=0.2)
    outputs = Outputs()
    outputs.compare(CPYTHON, "fib", 5, "5\n")
    outputs.compare(NAMED[OURS], "fib", 6, "8\n")
    with pytest.raises(BenchError, match=rf"fib: {REFERENCE} prints '6', cpython '5': the programs are not the same"):
        outputs.compare(NAMED[REFERENCE], "fib", 5, "6\n")
    with pytest.raises(BenchError, match="trees: cpython prints ''"):
        outputs.compare(CPYTHON, "trees", None, "")
    monkeypatch.setattr("safepoint.bench.sizes.PROGRAMS", tmp_path)
    (tmp_path / "fib.py").write_text("print(1)\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"fib\.py: there must be one line `N = …`"):
        source("fib", "py")


def test_the_check_before_the_timing_compares_all_languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of another language that is another program."""
    monkeypatch.setattr("safepoint.bench.sizes.PROGRAMS", tmp_path)
    (tmp_path / "fib.py").write_text("N = 37\nprint(N)\n", encoding="utf-8")
    (tmp_path / "fib.other").write_text("N = 37\nprint(N + 1)\n", encoding="utf-8")
    other = Language("other", "other", CPYTHON.command, "O")
    with programs() as files:
        check([CPYTHON, CPYTHON], ["fib"], files, Quiet())
        with pytest.raises(BenchError, match="fib: other prints '33', cpython '32'"):
            check([CPYTHON, other], ["fib"], files, Quiet())
