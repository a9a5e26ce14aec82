"""A VM of its author's own.  Its debugger holds a running thread by patching the jump table that each instruction uses."""

from collections.abc import Iterable

from safepoint.protocol.language import Trigger, Word, choose, claim, mutant, pause, wait


class Thread:
    table: Trigger      # the jump table: the real one, or patched
    hold: Word          # 1: the debugger wants this thread held
    held: Word          # 1: it is
    sample: Word        # 1: the debugger wants to know where it is
    frame: Word         # stands for all that guest code changes while it runs


class Me(Thread):
    """The running thread; it has no word that is only its own."""


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    """Guest code: it computes, or it is in a loop that only a patched table ends."""
    match choose():
        case "computes":
            t.frame.swap(1)     # locked only in the model: a store buffer stays short
            t.frame.swap(0)
        case "loops":
            pause()
            wait(t.table.load() == t.table.poison)
    if t.table.load() == t.table.poison:
        attend(t)
    return mutator(t)


def attend(t: Me) -> None:
    if mutant("unpatch-unlocked", breaks="UNPATCH-IS-A-BARRIER"):
        t.table.store(t.table.real)
    else:
        t.table.swap(t.table.real)                  # UNPATCH-IS-A-BARRIER
    t.sample.store(0)                               # the sample is taken here
    if t.hold.load() == 1:
        t.held.store(1)
        wait(t.hold.load() == 0)
        t.held.store(0)


def debugger() -> None:
    """One request at a time: where is this thread?  Or: hold it, read its frame, let it go."""
    t = choose(threads())
    match choose():
        case "samples":
            t.sample.swap(1)
            t.table.store(t.table.poison)
        case "holds":
            hold(t)
    return debugger()


def hold(t: Thread) -> None:
    if mutant("patch-first", breaks="SAY-WHY-FIRST"):
        t.table.store(t.table.poison)
        t.hold.store(1)
    else:
        t.hold.store(1)                             # SAY-WHY-FIRST
        t.table.store(t.table.poison)
    wait(t.held.load() == 1)
    first = t.frame.load()
    second = t.frame.load()
    claim("frame-stands-still", first == second)
    if mutant("taken-back", breaks="LET-GO-IS-ANSWERED"):
        t.held.store(0)
    t.hold.store(0)
    if mutant("does-not-wait", breaks="LET-GO-IS-ANSWERED"):
        return
    wait(t.held.load() == 0)                        # LET-GO-IS-ANSWERED
