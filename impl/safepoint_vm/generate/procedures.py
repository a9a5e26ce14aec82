"""The procedures of the protocol's text, as handlers and the host call them: by name, with a record and some words.

Every procedure is `i64 name(ptr self, i64 parameters…, i64 resume)`; `generate.protocol` says what they return.  Handlers
only declare them: they are compiled apart, and linked by name when an engine is loaded.
"""

from __future__ import annotations

from llvmlite import ir

from safepoint_vm.generate.instruction import I64, POINTER

PROCEDURES = {
    "push_failed": 1, "slow_path": 0, "look_again": 0, "post": 1, "poison": 0, "leave": 0, "reenter": 0, "block": 0,
    "start_thread": 0, "exit_thread": 0, "mask": 0, "unmask": 0, "unwound": 0,
    "stop_world": 0, "start_world": 0, "stop_world_from": 0, "start_world_from": 0, "handshake": 0, "awaken": 0,
}  # fmt: skip
"""What handlers and the host call: the name, and how many parameters there are beside `self` and `resume`."""
LOGGING = {"log_check": 2}
"""What handlers of a traced engine call beside them: `generate.tracing` has it."""
COUNTING = {"count_hook": 1}
"""What handlers of a hooked engine call whose checks count a ticker down: `generate.counted` has it."""
SAMPLING = {"serve_sample": 0, "at_threshold": 0, "begin_tlab": 0, "end_tlab": 0, "tick": 0}
"""What takes the samples of a profiled engine and asks for them, called as a procedure: `generate.sampling` compiles it."""
OWNED_BY_WORLD = ("stop_world", "start_world")
"""Those whose `self` is the record of the world, not of a thread."""


class ProtocolCodeError(Exception):
    """The text has what machine code cannot have: `file:line: what (write instead: …)`."""


def declare(module: ir.Module, name: str, parameters: int) -> ir.Function:
    """A procedure with `parameters` beside `self` and `resume`, without a body."""
    function = ir.Function(module, ir.FunctionType(I64, [POINTER, *[I64] * (parameters + 1)]), name)
    function.attributes.add("nounwind")
    return function
