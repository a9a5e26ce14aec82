"""Where bytecode and compiled code lie: near the engine, never written where it is executed, freed with its owner, and of each process alone."""

from __future__ import annotations

import ctypes
import io
import os
from pathlib import Path

import pytest

from safepoint.guest.compiler.program import compile_program
from safepoint_vm.generate.engine import PLAIN, engine
from safepoint_vm.language.layout import Memory
from safepoint_vm.threads.vm import Vm, run
from safepoint_vm.tier import install, memory
from safepoint_vm.tier.install import compiling, fits
from safepoint_vm.tier.memory import CODE_BYTES, MOST, CodeMemory
from tests.impl.running import FILE


def test_machine_code_is_not_written_where_it_is_executed() -> None:
    room = CodeMemory(engine(PLAIN).addresses["begin"])
    at = room.write(b"\xc3")
    room.overwrite(at + 1, b"\x90")
    assert ctypes.string_at(at, 2) == b"\xc3\x90"
    assert protections(at) == "r-xs"
    assert protections(room.writable(at)) == "rw-s"
    assert protections(room.text(3).address) == "rw-p"


def protections(address: int) -> str:
    for line in Path("/proc/self/maps").read_text(encoding="ascii").splitlines():
        places, kind, *_ = line.split()
        first, end = (int(place, 16) for place in places.split("-"))
        if first <= address < end:
            return kind
    return ""


def test_it_is_near_and_freed() -> None:
    near = engine(PLAIN).addresses["begin"]
    room = CodeMemory(near)
    where = room.text(1).address
    assert abs(room.code + CODE_BYTES - near) < 1 << 31
    del room
    assert protections(where) == ""


def test_words_keep_their_region() -> None:
    words = CodeMemory(engine(PLAIN).addresses["begin"]).text(2)
    assert isinstance(words, Memory)
    words[1] = 7
    assert (words[0], words[1], protections(words.address)) == (0, 7, "rw-p")


def test_bytecode_that_is_full_goes_on_in_a_further_region() -> None:
    """A prompt loads bytecode as long as it lives."""
    near = engine(PLAIN).addresses["begin"]
    room = CodeMemory(near)
    first, second = (room.text(MOST - 1) for _ in range(2))
    assert abs(second.address - first.address) > CODE_BYTES
    assert all(abs(text.address - near) < 1 << 31 for text in (first, second))
    for number, text in enumerate((first, second)):
        for row in (1, 2):
            beside = room.beside(text, row)
            beside[MOST - 2] = 2 * number + row
    assert [room.beside(text, row)[MOST - 2] for text in (first, second) for row in (1, 2)] == [1, 2, 3, 4]


def test_a_program_whose_function_is_too_long_is_left_to_the_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    program, output = compile_program("x = 1\nprint(x)\n", FILE), io.StringIO()
    assert fits(program)
    for module in (install, memory):
        monkeypatch.setattr(module, "MOST", 3)
    with pytest.raises(OSError, match="has no room for compiled code"):
        Vm(program, output, variant=compiling(PLAIN))
    assert run(program, output).fault is None
    assert output.getvalue() == "1\n"


def test_a_process_and_its_child_have_machine_code_of_their_own() -> None:
    """What one installs after the fork lies where the other's lies."""
    room = CodeMemory(engine(PLAIN).addresses["begin"])
    at = room.write(b"\xc3")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            room.overwrite(at, b"\x90")
            room.write(b"\xcc")
            os.write(writing, ctypes.string_at(at, 1) + protections(at).encode())
        finally:
            os._exit(0)
    os.close(writing)
    found = os.read(reading, 9)
    os.close(reading)
    os.waitpid(child, 0)
    assert found == b"\x90r-xs"
    assert ctypes.string_at(at, 1) == b"\xc3"
    assert ctypes.string_at(room.next, 1) == b"\0"
