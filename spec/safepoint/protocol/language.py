"""The vocabulary of a protocol text, for mypy, editors and readers.

A protocol text is never executed by CPython: `graph.lower` reads it with `ast`, and these declarations only give it types.
One method call on a `Word` is one access to shared memory, and one atomic step of the model:

    method             what it is                        machine (LLVM's memory order)
    load()             a plain load                      load atomic acquire
    look()             a load that must not pass what    load atomic seq_cst
                       its thread published before it
    store(v)           a plain store                     store atomic release
    publish(v)         a store that is seen before its   store atomic seq_cst
                       thread looks at anything
    fetch_or/and(v)    locked; gives the old value       atomicrmw seq_cst
    fetch_add/sub(v)   locked; gives the old value       atomicrmw seq_cst
    swap(v)            locked; gives the old value       atomicrmw xchg seq_cst
    cas(old, new)      locked; gives whether it swapped  cmpxchg seq_cst
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar, overload

T = TypeVar("T")


class Word(Protocol):
    """One machine word that several threads access."""

    def load(self) -> int: ...
    def look(self) -> int: ...
    def store(self, value: int) -> None: ...
    def publish(self, value: int) -> None: ...
    def fetch_or(self, bits: int) -> int: ...
    def fetch_and(self, bits: int) -> int: ...
    def fetch_add(self, value: int) -> int: ...
    def fetch_sub(self, value: int) -> int: ...
    def swap(self, value: int) -> int: ...
    def cas(self, old: int, new: int) -> bool: ...


class Trigger(Word, Protocol):
    """A word that some check reads; `real` and `poison` are constants of a thread's whole life, never shared accesses."""

    @property
    def real(self) -> int: ...
    @property
    def poison(self) -> int: ...


Triggers = tuple[Trigger, ...]
"""A row of trigger words of one name; the policy says how many (`folded`: one for each opcode that jumps backward)."""


class Suspension(Word, Protocol):
    """A word that is no check: while it is not 0, its thread makes no step, wherever it stands, as `SuspendThread` sees to.

    Its stores still reach memory.  A model only: there is no machine code.
    """


def begins(value: int) -> Any:
    """Of a word: what it holds at first, `state: Word = begins(PARKED)`; without it, 0.  Of one of type int: `= 1`."""


def wait(condition: bool) -> None:
    """Block until the condition holds.  The condition contains exactly one `load`, or is one `cas`.

    Model: the step is disabled until it holds.  Machine: try once; if it fails, return a status and be called again.
    """


def fence() -> None:
    """The thread's own stores so far become visible before its next access.  Model: it waits until its store buffer is empty."""


def fence_others() -> None:
    """Every other thread's stores so far become visible, as `membarrier` and `FlushProcessWriteBuffers` see to; and one's own.

    Model: the step waits until every store buffer is empty.  Machine: there is no code for it yet, and it is refused.
    """


# -- ghosts: what the model is told, and the machine is not (but `served`, which it counts).  They belong to the access before
# -- them.  Of each thread the model keeps what it is *owed* (posted, not taken), what it *holds* (taken, not served), and what
# -- is *due* (served, and the site has yet to raise it).


def posted(t: object, kind: int) -> None:
    """The request is pending now, and owed; of a handshake the bit is a hint, and `asked` says that it is owed."""


def asked(t: object, kind: int) -> None:
    """From here on an operation is owed to `t`, and its requester waits for it."""


def taken(kinds: int, t: object) -> None:
    """These are pending no more: the owner holds them."""


def given_back(t: object, kinds: int) -> None:
    """What the owner held is pending again, and owed."""


def served(kind: int, t: object) -> None:
    """A request that the owner holds is served.  If it is of a kind that raises, it is due at the site."""


def ran(kind: int, t: object) -> None:
    """The operation that is owed has been run: exactly once."""


def dropped(t: object, kinds: int) -> None:
    """What was owed to the thread that was `t` is owed no more, if it is of these kinds."""


def pause() -> None:
    """A silent step, so that a place in the text can be observed.  Machine: nothing."""


def mutant(name: str, breaks: str) -> bool:
    """True when the text is compiled with this mutant; folded then.  `breaks`: the id of the rule it breaks."""
    raise NotImplementedError


def checks_at(site: str) -> bool:
    """True when the policy has a check site there (`policy.SITES`); folded then.  Only a trigger asks, at what it would check."""
    raise NotImplementedError


# -- for the environment of a model only: a protocol that uses these has no machine code


def each_thread(role: T) -> T:
    """Above a role with one parameter, a thread: there is one for each thread, beside it, as an OS thread that serves it."""
    return role


def handler(role: T) -> T:
    """Above a role with one parameter, a thread: it runs on that thread, between any two of its steps, as a signal's handler
    does: with the thread's words and store buffer.  Until it is back at its first step, the thread stands still.
    """
    return role


def atomic() -> AbstractContextManager[None]:
    """`with atomic():` what the environment does at once, an operating system's call say: all its accesses are one step.

    It waits until its thread's stores are visible and each `wait` in it holds; an access goes to memory.
    """
    raise NotImplementedError


@overload
def choose() -> str: ...
@overload
def choose(among: Iterable[T]) -> T: ...
def choose(among: Iterable[T] = ()) -> T | str:
    """`match choose():` any of the cases; `x = choose(words)`: any of them.  No step: part of the one that follows."""
    raise NotImplementedError


def when(condition: bool) -> None:
    """This case of a `choose` is possible only if the condition, which is local, holds."""


def slice_on(name: str) -> bool:
    """True when the scope has this feature; folded then.  Machine: it has none."""
    raise NotImplementedError


def claim(name: str, condition: bool) -> None:
    """The property `name` is broken if the condition, which is local, does not hold here."""


@overload
def rest() -> None: ...
@overload
def rest(condition: bool) -> None: ...
def rest(condition: bool = False) -> None:
    """As `wait`, but it may last for ever: an endless loop of guest code, or a role with nothing to do.  Without a condition, for ever."""


def eventually(name: str, condition: bool) -> None:
    """A thread or role comes here again and again with the condition, which is local, true: from every state there is a way.

    In a global claim: there is a way to a state in which it is true.
    """


def finished(t: object, kind: int) -> None:
    """The operation on `t` was asked for, and it must have been run."""


def raises(kind: int, t: object) -> None:
    """The site tells the guest to raise this kind (0: none): it must be exactly what was due there."""


# -- for a text of one's own only: what it declares, and what its global claims, `def always_…() -> None`, may ask.  They may load
# -- any word of any thread, and any word that is only its own, in any number, and make no step.


def scope(
    name: str, *roles: Callable[[], None], threads: int = 0, frames: int | None = None, back_edges: int | None = None
) -> None:
    """In `def scopes() -> None`: a world of these roles, beside 1, 2 and 3 threads, or beside `threads`; and the bound it declares."""


def at(who: object, procedure: Callable[..., object]) -> bool:
    """In a global claim: stands the thread, or the role, at a step within this procedure?"""
    raise NotImplementedError


def owed(t: object) -> int:
    """In a global claim: the kinds of request that are posted to the thread, and not taken or served yet."""
    raise NotImplementedError
