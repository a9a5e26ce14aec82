"""What a VM may log: the closed set of events, one struct each.

An event is one shared access of one thread, or (`LOCAL`) something that it does by itself.  `before` and `after` are stamps of
one atomic counter, taken around the access.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from safepoint.protocol.names import REQUESTS
from safepoint.trace.lines import Count, End, Header, Line, Name
from safepoint.trace.observe import site_of

Request = Literal["STOP", "HANDSHAKE", "INTERRUPT", "SAMPLE", "TERMINATE"]
Word = Annotated[str, Meta(max_length=20, description="a trigger word: limit, ticker, or of a row: entry[0]")]
Entry = Annotated[int, Meta(ge=0, le=63, description="which word of a row of trigger words")]


class Event(Line):
    """What thread or requester `by` did between two stamps."""

    by: Name
    before: Count
    after: Count

    unjudged: ClassVar[str] = ""
    """What is not judged of a VM that does not log this kind."""

    def detail(self) -> str | int:
        """What else it says."""
        return 0

    def key(self) -> tuple[object, ...]:
        """Equal of events of the same actor that say the same; has all that the event says."""
        return self.__class__, self.by


class ToThread(Event):
    """An event that is done to thread `to`."""

    to: Name

    def key(self) -> tuple[object, ...]:
        return self.__class__, self.by, self.to


BITS: dict[str, int] = {name: bit for bit, name in REQUESTS.items()}
"""Request to its bit."""


class Posted(ToThread, tag="posted"):
    """The request is pending from here on.  An owner that gives back what it took posts it to itself."""

    kinds: list[Request]
    unjudged = "what is taken: whether it was posted, lost, or taken twice"

    def detail(self) -> int:
        return sum(BITS[kind] for kind in self.kinds)

    def key(self) -> tuple[object, ...]:
        return self.__class__, self.by, self.to, *self.kinds


class Poisoned(ToThread, tag="poisoned"):
    """One trigger word of the target fails its check from here on."""

    word: Word
    unjudged = "whether each check sees the poison; the declared bound is still counted, from the post"

    def detail(self) -> str:
        return self.word

    def key(self) -> tuple[object, ...]:
        return self.__class__, self.by, self.to, self.word


class Entered(Event, tag="entered"):
    """A check failed, and the slow path begins.  `elsewhere`: at a return or an allocation.  `look`: at the end of a mask, an unwinding or a sleep.  `entry`: as `looped`."""

    site: Literal["push", "back-edge", "elsewhere", "look"]
    entry: Entry = 0
    unjudged = "which check saw the request; a pass through the slow path begins at its first restored word"

    def detail(self) -> str:
        return site_of(self.site, self.entry)

    def key(self) -> tuple[object, ...]:
        return self.__class__, self.by, self.site, self.entry


class Restored(Event, tag="restored"):
    """The owner has made one of its trigger words real again."""

    word: Word
    unjudged = "whether the words are restored before the take"

    def detail(self) -> str:
        return self.word

    def key(self) -> tuple[object, ...]:
        return self.__class__, self.by, self.word


class Took(Event, tag="took"):
    """The owner has taken these requests, maybe none, in one atomic operation."""

    kinds: list[Request]
    unjudged = "whether what was posted is taken, and taken once"

    def detail(self) -> int:
        return sum(BITS[kind] for kind in self.kinds)

    def key(self) -> tuple[object, ...]:
        return self.__class__, self.by, *self.kinds


class Served(Event, tag="served"):
    """LOCAL: a request that the owner has taken is served."""

    kind: Request
    unjudged = "whether what was taken is served"

    def detail(self) -> int:
        return BITS[self.kind]

    def key(self) -> tuple[object, ...]:
        return self.__class__, self.by, self.kind


class Parked(Event, tag="parked"):
    """The thread has said that it is parked, and waits for the end of the stop."""

    unjudged = "whether the world is stopped"


class Resumed(Event, tag="resumed"):
    """A parked thread has published that it runs guest code; what it sees then may send it back."""

    unjudged = "whether the world is stopped"


class NativeEntered(Event, tag="native-entered"):
    """The thread has left guest code: for native code, for a sleep, or to stop the world itself."""

    unjudged = "whether the world is stopped"


class NativeLeft(Event, tag="native-left"):
    """The thread has published that it runs guest code again."""

    unjudged = "whether the world is stopped"


class Blocked(Event, tag="blocked"):
    """The thread has made itself wakeable: it is about to sleep."""

    unjudged = "whether a sleeper is woken"


class Woken(ToThread, tag="woken"):
    """A requester has ended the target's sleep, if it sleeps: the last thing that each post does."""

    unjudged = "whether a sleeper is woken"


class Cleared(Event, tag="cleared"):
    """A thread that begins has dropped what was pending in its record."""

    unjudged = "whether a thread inherits a request"


class Spawned(Event, tag="spawned"):
    """A thread that begins has published that it runs guest code."""

    unjudged = "whether a thread is born into a stopped world"


class Exited(Event, tag="exited"):
    """The thread has ended: no stop waits for it."""

    unjudged = "whether the world is stopped"


class Masked(Event, tag="masked"):
    """LOCAL: the outermost critical section begins: INTERRUPT stays pending."""

    unjudged = "whether a mask holds"


class Unmasked(Event, tag="unmasked"):
    """LOCAL: the outermost critical section ends."""

    unjudged = "whether a mask holds"


class Pushed(Event, tag="pushed"):
    """The check of a frame push passed."""

    unjudged = "whether a push runs while the world is stopped; the bound in frames"


class Looped(Event, tag="looped"):
    """The check of a back-edge passed; `entry`: which word of a row of trigger words it read."""

    entry: Entry = 0
    unjudged = "whether a loop runs while the world is stopped; the bound in back-edges"

    def detail(self) -> int:
        return self.entry

    def key(self) -> tuple[object, ...]:
        return self.__class__, self.by, self.entry


class Checked(Event, tag="checked"):
    """The check of a return, or of an allocation, passed: of policies that check there."""

    unjudged = "whether a return, or an allocation, runs while the world is stopped; the bound in these"


class Counted(Event, tag="counted"):
    """A check that passed has stored its ticker, one less."""

    unjudged = "whether a ticker expires"


class Locked(Event, tag="locked"):
    """A coordinator has the world's lock."""

    unjudged = "whether two stops overlap"


class Unlocked(Event, tag="unlocked"):
    """The coordinator has released the world's lock."""

    unjudged = "whether two stops overlap"


class StopRequested(Event, tag="stop-requested"):
    """The stop word is set."""

    unjudged = "whether the world is stopped"


class StopReached(Event, tag="stop-reached"):
    """LOCAL: the coordinator has seen every thread outside guest code."""

    unjudged = "whether the world is stopped when its coordinator believes so"


class StopReleased(Event, tag="stop-released"):
    """The stop word is clear: also where a coordinator gives up."""

    unjudged = "whether the world is stopped"


class HandshakeAsked(ToThread, tag="handshake-asked"):
    """An operation on the target is asked for; the post follows."""

    unjudged = "whether an operation is run exactly once"


class HandshakeClaimed(ToThread, tag="handshake-claimed"):
    """The requester, or the target itself, has claimed the operation."""

    unjudged = "whether an operation is run exactly once"


class HandshakeRun(ToThread, tag="handshake-run"):
    """The operation looks at the target: its one run."""

    unjudged = "whether an operation is run exactly once"


class HandshakeDone(ToThread, tag="handshake-done"):
    """The operation is over: the next one may be asked for."""

    unjudged = "whether an operation is run exactly once"


class HandshakeBackedOff(ToThread, tag="handshake-backed-off"):
    """The requester has given its claim back: the target was in guest code again."""

    unjudged = "whether an operation is run exactly once"


Record = (
    Header | Posted | Poisoned | Entered | Restored | Took | Served | Parked | Resumed | NativeEntered | NativeLeft
    | Blocked | Woken | Cleared | Spawned | Exited | Masked | Unmasked | Pushed | Looped | Checked | Counted | Locked | Unlocked
    | StopRequested | StopReached | StopReleased | HandshakeAsked | HandshakeClaimed | HandshakeRun | HandshakeDone
    | HandshakeBackedOff | End
)  # fmt: skip
"""Any line of a trace."""

EVENTS: dict[str, type[Event]] = {str(c.__struct_config__.tag): c for c in Record.__args__ if issubclass(c, Event)}
"""Kind of event, as a line of a trace names it, to its struct."""
