"""`safepoint accept`: its exit status, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safepoint.cli.main import cli
from tests.trace.scripts import VALID, Script, events, header, stop, written


def accept(path: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["accept", str(path), *options])


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "run.trace"
    path.write_bytes(written(header(), events(VALID["stop"])))
    return path


def test_an_accepted_trace(trace: Path) -> None:
    result = accept(trace)
    assert result.exit_code == 0
    first, bound, *rest = result.stdout.splitlines()
    assert first == "accepted: 31 events, 2 threads, 1 requester, policy folded: a run of the protocol"
    assert bound == "bound: at most 1 frame pushes of 1 declared, at most 1 back-edges of 1 declared"
    assert rest[0].startswith("not judged: never happened: blocked, cleared,")
    found = json.loads(accept(trace, "--json").stdout)
    assert (found["verdict"], found["refusal"], found["events"]) == ("accepted", None, 31)


@pytest.mark.parametrize(("threads", "told"), [(3, "T2, T1, T0"), (9, "T8, T7, T6, T5, T4, T3, T2, T1, …")])
def test_another_order_of_the_threads_is_told(trace: Path, threads: int, told: str) -> None:
    names = tuple(f"T{n}" for n in range(threads))
    script = [*(f"{name} native-entered" for name in names), *stop("C", *names[::-1]), "C stop-reached"]
    trace.write_bytes(written(header(threads=names), events(script)))
    result = accept(trace)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1] == f"order: the threads are walked as {told}, and not as in the header"
    assert json.loads(accept(trace, "--json").stdout)["walked"] == [*names[::-1]]


def test_a_trace_without_events_has_no_verdict(trace: Path) -> None:
    trace.write_bytes(written(header(), []))
    result = accept(trace)
    assert (result.exit_code, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert "no event, so nothing was judged (check that logging is on in the VM, and" in result.stderr


def test_a_refused_trace_names_event_rule_and_what_was_possible(trace: Path) -> None:
    script: Script = [*VALID["stop"]]
    script.insert(script.index("C stop-reached"), "T0 looped")
    trace.write_bytes(written(header(), events(script)))
    result = accept(trace)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    line = 2 + script.index("T0 looped")
    assert lines[0] == f"refused: {trace}:{line}: T0: looped: no run of the protocol explains it"
    assert lines[1].startswith("  STOP-PARKS: A thread that takes STOP MUST leave the managed state")
    assert lines[2].startswith("  possible instead: to wait (owner.py:")
    assert "wait(world.stop.load() == 0)" in lines[2]
    refusal = json.loads(accept(trace, "--json").stdout)["refusal"]
    assert (refusal["line"], refusal["thread"], refusal["event"], refusal["rule"]) == (
        line,
        "T0",
        "looped",
        "STOP-PARKS",
    )


def test_a_damaged_trace_is_one_line_and_no_verdict(trace: Path) -> None:
    """Also where an event of it would be refused: what was changed afterwards says nothing of the VM."""
    script: Script = [*VALID["stop"]]
    script.insert(script.index("C stop-reached"), "T0 looped")
    trace.write_bytes(written(header(), events(script))[:-30])
    result = accept(trace)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"safepoint: {trace}:")
    assert len(result.stderr.splitlines()) == 1


def test_bad_input_is_one_line(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    for path, said in (
        (empty, f"{empty}:1: the trace ends before its closing record"),
        (tmp_path / "none", "No such file or directory (write the path of a trace)"),
        (tmp_path, "directory"),
    ):
        result = accept(path)
        assert result.exit_code == 2
        assert said in result.stderr
    result = CliRunner().invoke(cli, ["accept"])
    assert (result.exit_code, result.stderr) == (2, "safepoint: no trace is named (write safepoint accept TRACE)\n")


def test_the_schema_is_printed() -> None:
    found = json.loads(CliRunner().invoke(cli, ["accept", "--schema"]).stdout)
    assert found["title"] == "a line of a safepoint trace"
