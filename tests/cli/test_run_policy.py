"""`safepoint run -p`: the same program with the checks of other VMs, on both machines; and what is refused."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.features import NotWrittenFor, refuse
from safepoint.protocol.policies import POLICIES
from safepoint_vm.handlers.shared.checks import MECHANISMS
from safepoint_vm.threads import vm
from tests.cli.begun import begun, ended

HERE = [name for name, policy in POLICIES.items() if policy.trigger in MECHANISMS]
PROGRAMS = Path(__file__).parents[1] / "programs"
ENDLESS = """
def f():
    return 1
print("here")
while True:
    f()
"""
STARTS = "from threading import Thread\ndef f():\n    pass\nt = Thread(target=f)\nt.start()\nt.join()\nprint('over')\n"


@pytest.mark.parametrize(("policy", "machine"), [*((p, "vm") for p in HERE), *((p, "reference") for p in POLICIES)])
def test_a_program_does_the_same_under_each_policy(policy: str, machine: str) -> None:
    program = str(PROGRAMS / "gcd.py")
    result = CliRunner().invoke(cli, ["run", "-p", policy, "--machine", machine, program])
    expected = CliRunner().invoke(cli, ["run", program])
    assert (result.exit_code, result.stdout) == (expected.exit_code, expected.stdout)
    assert expected.stdout


@pytest.mark.parametrize("policy", [name for name in HERE if POLICIES[name].sites != ("allocation",)])
def test_control_c_is_seen_by_a_loop_of_calls(policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that do not check at allocations alone have a site in it; a real signal, to a process of its own."""
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    file = tmp_path / "endless.py"
    file.write_text(ENDLESS, encoding="utf-8")
    with begun("-", "run", "-p", policy, str(file)) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "here\n"
        child.send_signal(signal.SIGINT)
        status, said = ended(child)
    assert status == 130
    assert said.splitlines()[-1] == "KeyboardInterrupt"


@pytest.mark.parametrize("machine", ["vm", "reference"])
def test_what_a_policys_text_is_not_written_for_is_refused(machine: str, tmp_path: Path) -> None:
    file = tmp_path / "starts.py"
    file.write_text(STARTS, encoding="utf-8")
    result = CliRunner().invoke(cli, ["run", "-p", "skybison", "--machine", machine, str(file)])
    assert result.exit_code == 2
    assert "START: the text of policy skybison is not written for births" in result.stderr
    assert CliRunner().invoke(cli, ["run", "-p", "cpython", "--machine", machine, str(file)]).stdout == "over\n"


def test_a_policy_without_machine_code_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """All have it; so of one it is hidden."""
    monkeypatch.setattr(vm, "MECHANISMS", tuple(mechanism for mechanism in MECHANISMS if mechanism != "page"))
    result = CliRunner().invoke(cli, ["run", "-p", "guard_page", str(PROGRAMS / "gcd.py")])
    assert result.exit_code == 2
    assert "the interpreter has no checks for trigger page (use --machine reference)" in result.stderr


def test_a_trace_of_a_policy_is_accepted_and_names_it(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    result = CliRunner().invoke(cli, ["run", "-p", "dart", "--trace", str(trace), str(PROGRAMS / "gcd.py")])
    assert result.exit_code == 0, result.output
    judged = CliRunner().invoke(cli, ["accept", str(trace)])
    assert judged.exit_code == 0
    assert "policy dart: a run of the protocol" in judged.stdout


def test_a_section_needs_masks() -> None:
    program = compile_program((PROGRAMS / "masked_loop.py").read_bytes(), "masked_loop.py")
    refuse(program, POLICIES["folded"])
    with pytest.raises(NotWrittenFor, match=r"executes MASK: the text of policy skybison is not written for masks"):
        refuse(program, POLICIES["skybison"])
