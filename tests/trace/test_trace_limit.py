"""A trace has a limit: there the run ends, with one line, and what is written is a whole trace, cut where no access reaches over."""

from __future__ import annotations

import errno
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

pytest.importorskip("llvmlite", reason="the interpreter is not installed (pip install '.[vm]')")

from safepoint.cli.main import cli
from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.words import INTERRUPT
from safepoint.trace.files import LIMIT, TraceFull
from safepoint.trace.observe import KINDS
from safepoint.trace.verdict import judge
from safepoint_vm.language.machine import LOOPED
from safepoint_vm.threads.logs import PACKED, Logs
from safepoint_vm.threads.recording import LINE
from safepoint_vm.threads.vm import run

ENDLESS = "print('it ran')\nwhile True:\n    try:\n        while True:\n            pass\n    except KeyboardInterrupt:\n        pass\n"
THREADS = """
from threading import Lock, Thread

lock = Lock()
count = [0]


def work(k):
    while True:
        made = [k, [k]]
        with lock:
            count[0] = count[0] + 1
        for i in range(20):
            made = [made[0]]


threads = [None] * 3
for k in range(3):
    threads[k] = Thread(target=work, args=(k,))
for thread in threads:
    thread.start()
work(3)
"""
"""They collect, and wait for each other, for ever."""


def call(*args: str) -> Result:
    return CliRunner().invoke(cli, args, prog_name="safepoint")


def test_an_endless_run_ends_at_the_limit_and_its_trace_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("endless.py").write_text(ENDLESS, encoding="utf-8")
    result = call("run", "endless.py", "--trace", "out.trace", "--trace-limit", "64K")
    assert (result.exit_code, result.stdout) == (2, "it ran\n")
    said = re.fullmatch(
        r"safepoint: out\.trace: has reached its limit of 64K, where the run was ended; its (\d+) events are a whole trace"
        r" \(trace a shorter run, or write a larger --trace-limit, up to 4G\)\n",
        result.stderr,
    )
    assert said
    assert (64 << 10) // LINE // 2 < int(said[1]) <= (64 << 10) // LINE
    assert Path("out.trace").stat().st_size <= 64 << 10
    accepted = call("accept", "out.trace")
    assert accepted.exit_code == 0
    assert accepted.stdout.startswith(f"accepted: {said[1]} events, 1 thread,")


@pytest.mark.parametrize("events", [300, 1500, 6000])
@pytest.mark.parametrize("policy", ["folded", "dart", "hotspot", "ocaml"])
def test_wherever_threads_are_cut_they_are_a_run_of_the_protocol(policy: str, events: int) -> None:
    """Four that collect, allocate and wait for a lock: what one has seen of another is there."""
    trace = io.BytesIO()
    with pytest.raises(TraceFull) as full:
        run(
            compile_program(THREADS, "threads.py"),
            io.StringIO(),
            heap=1 << 16,
            trace=trace,
            trace_limit=events * LINE,
            policy=POLICIES[policy],
        )
    assert 0 < full.value.events <= events
    assert trace.tell() <= events * LINE
    trace.seek(0)
    verdict = judge(trace, "threads.py")
    assert verdict.refusal is None
    assert verdict.events == full.value.events


def test_under_its_limit_a_trace_is_what_it_was_without() -> None:
    """Five turns: also if the limit is one event more than they are."""
    found = []
    for limit in (None, 1000 * LINE):
        trace = io.BytesIO()
        run(compile_program("for i in range(5):\n    pass\n", "five.py"), io.StringIO(), trace=trace, trace_limit=limit)
        found.append(trace.getvalue())
    assert found[0] == found[1]


# -- the cut


POSTED, TOOK = KINDS.index("posted"), KINDS.index("took")


@pytest.fixture
def logs() -> Iterator[Logs]:
    """In which there is room for nine records; the next stamp is 50."""
    made = Logs(9, lambda: 50, {LOOPED})
    yield made
    made.close()


def log(logs: Logs, **actors: list[tuple[int, int, int]]) -> None:
    """What, and the stamps before and after."""
    for name, records in actors.items():
        for what, before, after in records:
            logs.keep(name, PACKED.pack(what, before, after, 0, INTERRUPT))


def test_no_access_that_others_see_reaches_over_the_cut(logs: Logs) -> None:
    """T1's access is under way when the limit is reached, T2's when T1's begins: both are left out, and what T0 did since then."""
    log(
        logs,
        T0=[(POSTED, 10, 11), (POSTED, 20, 21), (POSTED, 40, 41), (POSTED, 60, 61)],
        T1=[(TOOK, 12, 13), (TOOK, 30, 70)],
        T2=[(TOOK, 22, 50)],
    )
    assert logs.cut(65) == 22
    assert logs.cut(71) == 71
    assert logs.cut(21) == 21


def test_a_check_that_reaches_over_the_cut_moves_it_not(logs: Logs) -> None:
    log(logs, T0=[(POSTED, 10, 11), (POSTED, 20, 21)], T1=[(LOOPED, 5, 30)])
    assert logs.cut(25) == 25
    assert logs.cut(15) == 15


def test_the_cut_is_within_the_limit(logs: Logs) -> None:
    logs.limit = 3
    log(logs, T0=[(POSTED, 10, 11), (POSTED, 20, 21)], T1=[(TOOK, 12, 13), (TOOK, 30, 31), (TOOK, 32, 33)])
    assert logs.full == 50
    assert logs.cut(40) == 30, "three begin before"


def test_what_begins_when_it_is_full_is_not_kept(logs: Logs) -> None:
    logs.limit = 1
    log(logs, T0=[(POSTED, 10, 11), (POSTED, 20, 21)])
    assert logs.full == 50
    log(logs, T1=[(TOOK, 12, 60), (TOOK, 61, 62)])
    assert [before for _, before, *_ in logs.records("T1")] == [12]


def test_a_log_that_cannot_be_kept_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An endless one: else it would run on with a full disk."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Logs, "keep", full)
    monkeypatch.chdir(tmp_path)
    Path("endless.py").write_text(ENDLESS, encoding="utf-8")
    result = call("run", "endless.py", "--trace", "out.trace")
    assert result.exit_code == 2
    assert result.stderr.startswith("safepoint: out.trace: No space left on device (")


# -- the option


def test_it_is_refused_where_there_is_no_trace(tmp_path: Path) -> None:
    program = tmp_path / "one.py"
    program.write_text("print(1)\n")
    result = call("run", str(program), "--trace-limit", "1M")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "safepoint: --trace-limit would be ignored: there is no --trace (leave it out)\n"


def test_the_command_has_the_same_limit_as_the_library() -> None:
    (option,) = (each for each in cli.get_command(None, "run").params if each.name == "limit")  # type: ignore[arg-type,union-attr]
    assert option.type.convert(option.default, None, None) == LIMIT
