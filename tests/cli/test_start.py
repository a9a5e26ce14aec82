"""What a process imports before its guest program runs: counted, by name.  It is most of the time that a short program takes.

A name that is new here is worth a thought: is it needed before the first instruction, or could the module that needs it be split?
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("llvmlite", reason="the interpreter is not installed (pip install '.[vm]')")

ROOT = Path(__file__).parents[2]
PROGRAM = "def f(n):\n    while n:\n        n = n - 1\n    return [n]\n\nf(10)\n"
COMMAND = """
import sys
from safepoint.cli.entry import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
OURS = {
    "safepoint": "cli guest protocol",
    "safepoint.cli": "console entry entry_points given guest main status",
    "safepoint.guest": "code compiler faults features heap lockstep operations values verifier",
    "safepoint.guest.compiler": "calls emitter exceptions expressions loops names program source subset",
    "safepoint.guest.operations": "builtins comparison instructions operators sequences text threads values",
    "safepoint.protocol": "language names policies policy words",
    "safepoint.protocol.policies": "cpython dart folded go guard_page hotspot ocaml patched pypy pypy_sampling skybison v8_ignition v8_maglev wasmtime yarv",
    "safepoint_vm": "generate handlers language memory threads tier",
    "safepoint_vm.generate": "assembler cache code_image engine host_cpu kept page_faults triggers variant",
    "safepoint_vm.handlers": "fused shared",
    "safepoint_vm.handlers.shared": "checks faults",  # two tables of names
    "safepoint_vm.language": "layout machine pages records signals tagged vocabulary words",
    "safepoint_vm.memory": "heap heap_view image objects references value_view",
    "safepoint_vm.threads": "beginning context host_operations life mutated mutated_drivers os_thread signals thread unwind vm world",
    "safepoint_vm.tier": "install loops memory",
}
"""Folder -> what of it `safepoint run` imports where the machine code is kept."""
TRACED = ("safepoint_vm.threads.recording", "safepoint.trace.events")
PROFILED = ("safepoint_vm.threads.sampling", "safepoint.guest.profile")
MISTAKEN = ("safepoint_vm.mutants", "safepoint_vm.threads.mutated_hosts", "safepoint_vm.threads.mutated_os_threads")
COMPILES = (
    "safepoint_vm.generate.build",
    "safepoint_vm.generate.parts",
    "safepoint_vm.handlers.table",
    "safepoint.graph",
)
OTHERS = ("llvmlite", "msgspec", "rich", "jinja2", "numpy", "email", "importlib.metadata", "json", "tempfile")
"""Libraries that some commands need, and slow ones of the standard library."""


def imported(*command: str) -> set[str]:
    """What a command has imported at its end, run for the second time: the first makes the machine code."""
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, *command],
            cwd=ROOT, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, text=True, capture_output=True, timeout=120, check=True,
        )  # fmt: skip
    return set(done.stderr.splitlines()[-1].split())


@pytest.fixture
def program(tmp_path: Path) -> str:
    file = tmp_path / "guest.py"
    file.write_text(PROGRAM, encoding="utf-8")
    return str(file)


def test_a_plain_run_imports_what_it_needs(program: str) -> None:
    found = imported("run", program)
    ours = {name for name in found if name.partition(".")[0] in ("safepoint", "safepoint_vm")}
    assert ours == {*OURS} | {f"{folder}.{name}" for folder, names in OURS.items() for name in names.split()}
    assert not found & {*OTHERS, *TRACED, *PROFILED, *MISTAKEN, *COMPILES}


@pytest.mark.parametrize("policy", ["cpython", "guard_page", "hotspot", "pypy"])
def test_a_run_under_a_policy_imports_no_more(program: str, policy: str) -> None:
    """The handler of faults is kept, too."""
    found = imported("run", program, "-p", policy)
    assert not found & {*OTHERS, *TRACED, *PROFILED, *MISTAKEN, *COMPILES}


def test_a_trace_and_a_profile_need_no_llvm(program: str, tmp_path: Path) -> None:
    traced = imported("run", program, "--trace", str(tmp_path / "trace"))
    assert {*TRACED} <= traced
    assert not traced & {"llvmlite", *PROFILED, *MISTAKEN}
    profiled = imported("profile", program, "-o", str(tmp_path / "out.json"))
    assert {*PROFILED} <= profiled
    assert not profiled & {"llvmlite", *TRACED, *MISTAKEN}


def test_the_list_names_modules_that_there_are() -> None:
    """Else what is not to be imported could not be."""
    for name in (*TRACED, *PROFILED, *MISTAKEN, *COMPILES):
        root = ROOT / ("impl" if name.startswith("safepoint_vm") else "spec")
        place = root.joinpath(*name.split("."))
        assert place.is_dir() or place.with_suffix(".py").is_file()
