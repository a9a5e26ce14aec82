"""A model written out as Promela: for a second opinion, that of Spin, on our explorer.

    safepoint explore --scope stop-1 --promela stop.pml
    spin -a -o2 stop.pml && gcc -O2 -DNOREDUCE -DSAFETY -o pan pan.c && ./pan

Spin then stores exactly as many states as we find, and its verdict is the same: a violated assertion where a property is
broken, an invalid end state where no process can move.  The first line of the file names the properties that it is not told of
(`untold`).  (-o2: else Spin leaves words that are only written out of its states.)

A place of a graph becomes a label.  There, each way to the next place is one option, and one `d_step`: a condition over the
state before, then what changes.  A choice is part of the access that follows it, and what is no longer needed becomes 0.
Under TSO a store goes into an array, and a process brings it to memory; it waits where the array is full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from safepoint.graph.flow import locals_of
from safepoint.graph.ir import Cell, Const, Expr, Local, Op, Private
from safepoint.graph.lower import compile_helper
from safepoint.graph.text import GLOBAL
from safepoint.model import fairness
from safepoint.model.activity import doing, is_at
from safepoint.model.bounds import BROKEN
from safepoint.model.custom_bounds import has_checks
from safepoint.model.eventually import goals
from safepoint.model.process import Process
from safepoint.model.system import Model
from safepoint.proof.guarded import GHOSTS, NO, Command, Commands, Word
from safepoint.protocol.activities import GUEST
from safepoint.protocol.words import ASKED, HANDSHAKE, NOTHING


def identifier(name: str) -> str:
    """`T0.entry[1]`, `coordinator 2.post.kind`: a name that Promela takes."""
    return re.sub(r"\W+", "_", name).strip("_")


def variable(of: Cell | Local | Private, process: Process | None = None) -> str:
    """The variable that holds a word; or, of a process, one of its locals and private words."""
    match of:
        case Word(_, cell, buffered):
            return f"{identifier(process.name)}_sees_{variable(cell)}" if buffered and process else variable(cell)
        case Cell(int(owner), word):
            return identifier(f"T{owner}.{word}")
        case Cell():
            return identifier(str(of))
    assert process is not None
    return identifier(f"{process.name}.{of.name if isinstance(of, Local) else of.word}")


def waits_for(process: Process) -> Cell:
    """The ghost that says for which thread's operation a requester waits."""
    return Cell(process.name, "waits_for")


def spelled(e: Expr, process: Process) -> Expr:
    """The expression with Promela's variables for locals, private and shared words; a private word that it has not is 0."""
    match e:
        case Private(word) if word not in process.privates:
            return NO
        case Local() | Private():
            return Local(variable(e, process))
        case Op(name, args):
            return Op(name, tuple(spelled(a, process) for a in args))
    return e


def say(e: Expr, renamed: dict[str, str] | None = None) -> str:
    match e:
        case Const(value):
            return str(int(value))
        case Local(name):
            return (renamed or {}).get(name, name)
        case Op("~", (a,)):
            return f"~{say(a, renamed)}"
        case Op(name, (a, b)):
            return f"({say(a, renamed)} {name} {say(b, renamed)})"
    raise ValueError(f"{e}: an expression without a counterpart in Promela")


Places = dict[int, list[Command]]
"""Where a process can be between two steps, and its commands there."""


def export(model: Model) -> str:
    """The whole model.  Raises ValueError for what has no counterpart here."""
    if model.is_weak:
        raise ValueError(f"{model.memory}: views without a counterpart in Promela (write: --memory sc, or tso)")
    for name in model.text.functions:
        if name.startswith(GLOBAL):
            raise ValueError(f"{name}(): a global claim without a counterpart in Promela (leave it out of the text)")
    for process in model.processes:
        if process.is_handler:
            raise ValueError(f"{process.name}: a role that runs on a thread without a counterpart in Promela")
    places = [_places(model, m) for m in model.processes]
    fenced = " && ".join(f"{identifier(m.name)}_sent == 0" for m in model.processes if m.buffer)
    processes = "\n".join(
        line
        for m, found, rest in zip(model.processes, places, model.rests, strict=True)
        for line in _process(m, found, fenced, rest)
    )
    parts = [_head(model), *_variables(model, set(re.findall(r"\bwas_\w+", processes)))]
    for process in model.processes:
        parts += _buffer(process)
    # a custom text is judged by its claims, which stand in the steps, and by no-deadlock, which Spin knows: where a process
    # rests, its label says that it may end there
    judged = [] if model.text.is_custom else [*_definitions(model, places), *_judge(model)]
    return "\n".join([*parts, processes, *judged, ""])


def untold(model: Model) -> list[str]:
    """The properties that Spin is not told of: it counts no checks and no stops, and looks at one state at a time."""
    counted = [BROKEN] * (not model.text.is_custom or has_checks(model))
    counted += [fairness.BROKEN] * (fairness.FAIR in model.scope.slices)
    return counted + list(dict.fromkeys(name for group in goals(model) for name, _, _ in group.goals))


def _places(model: Model, process: Process) -> Places:
    """The initial place first."""
    room = len(process.buffer)
    waiting = tuple(waits_for(m) for m in model.processes if m.waits_for)
    mine = waits_for(process) if process.waits_for else None
    stored, layout = tuple(process.stored), model.layout
    ghosts = (mine, waiting, layout.has_run, layout.takes, layout.hint)
    brakes = tuple(cell for cell, at in model.cells.items() if at in process.brakes)
    commands = Commands(process.graph, process.me, model.reals, stored, room, *ghosts, brakes)
    found: Places = {}
    todo = [process.at(model.initial)]
    while todo:
        step = todo.pop()
        if step.number not in found:
            found[step.number] = list(commands.of(step))
            todo += [c.end for c in found[step.number] if c.end]
    return found


def _head(model: Model) -> str:
    what = f"scope {model.scope.name}, policy {model.policy.name}, memory {model.memory}"
    mutant = f", mutant {model.mutant}" if model.mutant else ""
    return f"/* {what}{mutant}: made by `safepoint explore --promela`; not judged here: {', '.join(untold(model))} */\n"


def _variables(model: Model, hidden: set[str]) -> Iterator[str]:
    """Declare each variable with its initial value, and the hidden copy that is not part of a state where a process uses one."""
    fields = {variable(cell): at for cell, at in model.cells.items()}
    for owner, ghosts in model.layout.ghosts.items():
        fields |= {variable(Cell(owner, name)): at for name, at in zip(GHOSTS, ghosts, strict=True)}
    for process in model.processes:
        fields |= {variable(waits_for(process)): process.waits_for} if process.waits_for else {}
        fields |= {variable(Local(n), process): at for n, at in (process.locals | process.privates).items()}
    for name, at in fields.items():
        size = "byte" if at.mask < 1 << 8 else "int"
        yield f"{size} {name} = {at.get(model.initial)};"
        if f"was_{name}" in hidden:
            yield f"hidden {size} was_{name};"


def _buffer(process: Process) -> Iterator[str]:
    """TSO: the stores on their way, the oldest first, and a process that brings them to memory."""
    if not process.buffer:
        return
    name, last = identifier(process.name), len(process.buffer) - 1
    yield f"\nbyte {name}_sent, {name}_which[{last + 1}], {name}_what[{last + 1}];"
    for number, cell in enumerate(process.stored, 1):
        seen = variable(cell)
        for i in range(last + 1):  # the newest is asked first
            seen = f"({name}_which[{i}] == {number} -> {name}_what[{i}] : {seen})"
        yield f"#define {name}_sees_{variable(cell)} {seen}"
    yield f"active proctype {name}_memory() {{\n  end: do\n  :: d_step {{ {name}_sent > 0 ->\n    if"
    yield from (
        f"    :: {name}_which[0] == {n} -> {variable(c)} = {name}_what[0]" for n, c in enumerate(process.stored, 1)
    )
    yield "    fi;"
    yield from (f"    {name}_{a}[{i}] = {name}_{a}[{i + 1}];" for i in range(last) for a in ("which", "what"))
    yield f"    {name}_which[{last}] = 0; {name}_what[{last}] = 0; {name}_sent-- }}\n  od\n}}"


def _process(process: Process, places: Places, fenced: str, rest: frozenset[int]) -> Iterator[str]:
    yield f"\nactive proctype {identifier(process.name)}() {{"
    for number, commands in places.items():
        step = process.graph.steps[number]
        options = [_option(process, number, c, fenced) for c in commands] or [
            "  :: false"
        ]  # nothing leads on from here
        end = f"end_{number}:\n" if number in rest else ""
        yield "\n".join([f"{end}L{number}: /* {step.name} ({step.file}:{step.line}) */\n  if", *options, "  fi;"])
    yield "}"


def _option(process: Process, before: int, c: Command, fenced: str) -> str:
    """`fenced`: the condition that every store buffer is empty."""
    assert c.end is not None
    fences = c.access is not None and c.access.op == "fence_others"
    changes = _changes(process, before, c.end.number, c)
    # all of them happen at once: what another one reads is kept in a hidden variable first
    read = {of for name, value in changes.items() for of in locals_of(value) if of != name}
    kept = {name: f"was_{name}" for name in changes if name in read}
    does = [f"assert({say(spelled(test, process))}) /* {name} */" for name, test in c.claims]
    does += [f"{new} = {name}" for name, new in kept.items()]
    if c.sent:
        mine, (cell, what) = identifier(process.name), c.sent
        does += [f"{mine}_which[{mine}_sent] = {process.stored.index(cell) + 1}"]
        does += [f"{mine}_what[{mine}_sent] = {say(spelled(what, process))}", f"{mine}_sent++"]
    does += [f"{name} = {say(value, kept)}" for name, value in changes.items()]
    tests = " && ".join([say(spelled(t, process)) for t in c.guards] + [fenced] * (fences and bool(fenced))) or "true"
    cases = f"  /* {', '.join(c.cases)} */" if c.cases else ""
    return f"  :: d_step {{ {tests} -> {'; '.join(does or ['skip'])} }}; goto L{c.end.number}{cases}"


def _changes(process: Process, before: int, after: int, c: Command) -> dict[str, Expr]:
    """The variables that get another value.  A local that is not needed at `after` is 0 there."""
    live = process.graph.live
    found: dict[str, Expr] = {variable(Local(n), process): NO for n in live[before] - live[after]}
    for target, value in c.writes.items():
        if not isinstance(target, Local) or target.name in live[after]:
            found[variable(target, process)] = spelled(value, process)
    return {name: value for name, value in sorted(found.items()) if value != Local(name)}


# ---------------------------------------------------------------------------------------------- the properties


def _definitions(model: Model, places: list[Places]) -> Iterator[str]:
    """What the properties speak of, as macros: a place of `properties` is one or more labels."""
    yield ""
    table = [
        (f"{identifier(m.name)}@L{number}", m, doing(m, m.graph.steps[number]))
        for m, found in zip(model.processes, places, strict=True)
        for number in found
    ]
    yield f"#define stopped {_any(label for label, _, p in table if p.stopped)}"
    yield f"#define visible {_no(f'{identifier(m.name)}_sent' for m in model.processes if m.buffer)}"
    for i, me in enumerate(model.mutators):
        guest = (f"T{i}@L{n}" for n in places[i] if is_at(me.graph, me.graph.steps[n], GUEST))
        yield f"#define T{i}_in_guest {_any(guest)}"
        yield f"#define T{i}_asleep {_any(label for label, m, p in table if m is me and p.asleep)}"
        for what in ("awaiting", "operating"):
            yield f"#define {what}_T{i} {_any(label for label, _, p in table if getattr(p, what) == i)}"
        posts = [(label, p.kinds) for label, _, p in table if p.posting == i]
        labels = {kinds: _any(label for label, k in posts if k == kinds) for kinds in sorted({k for _, k in posts})}
        posting = (f"({at} -> {kinds} : 0)" for kinds, at in labels.items())
        yield f"#define T{i}_under_way ({' | '.join(posting) or '0'})"
        yield from _words(model, me)


def _words(model: Model, me: Process) -> Iterator[str]:
    """Of one thread: what is pending, what of that it would take now, what is lost, and whether all its checks fail."""
    t, base = f"T{me.me}", model.policy.base
    words = {c.word: variable(c) for c in model.cells if c.owner == me.me}
    deferred = say(spelled(Private("deferred"), me))
    limit = words.get("limit", "0")
    yield f"#define {t}_bits {f'(({limit} < {base} -> {limit} : 0) | {deferred})' if base else words.get('pending', '0')}"
    yield f"#define {t}_deliverable ({t}_bits & {say(spelled(compile_helper(model.text, 'deliverable'), me))})"
    yield f"#define {t}_unseen ({t}_deliverable & ~{t}_under_way)"
    triggers = [name for word, name in words.items() if word.split("[")[0] in model.policy.words]
    shared = [f"{variable(c)} != {model.initial_of(c)}" for c in model.checked_by_all]
    alert = " && ".join([*(f"{name} <= {max(base - 1, 0)}" for name in triggers), *shared]) or f"{t}_deliverable != 0"
    yield f"#define {t}_alert ({alert})"
    operation = words.get("operation", "0")
    hint = f"(({t}_under_way & {HANDSHAKE}) != 0 || {operation} != {ASKED} -> {HANDSHAKE} : 0)"
    yield f"#define {t}_lost ({t}_owed & ~{t}_bits & ~{hint})"
    yield f"#define {t}_false ({t}_bits & ~{t}_owed & ~{HANDSHAKE})"
    yield f"#define {t}_unrun (({t}_owed & {HANDSHAKE}) != 0 && {operation} == {NOTHING})"
    yield f"#define {t}_woken ({words.get('wake', '0')} != 0)"


def _judge(model: Model) -> Iterator[str]:
    """It moves only where a property is broken: so it adds no state to those where all hold."""
    yield "\nactive proctype judge() {\n  if"
    if "exclusive" in model.scope.slices:
        operating = _any(f"operating_T{i}" for i in range(len(model.mutators)))
        yield f'  :: stopped && {operating} -> printf("stop-is-exclusive\\n"); assert(false)'
    for i in range(len(model.mutators)):
        runs = f"T{i}_in_guest && visible"
        broken = {
            "done-was-run": f"T{i}_unrun",
            "world-stopped": f"T{i}_in_guest && stopped",
            "handshake-alone": f"T{i}_in_guest && operating_T{i}",
            "taken-is-served": f"T{i}_in_guest && T{i}_held != 0",
            "owed-is-pending": f"{runs} && T{i}_lost != 0",
            "pending-was-posted": f"{runs} && T{i}_false != 0",
            "pending-is-poisoned": f"{runs} && !T{i}_alert && T{i}_unseen != 0",
            "awaited-is-poisoned": f"{runs} && !T{i}_alert && awaiting_T{i}",
            "sleeper-is-woken": f"T{i}_asleep && visible && !T{i}_woken && T{i}_unseen != 0",
        }
        for name, bad in broken.items():
            if name not in model.policy.waives:
                yield f'  :: {bad} -> printf("{name}: T{i}\\n"); assert(false)'
    yield "  fi\n}"


def _any(labels: Iterable[str]) -> str:
    return f"({' || '.join(labels) or 'false'})"


def _no(counts: Iterable[str]) -> str:
    return f"({' && '.join(f'{c} == 0' for c in counts) or 'true'})"
