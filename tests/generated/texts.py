"""Small protocol texts: guest threads, a coordinator that loops over them, and a requester that chooses one.

A busy text is mostly valid, and treats each thread for itself, as a protocol does: many hold for any number of threads.  In one
that is not, a role may be wild: it names every thread and word, and carries its locals wherever it likes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

HEAD = '''"""Generated."""


class Thread:
    a: Word
    b: Word


class Me(Thread):
    n: int


class World:
    g: Word
    h: Word


world: World


def threads() -> Iterable[Thread]:
    raise NotImplementedError
'''
ROLES = ("coordinator", "requester")


@dataclass(frozen=True)
class Place:
    """Where a statement stands.  `records`: what it may access, by name.  `leave`: how to leave the role's round, or ""."""

    role: str
    records: tuple[str, ...]
    known: tuple[str, ...] = ()
    leave: str = ""
    depth: int = 0


@dataclass
class Writer:
    """Draws the functions of one text.  `wild`: whether a statement may name what does not belong to its thread."""

    draw: st.DrawFn
    wild: bool
    lines: list[str] = field(default_factory=list)
    claims: int = 0

    def one_of(self, *options: str) -> str:
        return self.draw(st.sampled_from(options))

    def number(self, most: int) -> int:
        return self.draw(st.integers(0, most))

    def write(self, at: Place, line: str) -> None:
        self.lines.append("    " * (at.depth + 1) + line)

    def value(self, at: Place) -> str:
        """A constant or a local.  A wild text may name a local that is not set on every way, or not at all."""
        if self.wild and self.number(7) == 3:
            return self.one_of("x", "y")
        return self.one_of("0", "1", "2", *at.known)

    def test(self, at: Place) -> str:
        left = self.one_of(*at.known) if at.known else self.value(at)
        return f"{left} {self.one_of('==', '!=')} {self.one_of('0', '1', '2')}"

    def word(self, at: Place) -> str:
        record = self.one_of(*at.records)
        return f"{record}.{self.one_of('g', 'h') if record == 'world' else self.one_of('a', 'b')}"

    def block(self, at: Place, most: int) -> Place:
        """Statements, at least one; returns the place behind them."""
        for _ in range(1 + self.number(most)):
            at = self.statement(at)
        return at

    def statement(self, at: Place) -> Place:
        word = self.word(at)
        match self.number(11):
            case 0 | 1:
                self.write(at, f"{word}.store({self.value(at)})")
            case 2:
                self.write(at, f"{word}.{self.one_of('fetch_or', 'fetch_and')}({self.one_of('1', '2')})")
            case 3 | 4 | 5:
                name = self.one_of("x", "y")
                access = self.one_of("load()", "load()", f"swap({self.value(at)})", f"cas(0, {self.value(at)})")
                self.write(at, f"{name} = {word}.{access}")
                return replace(at, known=(*at.known, name))
            case 6:
                self.write(at, f"wait({word}.load() {self.one_of('==', '!=')} {self.one_of('0', '1')})")
            case 7 | 8 if at.depth < 4:
                self.branch(at, word)
            case 9:
                self.claims += 1
                self.write(at, f'claim("claim-{self.claims}", {self.test(at)})')
            case 10:
                return self.local(at)
            case _:
                self.loop(at)
        return at

    def branch(self, at: Place, word: str) -> None:
        self.write(at, f"if {self.test(at)}:")
        inner = replace(at, depth=at.depth + 1)
        if at.leave and self.number(2) == 0:
            self.write(inner, f"{word}.load()")
            self.write(inner, at.leave)
        else:
            self.block(inner, 1)

    def local(self, at: Place) -> Place:
        if at.role == "mutator" and self.number(1):
            self.write(at, f"t.n = {self.one_of('t.n + 1 & 3', '0', *at.known)}")
            return at
        name = self.one_of(*at.known) if at.known else "x"
        value = self.one_of("0", "1", *(f"{k} + 1 & 3" for k in at.known))
        self.write(at, f"{name} = {value}")
        return replace(at, known=(*at.known, name))

    def loop(self, at: Place) -> None:
        """For each thread; only a wild text has another loop in it, or one in a thread's own text."""
        allowed = self.wild or (at.role == "coordinator" and "t" not in at.records)
        if not allowed or at.depth > 2:
            self.write(at, f"{self.word(at)}.load()")
            return
        name = "t" if at.role == "coordinator" and "t" not in at.records else "o"
        self.write(at, f"for {name} in threads():")
        records = (*at.records, name) if self.wild else (name,)
        self.block(replace(at, records=records, depth=at.depth + 1, known=at.known if self.wild else ()), 3)

    def role(self, name: str, head: str, records: tuple[str, ...], *first: str) -> None:
        """An endless role; each round has an access or a pause, so that no round is local work only.

        A requester does not pause: it may be seen to, also from a thread that it has not chosen.
        """
        call = f"{name}({'t' if name == 'mutator' else ''})"
        self.lines += ["", "", f"def {head} -> None:"]
        at = Place(name, records, leave=f"return {call}")
        if self.number(1):
            first = (*first, "x = 0", "y = 0")
            at = replace(at, known=("x", "y"))
        for line in first:
            self.write(at, line)
        if name == "mutator":
            self.write(at, "match choose():")
            for case in range(1 + self.number(1)):
                self.write(replace(at, depth=1), f'case "{case}":')
                self.block(replace(at, depth=2), 2)
        else:
            self.write(at, f"{self.word(at)}.load()")
            at = self.block(at, 1)
        if name == "coordinator":
            self.loop(at)
            self.block(at, 1)
        if name != "requester":
            self.write(at, "pause()")
        self.write(at, at.leave)


@st.composite
def texts(draw: st.DrawFn, busy: bool) -> str:
    """The source of a text with the roles `mutator` and ROLES.  In one that is not `busy`, a role may be wild."""
    writer = Writer(draw, wild=False)

    def wild() -> bool:
        writer.wild = not busy and writer.number(2) == 1
        return writer.wild

    writer.role("mutator", "mutator(t: Me)", ("t", "world") if wild() else ("t",))
    wild()
    writer.role("coordinator", "coordinator()", ("world",))
    if wild():
        writer.role("requester", "requester()", ("t", "u", "world"), "t = choose(threads())", "u = choose(threads())")
    else:
        records = ("t",) if writer.number(3) else ("t", "world")
        writer.role("requester", "requester()", records, "t = choose(threads())")
    return HEAD + "\n".join(writer.lines) + "\n"
