"""JSC's watchdog (BabylonJS/JsRuntimeHost #241) and a nested eval that resets what its caller had set (quickjs-ng #1673)."""

from collections.abc import Iterable

from safepoint.protocol.language import Trigger, Word, choose, mutant, pause, wait, when


class Thread:
    trap: Trigger
    armed: Word         # 1: the timer runs
    cancel: Word        # 1: the embedder wants the script ended


class Me(Thread):
    inside: int         # 1: in a nested evaluation


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    """A script: it begins with the timer armed, and it loops until it is terminated."""
    t.armed.store(1)
    return script(t)


def script(t: Me) -> None:
    match choose():
        case "loops":
            pause()
            wait(t.trap.load() == t.trap.poison)
        case "computes":
            pause()
        case "evaluates":
            when(t.inside == 0)
            before = t.armed.load()
            t.armed.store(1)
            t.inside = 1
            pause()
            t.inside = 0
            if mutant("not-restored", breaks="WHO-SETS-RESTORES"):
                t.armed.store(0)
            else:
                t.armed.store(before)
    if t.trap.load() == t.trap.poison:
        t.trap.swap(t.trap.real)
        wanted = t.cancel.load()
        if wanted == 1:
            t.armed.store(0)
            t.cancel.store(0)
            return mutator(t)
        if mutant("not-armed-again", breaks="ARMED-UNTIL-ENDED"):
            return script(t)
        t.armed.store(1)
    return script(t)


def timer() -> None:
    t = choose(threads())
    wait(t.armed.load() == 1)
    t.armed.store(0)
    t.trap.store(t.trap.poison)
    return timer()


def embedder() -> None:
    t = choose(threads())
    t.cancel.store(1)
    wait(t.cancel.load() == 0)
    return embedder()
