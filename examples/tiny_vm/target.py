"""Tiny VM under the judge: `safepoint conform --target examples.tiny_vm.target:TinyVm`.

The VM is built as a shared library, with a header that is emitted for it.  Guest and requesters take turns on one OS thread: a
coordinator goes on where the guest, parked, waits for it, and a requester of an operation as soon as the one before is done.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from ctypes import CDLL, CFUNCTYPE, Structure, c_char_p, c_int, c_int32, c_long, c_uint32, c_void_p, cast
from pathlib import Path
from typing import Any, ClassVar

from examples.tiny_vm.bytecode import compiled
from safepoint.conform.target import HANDSHAKE, INTERRUPT, STOP, NotOffered, Observation, Seen, Target
from safepoint.emit.fold import CannotEmit
from safepoint.emit.header import header
from safepoint.graph.text import Text
from safepoint.protocol.names import REQUESTS
from safepoint.protocol.policies import FOLDED

HERE = Path(__file__).parent
BITS = {name: bit for bit, name in REQUESTS.items()}
ERRORS = ("", "KeyboardInterrupt", "RecursionError", "SystemExit")
"""By outcome."""


class Code(Structure):
    _fields_: ClassVar = [("op", c_int32), ("operand", c_int32)]


class Function(Structure):
    _fields_: ClassVar = [(name, c_int32) for name in ("entry", "parameters", "locals", "size")]


def library(mutant: str) -> CDLL:
    """The VM, built with its header."""
    with tempfile.TemporaryDirectory() as made:
        (Path(made) / "safepoint.h").write_text(header(FOLDED, mutant), encoding="utf-8")
        sources = [str(HERE / name) for name in ("judge.c", "vm.c")]
        flags = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-DSP_TRACED", "-shared", "-fPIC", f"-I{made}")
        subprocess.run(["cc", *flags, "-o", f"{made}/judged.so", *sources], check=True)
        return CDLL(f"{made}/judged.so")


class TinyVm(Target):
    """`mutant`: of the protocol's text, put into the header."""

    name = "tiny_vm"
    bound = FOLDED.declared
    offers = frozenset({STOP, INTERRUPT, HANDSHAKE, "stack", "masks", "watch"})
    longest_call = 20  # with a mistake in the header a requester may wait for ever

    def __init__(self, mutant: str = "") -> None:
        vm = self.vm = library(mutant)
        vm.judge_thread.restype, vm.judge_output.restype = c_void_p, c_char_p
        for function in (vm.judge_asks, vm.judge_finish_handshake, vm.judge_exit, vm.judge_output):
            function.argtypes = [c_void_p]
        vm.judge_look.restype, vm.judge_look.argtypes = c_long, [c_void_p, c_int]
        vm.vm_run.argtypes, vm.judge_post.argtypes = [c_void_p, c_long], [c_void_p, c_uint32]
        self.kept: list[Any] = [
            CFUNCTYPE(None)(self._before),
            CFUNCTYPE(None, c_char_p, c_uint32)(self._event),
            CFUNCTYPE(None, c_int)(self._wait),
        ]
        for name, function in zip(("judge_before", "judge_event", "judge_wait"), self.kept, strict=True):
            c_void_p.in_dll(vm, name).value = cast(function, c_void_p).value
        self.watcher: Callable[[], None] | None = None
        self.load("")
        self.start()

    def mutated(self, mutant: str) -> TinyVm:
        if mutant not in Text().mutants:
            raise NotOffered("mutated")
        try:
            return TinyVm(mutant)
        except CannotEmit as why:
            raise NotOffered(str(why)) from None

    def load(self, source: str, file: str = "<guest>", stack: int = 1024) -> None:
        program = compiled(source)
        self.code = (Code * len(program.code))(*(Code(*each) for each in program.code))
        self.functions = (Function * len(program.functions))(*(Function(*each) for each in program.functions))
        self.stack = min(stack, 1024)

    def start(self) -> None:
        self.watcher = None
        self.failure: BaseException | None = None
        self.ended = self.is_stopping = False
        self.stops = self.handshakes = self.slow_entries = 0
        self.seen: list[Seen] = []
        self.thread = self.vm.judge_thread(self.code, self.functions, c_long(self.stack))

    def post(self, kind: str, thread: int = 0) -> None:
        if kind not in self.offers & {*BITS}:
            raise NotOffered(kind)
        if self.ended:
            return
        if kind == INTERRUPT:
            self._call(self.vm.judge_post, self.thread, BITS[kind])
        self.stops += kind == STOP
        self.handshakes += kind == HANDSHAKE
        self._take_turns()

    def step(self, count: int = 1) -> bool:
        if not self.ended and not self._call(self.vm.vm_run, self.thread, min(count, 1 << 40)):
            self._call(self.vm.judge_exit, self.thread)
            self.ended = True
        while self._take_turns() or (self.ended and self._is_waited_for()):
            if self.ended:  # no caller waits for it
                self._start_world()
                self._call(self.vm.judge_finish_handshake, self.thread)
        return not self.ended

    def observe(self) -> Observation:
        frames, back_edges, error, _, _, busy = self._looks()
        output = self.vm.judge_output(self.thread).decode()
        waiting = self.stops + self.handshakes + busy
        return Observation(
            self.ended,
            output,
            ERRORS[error],
            (),
            frames,
            back_edges,
            tuple(self.seen),
            self.slow_entries,
            waiting=waiting,
        )

    def watch(self, callback: Callable[[], None] | None) -> None:
        self.watcher = callback

    # -- the requesters' turns

    def _is_waited_for(self) -> bool:
        return bool(self.stops + self.handshakes + self._looks()[5])

    def _take_turns(self) -> bool:
        """Who waits for its turn has it, if the one before is over.  Returns whether one has begun."""
        began = False
        if self.handshakes and self._call(self.vm.judge_asks, self.thread):
            self.handshakes, began = self.handshakes - 1, True
            self._call(self.vm.judge_post, self.thread, BITS[HANDSHAKE])
        if self.stops and not self.is_stopping:
            self.stops, self.is_stopping, began = self.stops - 1, True, True
            self._call(self.vm.judge_request_stop)
        return began

    def _start_world(self) -> None:
        if self.is_stopping:
            self._call(self.vm.judge_start_world)
            self.is_stopping = False

    # -- what the VM calls

    def _wait(self, is_stop: int) -> None:
        if is_stop:  # the guest is parked: so the world is stopped, and its coordinator starts it
            self._start_world()
        self._take_turns()

    def _event(self, kind: bytes, detail: int) -> None:
        self.slow_entries += kind == b"ENTERED"
        if kind == b"TOOK":
            frames, back_edges, _, pc, _, _ = self._looks()
            self.seen += [Seen(name, f"vm:{pc}", frames, back_edges) for name, bit in BITS.items() if detail & bit]

    def _before(self) -> None:
        watcher, self.watcher = self.watcher, None  # not in what it posts
        try:
            if watcher and not self.failure:
                watcher()
        except BaseException as failure:  # noqa: BLE001  # C is below: raised when it has returned
            self.failure = failure
        self.watcher = watcher

    def _looks(self) -> list[int]:
        return [self.vm.judge_look(self.thread, n) for n in range(6)]

    def _call(self, function: Any, *args: Any) -> int:
        result = function(*args)
        failure, self.failure = self.failure, None
        if failure:
            raise failure
        return int(result)
