"""THE PROTOCOL.  How one thread makes others stop or take notice, by failing checks that they make anyway.

Restricted Python with two readers: the model explores it, and the generator makes the interpreter's slow path from it
(`language` has the primitives).  A statement makes at most one access to shared memory; it is one atomic step, and what
follows it locally belongs to it.  `return f(t)` is a jump.  A function whose body is one `return` without a shared access is
inlined as an expression.  `if mutant(…)` is a mistake that some VM made, beside the right line: left out unless asked for by
name.  The capitals in comments are rules: `safepoint rules ID` explains one.

Read from the top, then one file of `triggers`: that is one VM's whole protocol.

language: the primitives of a protocol text, and what each means for the model and for the machine
words: what the threads share, what only the owner touches, and the values
names: the names of these values, for people
trigger: the procedures in which VMs differ, declared
requester: post a request, stop the world and start it, ask for an operation
owner: the slow path, what it serves, and the ways out of guest code and back
sites: what a failed frame push does
triggers: the mechanisms, a file each: limit_and_table, patched_jumps, bits_in_limit, limit, limit_and_budget, heap_limit, epoch, page, flag, ticker
variants: of the core: an asymmetric fence, stops that exclude operations, stops that are fair
optional: what not every VM needs: critical sections, sleep, growing stacks, guest coordinators, births
requests: who asks, further: coordinators that give up or nest, guest threads, requesters that look a thread up
roles: what the model puts around the protocol: guest threads and requesters
activities: what a step of the text says of its thread: how properties know the text
policy: what a policy is
policies: a VM a file: where it checks, by which mechanism, and which bound it declares
own: a policy of a user's own
rule: what a rule says
rules: the register of rules
further_rules: of rules for what not every VM has
equivalents: mutations of the text that do what the text does, each with the reason
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
CORE = tuple(HERE / f"{name}.py" for name in ("words", "requester", "owner", "sites"))
AROUND = tuple(HERE / f"{name}.py" for name in ("variants", "optional", "requests", "roles"))
ROLES = AROUND[-1].name
"""The file of the roles: their accesses are a model's, and no VM's."""
TRIGGERS = {path.stem: path for path in sorted((HERE / "triggers").glob("[a-z]*.py"))}
"""The mechanisms: name to file."""


def trigger_file(trigger: str) -> Path:
    """The file of a mechanism: one of ours by its name, one of a user's own by its path."""
    return TRIGGERS.get(trigger) or Path(trigger)


def files(trigger: str = "limit_and_table") -> tuple[Path, ...]:
    """The files of the text with one mechanism, in reading order; the last has the roles, which are never compiled."""
    return (*CORE, trigger_file(trigger), *AROUND)
