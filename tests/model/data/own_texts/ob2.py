"""OCaml 5: a domain's slot is used again while the last domain's backup thread still lives (ocaml#11800, PR 11801)."""

from collections.abc import Iterable

from safepoint.protocol.language import Trigger, Word, choose, claim, mutant, pause, wait, when

NOBODY, INIT, TERMINATE = 0, 1, 2


class Thread:
    young: Trigger


class Me(Thread):
    """Nothing of its own."""


class World:
    lock: Word          # all_domains_lock
    used: Word          # 1: the one slot there is has a domain
    running: Word       # 1: the slot says that its backup thread runs
    message: Word       # for the backup thread
    alive: Word         # 1: there is an OS thread that serves as the backup thread


world: World


def threads() -> Iterable[Thread]:
    raise NotImplementedError


def mutator(t: Me) -> None:
    """A domain takes the slot, computes, ends."""
    wait(world.used.cas(0, 1))
    install()
    t.young.load()
    wait(world.lock.cas(0, 1))
    world.running.store(0)
    if mutant("told-after-release", breaks="TELL-BEFORE-RELEASE"):
        world.used.store(0)
        world.lock.store(0)
        world.message.store(TERMINATE)
    else:
        world.message.store(TERMINATE)
        world.used.store(0)
        world.lock.store(0)
    return mutator(t)


def install() -> None:
    running = world.running.load()
    if running == 0:
        left = world.message.load()
        alive = world.alive.load()
        if alive == 1:
            claim("last-backup-was-told", left != INIT)
        wait(world.alive.load() == 0)
        world.running.store(1)
        world.message.store(INIT)
        world.alive.store(1)


def backup(t: Me) -> None:
    wait(world.alive.load() == 1)
    wait(world.message.load() == TERMINATE)
    world.alive.store(0)
    return backup(t)


def idle() -> None:
    world.lock.load()
    return idle()
