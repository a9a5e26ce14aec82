"""Guest programs that no programmer would write: those of the corpus with a few edits, of their text or of their compiled code.

Whatever comes of it is refused in one line, or runs alike on both machines, also with a request before some step.  An `Instance` is
no more than numbers, so that a failure is repeated by its string, on any machine, without a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from random import Random

from safepoint.conform.target import GuestStuck
from safepoint.differential.compare import NOTICED, differences
from safepoint.differential.corpus import Guest, corpus
from safepoint.differential.reference import Reference
from safepoint.differential.stepped import SAMPLE, TERMINATE, Stepped
from safepoint.guest.code import OPCODES, Code, Handler, Instruction, Program
from safepoint.guest.compiler.program import compile_program
from safepoint.guest.faults import GuestSyntaxError
from safepoint.guest.verifier import BadCode, verify

TEXT, CODE = "text", "code"
KINDS = {
    TEXT: "lines or tokens of a program are left out, doubled, swapped, or replaced by others of their kind",
    CODE: "instructions, handlers or the frame of a compiled function are changed",
}
"""What is edited."""
MOST_EDITS = 3
STEPS = 10_000
"""Instructions that a program is given: of one that goes on for ever, the machines are compared then."""
REQUESTS = (*NOTICED, SAMPLE, TERMINATE)
FILE = "<fuzz>"
LINE = re.compile(rf"{FILE}:[1-9]\d*:[1-9]\d*: [^\n]+")
TOKEN = re.compile(r"\n *|[A-Za-z_]\w*|\d+(?:\.\d+)?|'[^'\n]*'|\"[^\"\n]*\"|[-+*/%<>=!&|^~]+|.", re.DOTALL)
ALIKE = (
    ("+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>"),
    ("<", "<=", ">", ">=", "==", "!=", "in", "is"),
    ("=", "+=", "-=", "*=", "//=", "|="),
    ("and", "or"),
    ("break", "continue", "return", "pass", "raise"),
    ("0", "1", "2", "3", "7", "-1", "0.5", "1e300", "4611686018427387903", "None", "True", "''", "'a'", "[]", "[1]"),
)
"""Tokens that can stand for each other; so can any two names of a program.  The last are values."""


@dataclass(frozen=True)
class Instance:
    """edits: which of the numbered edits are made, of MOST_EDITS.  step: before which one request is posted; -1: none is."""

    kind: str
    program: str
    seed: int
    edits: tuple[int, ...]
    step: int = -1

    def __str__(self) -> str:
        edits = ",".join(map(str, self.edits)) or "-"
        return f"f:{self.kind}:{self.program}:{self.seed}:{edits}" + (f"@{self.step}" if self.step >= 0 else "")

    @property
    def request(self) -> str:
        return Random(f"request {self.seed}").choice(REQUESTS)

    def smaller(self) -> Iterator[Instance]:
        """Those with less, the smallest first."""
        for count in range(len(self.edits) + 1):
            for edits in combinations(self.edits, count):
                yield replace(self, edits=edits, step=-1)
                if self.step >= 0 and edits != self.edits:
                    yield replace(self, edits=edits)


def parse(string: str) -> Instance:
    """Raises ValueError: it is no instance's string."""
    found = re.fullmatch(r"f:(\w+):(\w+):(\d{1,18}):(-|\d(?:,\d){0,9})(?:@(\d{1,6}))?", string)
    if not found or found[1] not in KINDS:
        raise ValueError(f"{string!r} is not the string of a fuzzed program (copy it from a failure, whole)")
    edits = () if found[4] == "-" else tuple(map(int, found[4].split(",")))
    return Instance(found[1], found[2], int(found[3]), edits, int(found[5] or -1))


@lru_cache
def guests() -> dict[str, Guest]:
    return {guest.name: guest for guest in corpus()}


def drawn(kind: str, seed: int) -> Instance:
    """The instance of a seed."""
    random = Random(f"{kind} {seed}")
    program = random.choice(sorted(guests()))
    edits = tuple(range(random.randint(1, MOST_EDITS)))
    return Instance(kind, program, seed, edits, random.choice((-1, random.randrange(200))))


def made(instance: Instance) -> Program:
    """The program.  Raises KeyError: the corpus has none of that name; GuestSyntaxError, BadCode: it is refused."""
    if instance.kind == TEXT:
        return compile_program(text_of(instance), FILE)
    program = compile_program(guests()[instance.program].source, FILE)
    for random in _rounds(instance):
        number = random.randrange(len(program.codes))
        code = damaged_code(program.codes[number], random)
        program = replace(program, codes=(*program.codes[:number], code, *program.codes[number + 1 :]))
    return program


def text_of(instance: Instance) -> str:
    """The text of one of kind TEXT.  Raises KeyError."""
    text = guests()[instance.program].source
    for random in _rounds(instance):
        text = edited(text, random)
    return text


def _rounds(instance: Instance) -> list[Random]:
    return [Random(f"{instance.seed} {number}") for number in instance.edits]


# -- text


def edited(text: str, random: Random) -> str:
    how = random.choice(("replace", "replace", "replace", "delete", "double", "swap"))
    parts = TOKEN.findall(text) if how == "replace" or random.random() < 0.5 else text.splitlines(keepends=True)
    if not parts:
        return text
    at, other = random.randrange(len(parts)), random.randrange(len(parts))
    match how:
        case "replace":
            at = next((n for n in range(at, len(parts)) if not parts[n].isspace()), at)
            parts[at] = random.choice(_alike(parts[at], parts))
        case "delete":
            del parts[at]
        case "double":
            parts.insert(at, parts[at])
        case _:
            parts[at], parts[other] = parts[other], parts[at]
    return "".join(parts)


def _alike(token: str, tokens: Sequence[str]) -> Sequence[str]:
    """What may stand where this token does."""
    for others in ALIKE:
        if token in others or (others is ALIKE[-1] and re.match(r"[\d'\"]", token)):
            return others
    return [t for t in tokens if t[0].isalpha() or t[0] == "_"] if token[0].isalpha() else tokens


# -- code


def damaged_code(code: Code, random: Random) -> Code:
    return random.choice((changed, changed, changed, moved, covered, framed))(code, random)


def changed(code: Code, random: Random) -> Code:
    """Another opcode or other operands."""
    at = random.randrange(len(code.instructions))
    old = code.instructions[at]
    op = random.choice((old.op, *OPCODES))
    operands = tuple(random.choice((*old.operands, *range(-4, 8))) for _ in OPCODES[op].operands)
    return _with(code, at, at + 1, Instruction(op, operands, old.line))


def moved(code: Code, random: Random) -> Code:
    """An instruction that is missing, there twice, or changes places with another; jumps keep their distances."""
    at, other = random.randrange(len(code.instructions)), random.randrange(len(code.instructions))
    one, two = code.instructions[at], code.instructions[other]
    match random.randrange(3):
        case 0 if len(code.instructions) > 1:
            return _with(code, at, at + 1)
        case 1:
            return _with(code, at, at, two)
    return _with(_with(code, at, at + 1, two), other, other + 1, one)


def covered(code: Code, random: Random) -> Code:
    """Another handler, inside the code or not."""
    size = len(code.instructions)
    start, end, target = (random.randint(0, size) for _ in range(3))
    return replace(code, handlers=(*code.handlers, Handler(start, end, target, random.randint(0, code.slots))))


def framed(code: Code, random: Random) -> Code:
    """A frame of another size."""
    return replace(code, slots=max(0, code.slots + random.randint(-3, 3)))


def _with(code: Code, start: int, end: int, *new: Instruction) -> Code:
    return replace(code, instructions=(*code.instructions[:start], *new, *code.instructions[end:]))


# -- judged


REFUSED, ENDED, ENDLESS, STUCK = "refused", "agreed", "agreed, without an end", "agreed, and waits for ever"


def judge(instance: Instance, target: Stepped) -> tuple[str, str]:
    """How it ended, one of the above; and what is wrong with it, "" if nothing.  Raises KeyError as `made`."""
    try:
        program = made(instance)
        verify(program)
    except GuestSyntaxError as error:
        good = instance.kind == TEXT and LINE.fullmatch(str(error))
        return REFUSED, "" if good else f"refused, and not in one line that says where: {error}"
    except BadCode as error:
        return REFUSED, "" if instance.kind == CODE else f"the compiler made what the verifier refuses: {error}"
    stack = guests()[instance.program].stack
    reference = Reference()
    reference.use(program, stack)
    load: Callable[[Program, int], None] = target.load_program  # type: ignore[attr-defined]  # the interpreter's, no claim of a target
    load(program, stack)
    how, theirs = _run(reference, instance), _run(target, instance)
    if how != theirs:
        return how, f"the reference machine: {how}; the target: {theirs}"
    differs = differences(reference.observe(), target.observe())
    return how, "; ".join(f"{name}: reference {a!r}, target {b!r}" for name, (a, b) in differs.items())


def _run(machine: Stepped, instance: Instance) -> str:
    machine.start()
    try:
        if instance.step >= 0:
            machine.step(instance.step)
            machine.post(instance.request)
        return ENDLESS if machine.step(STEPS) else ENDED
    except GuestStuck:
        return STUCK
