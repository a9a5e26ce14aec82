"""THE PROTOCOL.  How one thread makes others stop or take notice, by failing checks that they make anyway.

Restricted Python with two readers: the model explores it, and the generator makes the interpreter's slow path from it
(`language` has the primitives).  A statement makes at most one access to shared memory; it is one atomic step, and what
follows it locally belongs to it.  `return f(t)` is a jump.  A function whose body is one `return` without a shared access is
inlined as an expression.  `if mutant(…)` is a mistake that some VM made, beside the right line: left out unless asked for by
name.  `if policy(…)` is what one family of VMs does differently.  The capitals in comments are rules: `safepoint rules ID`
explains one.

Read from the top:

language: the primitives of a protocol text, and what each means for the model and for the machine
words: what the threads share, what only the owner touches, and the values
names: the names of these values, for people
requester: post a request, stop the world and start it, ask for an operation
owner: the slow path, what it serves, and the ways out of guest code and back
sites: what a frame push and a back-edge ask
optional: what not every VM needs: critical sections, sleep, growing stacks, guest coordinators, births
roles: what the model puts around the protocol: guest threads and requesters
policies: where a VM checks, and by which word
rules: the register of rules
"""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
FILES = tuple(HERE / f"{name}.py" for name in ("words", "requester", "owner", "sites", "optional", "roles"))
"""The files of the text, in reading order; the last has the roles, which are explored and never compiled."""
