"""The operation of a handshake: its requester may want to see the thread's stack, which no thread changes meanwhile."""

from __future__ import annotations

from safepoint_vm.generate.assembler import SIZE
from safepoint_vm.generate.instruction import I64, POINTER
from safepoint_vm.generate.protocol_expressions import ExpressionEmitter
from safepoint_vm.language.layout import fields
from safepoint_vm.language.records import SEEN
from safepoint_vm.language.words import Link


def observe(emitter: ExpressionEmitter) -> None:
    """If `observer` of the procedure's record is an address, write the thread's stack there, as `world.GuestWorld.stack` reads it.

    Once: then `observer` is 0, so that the operation of another requester does not write where this one reads.  All accesses are
    plain: the protocol's own word of the operation orders them after what the requester has written, and before what it reads.
    """
    build, asked = emitter.builder, emitter.own("observer")
    first, frame_, last, done = (
        emitter.function.append_basic_block(name) for name in ("first", "frame", "last", "done")
    )
    where = build.load(asked, typ=I64)
    build.cbranch(build.icmp_unsigned("!=", where, I64(0)), first, done)
    build.position_at_end(first)
    innermost = [build.load(emitter.own(name), typ=I64) for name in ("pc", "frame")]
    build.branch(frame_)
    build.position_at_end(frame_)
    number, pc, frame = (build.phi(I64) for _ in range(3))
    count = build.add(number, I64(1))
    build.store(pc, build.inttoptr(build.add(where, build.shl(count, I64(3))), POINTER))
    below = build.inttoptr(frame, POINTER)
    return_to, caller = (
        build.load(emitter.word(below, fields(Link)[name].offset), typ=I64) for name in ("return_to", "caller")
    )
    outermost = build.icmp_unsigned("==", caller, frame)
    full = build.icmp_unsigned("==", count, I64(SEEN))
    for now, start, then in zip(
        (number, pc, frame), (I64(0), *innermost), (count, build.sub(return_to, I64(SIZE)), caller), strict=True
    ):
        now.add_incoming(start, first)
        now.add_incoming(then, frame_)
    build.cbranch(build.or_(outermost, full), last, frame_)
    build.position_at_end(last)
    build.store(count, build.inttoptr(where, POINTER))
    build.store(I64(0), asked)
    build.branch(done)
    build.position_at_end(done)
