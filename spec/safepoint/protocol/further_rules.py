"""Rules for what not every VM has: variants of the core, and further requesters."""

from __future__ import annotations

from safepoint.protocol.rule import Rule

SHARED = "found here, by exploring two threads"
"""Where the rules of a word that all threads check were learnt: no VM in our field notes has such a word, and puts it back."""

FURTHER = (
    Rule(
        "POST-NEVER-WAITS", "a signal handler may post",
        "A post MUST NOT wait for anything: a signal handler makes it between any two steps of the thread that it is for.",
        "The handler waits for what only the thread below it can do: leave a lock, or take the last request.",
        "CPython's trip_signal and its pending calls, whose lock a handler must not take (bpo-30703); OCaml's caml_record_signal",
        ("no-deadlock", "thread-runs"),
    ),
    Rule(
        "LONG-WORK-POLLS", "an instruction that works long polls",
        "An instruction that does more than a stated amount of work in guest code MUST execute a check after each such amount,"
        " at a point from which it can go on whatever the check has served.",
        "No check lies inside it: one instruction keeps a stop of the world, or Control-C, waiting for as long as it likes.",
        "quickjs-ng #1672 (array methods that scan never asked); wasmtime #11427, PR 13393 (checks inside bulk copies), and PR 14045,"
        " which took them out again, because half-made state and old pointers lived across them",
        ("declared-bound",),
    ),
    Rule(
        "STOP-IS-EXCLUSIVE", "a stop and an operation exclude each other",
        "Where a stop must have the world for itself, a requester MUST see the world not stopped after it has claimed an operation,"
        " and a coordinator MUST wait for what has been claimed.",
        "An operation walks a stack that the collector moves.",
        "HotSpot's handshaking threads are themselves stopped by a safepoint; here the interpreter's one lock for both",
        ("stop-is-exclusive",),
    ),
    Rule(
        "HELD-RUNS-FIRST", "whom the last stop held runs before the next one",
        "Where stops are to be fair, a coordinator MUST NOT publish a stop before each thread that the last one held has left it.",
        "A thread that wakes slowly finds the world stopped again, each time, and never runs.",
        "CPython gh-151518 (PR 152826); Julia PR 62819",
        ("runs-between-stops",),
    ),
    Rule(
        "GIVING-UP-STARTS", "a stop that is given up ends like any other",
        "A coordinator that gives up MUST clear the stop word, then release the lock, and leave alone what it has posted.",
        "Threads that have parked already stay parked; or it clears a bit that its target had yet to see.",
        "HotSpot's SafepointTimeout can only abort the VM; CPython gh-137433: what a coordinator leaves behind",
        ("world-starts", "thread-runs", "owed-is-pending"),
    ),
    Rule(
        "STOPS-ARE-COUNTED", "the outermost stop stops, and starts",
        "A coordinator that holds the stop MUST NOT stop the world again, nor start it before its outermost stop ends: it counts.",
        "It waits for a lock that it holds; or its inner stop starts the threads that the outer one believes stopped.",
        "HotSpot's nested VM operations, which are refused unless they say that they may nest; CPython gh-137433",
        ("no-deadlock", "world-stopped"),
    ),
    Rule(
        "OWN-OPERATION-PASSES", "do not wait for yourself",
        "A thread that runs an operation on itself MUST NOT wait for that operation when it comes back to guest code in the midst of it.",
        "An operation that allocates, prints or takes a lock waits for its own end.",
        "HotSpot's HandshakeState knows its active handshaker; JDK-8266963 (PR 4028): a poll inside a handshake's closure",
        ("handshake-returns", "thread-runs"),
    ),
    Rule(
        "ASKER-IS-OUTSIDE", "a thread that waits for an operation counts as stopped",
        "A guest thread that asks for an operation MUST be outside guest code from before it asks until the operation has been run.",
        "Two threads that ask each other wait for each other; one that asks while the world is stopped is waited for.",
        "HotSpot: a Java thread that waits for a handshake is blocked, and serves its own; CPython gh-137433",
        ("world-stops", "request-is-seen", "thread-runs"),
    ),
    Rule(
        "WAKE-IS-A-SITE", "what ends a sleep is raised there",
        "A thread that guest code has sent to sleep MUST look at the pending bits when it has come back, and raise what it finds.",
        "The sleep ends early, for nothing that guest code can see, and the requester goes on as if time had passed.",
        "CPython's time.sleep (PEP 475), where a handler that raises ends it; Java's InterruptedException, V8's Atomics.wait under TerminateExecution",
        ("sleep-raises",),
    ),
    Rule(
        "REQUESTER-IS-A-BARRIER", "a thread that returns does not fence: then the requester does, for both",
        "Where threads return to guest code without a barrier, a requester MUST make every thread's stores visible after it has"
        " published its stop, or its claim, and before it looks at a state.",
        "The thread's MANAGED waits in its store buffer: the requester sees it outside guest code, and it has not seen the requester.",
        "HotSpot's UseSystemMemoryBarrier, .NET's FlushProcessWriteBuffers, the asymmetric barriers of folly and liburcu",
        ("world-stopped", "handshake-alone"),
    ),
    Rule(
        "RECORD-IS-HELD", "hold the record, then look which thread is in it",
        "A requester MUST hold a thread's record from before it sees the thread alive until its post is complete; a record that is"
        " held MUST NOT be used again.",
        "A post meant for a thread that has ended interrupts the one that has taken its place, or writes into freed memory.",
        "HotSpot's ThreadsListHandle (thread-local hazard pointers); oxcaml#6192: a slot that was used again",
        ("posts-reach-their-thread",),
    ),
    Rule(
        "END-IS-A-BARRIER", "the look at the holders must not pass the end",
        "That a thread has ended MUST be visible to others before any requester reads whether its record is held.",
        "ENDED waits in the store buffer, and no requester holds the record yet; then a requester holds it, and sees the thread alive.",
        "the hazard pointer's StoreLoad, on the side that frees",
        ("posts-reach-their-thread",),
    ),
    Rule(
        "LIMIT-BEFORE-CODE", "first what says why, then what all threads check",
        "Where all threads check one word, a requester MUST poison the target's own limit before it overwrites that word.",
        "Another thread puts the word back in between: it looks at the limit, and finds that no thread is asked for anything.",
        f"{SHARED}; as POST-BEFORE-POISON, one word further on",
        ("pending-is-poisoned",),
    ),
    Rule(
        "CODE-IS-CLAIMED", "claim the word, look, put it back if the claim still stands",
        "A thread that puts back a word which all threads check MUST have claimed it with a value that only it writes, look after that, and"
        " change nothing if its claim is gone; a requester MUST overwrite the word, claim or no claim, by a locked exchange.",
        "A request comes between the look and the store, and its poison is undone by a thread that it is not for.",
        f"{SHARED}; as a compare-and-swap that must not take an old value for a new one (ABA)",
        ("pending-is-poisoned",),
    ),
    Rule(
        "ALL-ARE-LOOKED-AT", "put back for all, look at all",
        "A thread that puts back a word which all threads check MUST find that no thread in guest code has a poisoned limit.",
        "Its own request is served, and another thread's, posted before, is not seen any more.",
        SHARED,
        ("pending-is-poisoned",),
    ),
    Rule(
        "CLAIM-IS-NOT-KEPT", "a claim may be taken over",
        "A thread MUST be able to claim a word which all threads check whatever stands there, also another thread's claim, or its own old one.",
        "A claim is left behind where a request was found, and the word is never put back: every loop of every thread stays slow.",
        SHARED,
        ("checks-pass",),
    ),
    Rule(
        "OUTSIDE-IS-LET-GO", "a thread outside guest code keeps no word overwritten",
        "A thread that puts back a word which all threads check MUST NOT wait for the request of a thread outside guest code.",
        "One thread is asked, and stays in native code: as long as it does, all others come to their slow path in each turn of a loop.",
        SHARED,
        ("checks-pass",),
    ),
    Rule(
        "BACK-LOOKS-AT-LIMIT", "overwrite again for yourself",
        "A thread that comes back to guest code MUST look at its own limit after it has published that it is back, and overwrite what all threads"
        " check if that is poisoned.",
        "While it was outside others have put the word back: its loops see nothing.",
        f"{SHARED}; the other half of OUTSIDE-IS-LET-GO, as REENTER-LOOKS-AGAIN is of STOP-AWAITS-ALL",
        ("pending-is-poisoned",),
    ),
)  # fmt: skip
