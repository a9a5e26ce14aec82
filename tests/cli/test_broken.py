"""Every mistake of the catalogue is one line and status 2: 1 says that a claim is refuted, and no user reads tracebacks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from tests.cli.broken import BROKEN, COMMAND, Broken


def alone(broken: Broken) -> tuple[int, str]:
    """The real process: exit status, and what it says on standard error."""
    out = os.open("/dev/full" if broken.around == "full" else os.devnull, os.O_WRONLY)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *sys.path])}
    if broken.around == "ascii":
        environment["PYTHONIOENCODING"] = "ascii"
    command = [*COMMAND, *broken.args]
    if broken.around == "closed":
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    done = subprocess.run(
        command, stdout=out, stderr=subprocess.PIPE, text=True, timeout=100, check=False, env=environment
    )
    os.close(out)
    return done.returncode, done.stderr


def matches(line: str, said: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, f"safepoint: {said}".split("…"))), line) is not None


@pytest.mark.parametrize("broken", BROKEN, ids=str)
def test_a_mistake_is_one_line_and_2(broken: Broken, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, content in broken.files.items():
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    if broken.around:
        status, said = alone(broken)
    else:
        monkeypatch.syspath_prepend(tmp_path)
        result = CliRunner().invoke(cli, broken.args, prog_name="safepoint")
        status, said = result.exit_code, result.stderr
    first, *more = said.splitlines()
    assert matches(first, broken.said), said
    assert status == 2
    source = [f"    {line.strip()}" for content in broken.files.values() for line in str(content).splitlines()]
    assert set(more) <= set(source), "beside the line there is at most the line of the text that it speaks of"
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == set(broken.files), "nothing is left behind"


def test_the_catalogue_is_one() -> None:
    assert len(BROKEN) >= 60
    assert [str(b) for b, n in Counter(map(str, BROKEN)).items() if n > 1] == []


def test_a_traceback_is_shown_to_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also that of a worker process."""
    (tmp_path / "defect.py").write_text("def judge_target(name):\n    return 1 // 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("safepoint.verify.judging.judge_target", import_module("defect").judge_target)
    result = CliRunner().invoke(cli, ["--traceback", "conform", "--target", "folded"], prog_name="safepoint")
    assert result.exit_code == 2
    *shown, last = result.output.splitlines()
    assert "Traceback (most recent call last):" in shown
    assert [line for line in shown if re.fullmatch(r'  File ".*defect.py", line 2, in judge_target', line)]
    assert matches(last, "ZeroDivisionError: …, raised at …defect.py:2 in judge_target …")
