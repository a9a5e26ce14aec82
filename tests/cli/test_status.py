"""Exit statuses of the real process: 1 is a refutation and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.graph.text import ProtocolError

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-c", "from safepoint.cli.main import main; main()")


def test_control_c_exits_130() -> None:
    """In a search that takes minutes.  A shell that begins a job in the background ignores the signal for it: not here."""
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); " + COMMAND[-1]
    command = [*COMMAND[:-1], heard, "explore", "--scope", "nightly"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        try:
            said, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in said


def test_a_reader_that_goes_away_is_not_a_refutation() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, "rules"], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (2, "")


def test_a_defect_is_not_a_refutation(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("safepoint.verify.explore.explore", broken)
    result = CliRunner().invoke(cli, ["explore"])
    assert result.exit_code == 2
    assert "RuntimeError: a defect" in result.output


@pytest.mark.parametrize(
    ("place", "args"),
    [
        ("safepoint.verify.explore.decide", ["explore"]),
        ("safepoint.model.path.replay", ["replay", "m:x"]),
        ("safepoint.verify.run.run", ["verify"]),
    ],
)
def test_an_error_of_the_text_is_one_line_everywhere(
    place: str, args: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise ProtocolError("words.py:1:1: what is wrong (write instead: what is right)")

    monkeypatch.setattr(place, refuses)
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 2
    assert result.output == "safepoint: words.py:1:1: what is wrong (write instead: what is right)\n"
