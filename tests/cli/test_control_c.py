"""Control-C is 130, wherever it is pressed, and says nothing: in imports, in a search, with worker processes, in a guest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.begun import BEGIN, ROOT, begun, ended

EXPLORE, MUTATE = ("explore", "--scope", "interrupt-1"), ("mutate", "-p", "pypy", "--quick")


@pytest.mark.parametrize(
    ("where", "command"),
    [
        ("click", ("rules",)),
        ("safepoint.cli.mutate", ("--help",)),
        ("safepoint.cli.protocol", ("rules",)),
        ("safepoint.protocol.rules", ("rules", "--json")),
        ("rich.table", EXPLORE),
        ("safepoint.proof.promela", EXPLORE),
        ("safepoint.model.fast.search", ("explore", "--scope", "interrupt-2")),  # a large one
        ("safepoint.guest.compiler.program", ("run", "tests/programs/fib.py")),
        ("llvmlite.binding", ("run", "tests/programs/fib.py")),
        ("safepoint.verify.judging", ("conform", "--target", "folded")),
        ("safepoint.verify.replay", ("replay", "s:fib@3STOP")),
        ("concurrent.futures.process", MUTATE),
        ("safepoint.verify.interpreter", ("verify",)),
    ],
)
def test_while_it_imports(
    where: str, command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no machine code is kept: else a guest program is run without llvmlite."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if where in ("llvmlite.binding", "safepoint.model.fast.search"):
        pytest.importorskip(
            {"llvmlite.binding": "llvmlite"}.get(where, "numpy"), reason="it is imported only where it is installed"
        )
    assert ended(begun(where, *command)) == (130, "")


@pytest.mark.parametrize("seconds", [0.6, 1.2, 2.4, 4.8])
def test_while_it_works(seconds: float) -> None:
    """As a terminal does, which sends it to the worker processes too.  All commands at once: they need no second of their own."""
    commands = [("explore", "--scope", "nightly"), ("verify",), ("mutate",)]
    processes = [begun("-", *command) for command in commands]
    time.sleep(seconds)
    for process in processes:
        os.killpg(process.pid, signal.SIGINT)
    assert [(*command, *ended(process)) for command, process in zip(commands, processes, strict=True)] == [
        (*command, 130, "") for command in commands
    ]


@pytest.mark.parametrize("seconds", [1, 3])
def test_while_an_adapter_catches_every_interrupt(seconds: float) -> None:
    """It takes that for its guest's: no claim is refuted by it."""
    process = begun("-", "conform", "--target", "tests.conform.toy:Toy")
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    status, said = ended(process)
    assert (status, said) == (130, "") or (status == 0 and "refuted" not in said)  # it was too late


@pytest.mark.parametrize(("command", "status"), [(("rules",), 0), (("explore", "--mutant", "poison-before-post"), 1)])
def test_after_the_last_word_it_is_too_late(command: tuple[str, ...], status: int) -> None:
    """Python takes its handlers away, and then clears the modules: a signal in there would be the death of a command that has its verdict."""
    press = "class Late:\n    def __del__(self, kill=os.kill, me=os.getpid(), what=signal.SIGINT):\n        kill(me, what)\nlate = Late()\n"
    script = BEGIN.replace("main()\n", f"{press}main()\n")
    done = subprocess.run(
        [sys.executable, "-c", script, "-", *command],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (status, "")
    assert done.stdout


def test_an_adapter_may_send_the_signal_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sender.py").write_text(
        "import signal\nfrom tests.conform.toy import Toy\n\nclass Sender(Toy):\n    def serve(self, bits):\n        try:\n"
        "            super().serve(bits)\n        except KeyboardInterrupt:\n            signal.raise_signal(signal.SIGINT)\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    status, said = ended(begun("-", "conform", "--target", "sender:Sender"))
    assert status == 0, said
    assert "refuted" not in said


def test_where_it_is_ignored_it_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which it inherits, as under nohup
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", "from safepoint.cli.entry import main; main()", *EXPLORE],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    status, said = ended(process)
    assert status == 0
    assert "holds" in said
