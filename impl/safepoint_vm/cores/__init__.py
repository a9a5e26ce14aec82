"""The interpreter on real cores: guest threads and requesters race in machine code, and what must hold in every order is counted.

tally: what a record's tally holds, and the places of the text
emitter: compile the protocol's text so that each procedure writes its tally
primitives: the clock, waits and procedures, for loops in machine code
plan: what a requester's loop is told, and what it has found
waiting: what all loops share
picking: what the loops of requesters share
requesters: the loops of requesters
guests: the loop that runs a guest thread
build: the engine of a campaign
programs: the guest programs
world: a world whose records have tallies
phases: which program runs with which requesters
under: the phases under each policy
campaign: run the phases
hosted: small programs on OS threads as `safepoint run` runs them
counting: the balance of what was posted, taken, dropped and served
races: the races that a run counts, by name
litmus: two procedures against each other, with declared outcomes
offer: what `verify` is offered of all this
"""
