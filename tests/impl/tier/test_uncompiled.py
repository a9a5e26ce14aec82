"""Where nothing can be compiled the interpreter goes on alone, and says why in a line."""

from __future__ import annotations

import io

import pytest

from safepoint.guest.compiler.program import compile_program
from safepoint.protocol.policies import FOLDED, PATCHED
from safepoint.protocol.policy import Policy
from safepoint_vm.generate.linker import LinkError
from safepoint_vm.threads.session import Session
from safepoint_vm.threads.vm import run
from safepoint_vm.tier import memory, stitch
from tests.impl.running import FILE

HOT = """
from threading import Thread
def add(n):
    total = 0
    for i in range(n):
        total += i
    return total
def work(n):
    print(add(n))
one = Thread(target=work, args=(4000,))
one.start()
one.join()
work(5000)
"""
SAYS = "7998000\n12497500\n"
LINE = "safepoint: the interpreter executes all code, none is compiled: "


def ran(policy: Policy = FOLDED) -> tuple[str, str]:
    output, errors = io.StringIO(), io.StringIO()
    program = compile_program(HOT, FILE)
    assert run(program, output, errors=errors, policy=policy).fault is None
    return output.getvalue(), errors.getvalue()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (RuntimeError("LLVM:\n  no such\tinstruction"), "RuntimeError: LLVM: no such instruction"),
        (LinkError("a table"), "LinkError: a table"),
        (ModuleNotFoundError("No module named 'llvmlite'"), "ModuleNotFoundError: No module named 'llvmlite'"),
    ],
)
def test_templates_that_cannot_be_made_are_said_once(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def refuse(*_: object, **__: object) -> None:
        tried.append(1)
        raise error

    monkeypatch.setattr(stitch, "context", refuse)
    assert ran() == (SAYS, f"{LINE}its templates cannot be made: {said}\n")
    assert len(tried) == 1  # and not for each function that gets hot


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where some 300 VMs of this process have taken what is near the engine."""
    monkeypatch.setattr(memory, "_taken", lambda _: False)


FULL = "no memory for compiled code is near enough to the interpreter"


@pytest.mark.parametrize("policy", [FOLDED, PATCHED], ids=lambda policy: policy.name.rpartition(":")[2])
@pytest.mark.usefixtures("no_memory")
def test_where_no_memory_is_near_the_interpreter_executes_all(policy: Policy) -> None:
    assert ran(policy) == (SAYS, f"{LINE}{FULL}\n")


@pytest.mark.usefixtures("no_memory")
def test_of_a_prompt_too() -> None:
    output, errors = io.StringIO(), io.StringIO()
    with Session(output, errors=errors) as session:
        assert session.uncompiled == FULL
        for text in (HOT, "work(5000)\n"):
            assert session.execute(text).fault is None
        session.end_inputs()
    assert (output.getvalue(), errors.getvalue()) == (SAYS + "12497500\n", f"{LINE}{FULL}\n")


def test_where_functions_are_compiled_nothing_is_said() -> None:
    assert ran() == (SAYS, "")
