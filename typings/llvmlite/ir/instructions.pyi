from collections.abc import Sequence

from llvmlite.ir import Block, Module, Value

class Terminator(Value):
    module: Module
    operands: list[Value]
    def __init__(self, parent: Block, opname: str, operands: Sequence[Value]) -> None: ...
    def descr(self, buf: list[str]) -> None: ...

class ConditionalBranch(Value):
    def set_weights(self, weights: Sequence[int]) -> None: ...

class SwitchInstr(Value):
    def add_case(self, value: Value, block: Block) -> None: ...

class PhiInstr(Value):
    def add_incoming(self, value: Value, block: Block) -> None: ...

class StoreAtomicInstr(Value):
    def __init__(self, parent: Block, value: Value, ptr: Value, ordering: str, align: int) -> None: ...
