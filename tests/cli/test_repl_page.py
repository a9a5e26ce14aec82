"""The page about `safepoint repl`: its session is typed anew, at a real terminal and in one piece."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.cli.terminal import CONTROL_BACKSLASH, CONTROL_C, CONTROL_D, ROOT, Terminal, stands_at

pytest.importorskip("llvmlite", reason="the interpreter needs llvmlite: pip install -e '.[vm,test]'")
pytest.importorskip("prompt_toolkit", reason="a prompt needs prompt_toolkit: pip install -e '.[repl]'")

PAGE = (ROOT / "docs" / "repl.md").read_text(encoding="utf-8")
KEYS = {"^C": CONTROL_C, "^\\": CONTROL_BACKSLASH, "^D": CONTROL_D}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def steps() -> list[tuple[list[str] | str, str]]:
    """What is typed, lines or a key; and what is shown then."""
    done: list[tuple[list[str] | str, str]] = []
    for line in "".join(blocks("text")).splitlines():
        if key := KEYS.get(line.removeprefix(">>> ")[:2]):
            done.append((key, ""))
            line = line.removeprefix(">>> ")[2:]  # noqa: PLW2901  -- the rest of it is shown
            if line:
                done[-1] = (key, f"{line}\n")
        elif line.startswith(">>> "):
            done.append(([line[4:]], ""))
        elif line.startswith("..."):
            lines, _ = done[-1]
            assert isinstance(lines, list)
            lines.append(line[4:])
        else:
            done[-1] = (done[-1][0], f"{done[-1][1]}{line}\n")
    return done


def test_the_session_goes_as_shown() -> None:
    with Terminal() as terminal:
        terminal.until(">>>")
        for number, (typed, shown) in enumerate(steps()):
            if isinstance(typed, list):
                terminal.type(*typed)
                if steps()[number + 1][0] == CONTROL_C:  # it does not end
                    stands_at(terminal, typed[0])
            else:
                terminal.press(typed)
            if shown:
                terminal.until(shown)
                if CONTROL_D not in (typed, steps()[number - 1][0]):
                    terminal.until(">>>")
        assert terminal.ends() == (0, "")


def test_each_key_is_in_the_session() -> None:
    assert {typed for typed, _ in steps() if isinstance(typed, str)} == set(KEYS.values())
    assert len(steps()) > 12


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
