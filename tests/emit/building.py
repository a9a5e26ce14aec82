"""What the tests of the header share: a C compiler, and Tiny VM built with a header."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from safepoint.emit.header import header
from safepoint.protocol.policies import POLICIES

ROOT = Path(__file__).parents[2]
TINY = ROOT / "examples" / "tiny_vm"
CC = shutil.which("cc")
needs_cc = pytest.mark.skipif(CC is None, reason="no C compiler: the emitted header is not compiled (install cc)")
FLAGS = ("-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Wsign-conversion", "-Werror")
HOOKS = """\
struct sp_thread;
extern struct sp_thread *first;
#define SP_EACH_THREAD(t) for (struct sp_thread *t = first; t; t = 0)
#define SP_FENCE_OTHERS() ((void)0)
#include "safepoint.h"
struct sp_world sp_world;
"""
"""The least that a VM defines."""


def compiled(directory: Path, made: str, source: str, *flags: str) -> Path:
    """An object file of this source, which includes the header.  Fails with what the compiler says."""
    (directory / "safepoint.h").write_text(made, encoding="utf-8")
    (directory / "probe.c").write_text(source, encoding="utf-8")
    probe = directory / "probe.o"
    done = subprocess.run(
        [str(CC), *FLAGS, *flags, "-c", "probe.c", "-o", str(probe)],
        cwd=directory, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return probe


def tiny_vm(directory: Path, *flags: str, mutant: str = "") -> Path:
    """Tiny VM's program, built in this directory."""
    (directory / "safepoint.h").write_text(header(POLICIES["folded"], mutant), encoding="utf-8")
    program = directory / "tiny_vm"
    sources = [str(TINY / name) for name in ("main.c", "vm.c")]
    command = [str(CC), "-std=c11", "-Wall", "-Wextra", "-Werror", "-pthread", f"-I{directory}", *flags]
    subprocess.run([*command, "-o", str(program), *sources], check=True, timeout=120)
    return program


def run(program: Path, requests: int, seconds: int = 60) -> subprocess.CompletedProcess[str]:
    """Tiny VM on real cores; a request that is not answered within these seconds is lost."""
    command = [str(program), str(requests), str(seconds)]
    return subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
