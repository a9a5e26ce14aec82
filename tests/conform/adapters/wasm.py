"""wasmtime, interrupted by epochs: compiled code compares the epoch with a deadline at function entries and loop headers."""

from typing import Any

from wasmtime import Config, Engine, FuncType, Linker, Module, Store, Trap, TrapCode, ValType

from safepoint.conform.target import INTERRUPT, NotOffered
from safepoint.conform.threaded import Run, ThreadedTarget
from safepoint.protocol.policy import Bound
from tests.conform.adapters.wasm_programs import IMPORTS, WAT

ERRORS = {TrapCode.INTERRUPT: "KeyboardInterrupt", TrapCode.STACK_OVERFLOW: "RecursionError"}


class Wasmtime(ThreadedTarget):
    name, bound = "wasmtime", Bound(frames=1, back_edges=1)
    offers = frozenset({INTERRUPT, "stack"})

    def load(self, source: str, file: str = "<guest>", stack: int = 4096) -> None:
        if file not in WAT:
            raise NotOffered(f"a translation of {file}")
        config = Config()
        config.epoch_interruption, config.max_wasm_stack = True, 64 * stack  # bytes: no frame is smaller
        self.engine = Engine(config)
        self.module = Module(self.engine, f"(module {IMPORTS} {WAT[file]})")

    def start(self) -> None:
        super().start()
        run, self.store, linker = self.guest, Store(self.engine), Linker(self.engine)
        self.store.set_epoch_deadline(1)  # from now on: what is posted before the first instruction counts
        for name, function in {"s": run.pause, "f": run.push, "b": run.back_edge}.items():
            linker.define_func("vm", name, FuncType([], []), function)
        linker.define_func("vm", "print", FuncType([ValType.i32()], []), run.say)
        self.main: Any = linker.instantiate(self.store, self.module).exports(self.store)["main"]

    def execute(self, run: Run) -> str:
        try:
            self.main(self.store)
        except Trap as trap:
            if trap.trap_code == TrapCode.INTERRUPT:
                run.saw(INTERRUPT)
            return ERRORS.get(trap.trap_code, str(trap))
        return ""

    def post(self, kind: str, thread: int = 0) -> None:
        if kind != INTERRUPT:
            raise NotOffered(kind)
        if not self.guest.ended:
            self.engine.increment_epoch()
