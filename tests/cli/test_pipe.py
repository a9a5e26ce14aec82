"""A pipe whose reader has gone, as behind `| head -1`: nothing is said, and the status is what a shell says of SIGPIPE.  A full device stays an error."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from safepoint.cli.status import READER_GONE
from tests.cli.broken import COMMAND

PRINTS = "i = 0\nwhile i < 100000:\n    print(i)\n    i = i + 1\n"
CATCHES = "while True:\n    try:\n        print('on')\n    except ValueError:\n        pass\n"
VM = pytest.mark.skipif(find_spec("llvmlite") is None, reason="the interpreter is not installed (pip install '.[vm]')")


ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def test_the_status_is_that_of_the_signal() -> None:
    assert READER_GONE == 128 + signal.SIGPIPE


@pytest.mark.parametrize(
    "command",
    [
        ("--help",),
        ("--version",),
        ("run", "--help"),
        ("rules",),
        ("rules", "--json"),
        ("explore", "--scope", "interrupt-1"),
        ("explore", "--scope", "interrupt-1", "--json"),
        ("emit", "--c"),
        ("distance", "prints.py"),
        ("run", "prints.py", "--machine", "reference"),
        pytest.param(("run", "prints.py"), marks=VM),
        pytest.param(("replay", "s:fib@3STOP"), marks=VM),
    ],
    ids=" ".join,
)
def test_a_reader_that_has_gone_before_the_first_word(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "prints.py").write_text(PRINTS, encoding="utf-8")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, *command],
        cwd=tmp_path, env=ENVIRONMENT, text=True, stdout=writing, stderr=subprocess.PIPE, timeout=100, check=False,
    )  # fmt: skip
    os.close(writing)
    assert (done.returncode, done.stderr) == (READER_GONE, "")


@pytest.mark.parametrize(
    "command",
    [
        ("run", "prints.py", "--machine", "reference"),
        pytest.param(("run", "prints.py"), marks=VM),
        pytest.param(("run", "catches.py"), marks=VM),
        pytest.param(("profile", "catches.py", "-o", "out.txt"), marks=VM),
    ],
    ids=" ".join,
)
def test_a_reader_that_goes_in_the_middle(command: tuple[str, ...], tmp_path: Path) -> None:
    """Also of a guest program that would print for ever."""
    (tmp_path / "prints.py").write_text(PRINTS, encoding="utf-8")
    (tmp_path / "catches.py").write_text(CATCHES, encoding="utf-8")
    with subprocess.Popen(
        [*COMMAND, *command], cwd=tmp_path, env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        try:
            assert process.stdout.readline() in ("0\n", "on\n")
            process.stdout.close()
            said = process.stderr.read()
            assert (process.wait(100), said) == (READER_GONE, "")
        finally:
            process.kill()


def test_a_reader_that_has_all_changes_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" | tail -n 1; exit 0', "sh", *COMMAND, "rules"],
        cwd=tmp_path, env=ENVIRONMENT, text=True, capture_output=True, timeout=100, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert ": " in done.stdout


def test_the_pipe_of_a_shell(tmp_path: Path) -> None:
    """`head` reads one line of many, and the command before it is silent."""
    (tmp_path / "prints.py").write_text(PRINTS, encoding="utf-8")
    done = subprocess.run(
        ["sh", "-c", '{ "$@"; echo $? >status; } | head -n 1', "sh", *COMMAND, "run", "prints.py", "--machine", "reference"],
        cwd=tmp_path, env=ENVIRONMENT, text=True, capture_output=True, timeout=100, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert (tmp_path / "status").read_text() == f"{READER_GONE}\n"
