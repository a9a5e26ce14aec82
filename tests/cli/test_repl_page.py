"""The page about `safepoint repl`: its session is typed anew, at a real terminal and in one piece."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.cli.session import KEYS, play, steps_of
from tests.cli.terminal import ROOT

pytest.importorskip("llvmlite", reason="the interpreter needs llvmlite: pip install -e '.[vm,test]'")
pytest.importorskip("prompt_toolkit", reason="a prompt needs prompt_toolkit: pip install -e '.[repl]'")

PAGE = (ROOT / "docs" / "repl.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


STEPS = steps_of("".join(blocks("text")))


def test_the_session_goes_as_shown() -> None:
    play(STEPS)


def test_each_key_is_in_the_session() -> None:
    assert {typed for typed, _ in STEPS if isinstance(typed, str)} == set(KEYS.values())
    assert len(STEPS) > 12


def test_the_pipe_goes_as_shown() -> None:
    (block,) = blocks("console")
    command, _, shown = block.partition("\n")
    text = re.fullmatch(r"\$ printf '(.*)' \| safepoint repl", command)
    assert text
    done = subprocess.run(
        [sys.executable, "-c", "from safepoint.cli.entry import main; main()", "repl"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, input=text[1].replace("\\n", "\n"),
        text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, shown, "")
