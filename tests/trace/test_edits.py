"""Illegal edits: each is one change of a valid trace, and is refused with the rule that it breaks, at the first event that is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from safepoint.protocol.rules import RULES
from tests.trace.scripts import VALID, Script, events, header, judged, post, written


@dataclass(frozen=True)
class Edit:
    """`trace`: which valid one.  refused: the event that no run explains."""

    name: str
    trace: str
    rule: str
    refused: str
    move: tuple[str, str] | None = None  # this line before that one
    drop: tuple[str, ...] = ()
    add: tuple[str, str] | None = None  # this line before the last such one
    change: tuple[str, str] | None = None

    def apply(self) -> Script:
        script = [*VALID[self.trace]]
        if self.move:
            script.remove(self.move[0])
            script.insert(script.index(self.move[1]), self.move[0])
        for line in self.drop:
            script.remove(line)
        if self.add:
            last = len(script) - 1 - script[::-1].index(self.add[1])
            script.insert(last, self.add[0])
        if self.change:
            script[script.index(self.change[0])] = self.change[1]
        return script


EDITS = (
    Edit("poisoned before it is posted", "interrupt", "POST-BEFORE-POISON", "R poisoned",
         move=("R poisoned T0 limit", "R posted T0 INTERRUPT")),
    Edit("never posted", "interrupt", "POST-BEFORE-POISON", "R poisoned", drop=("R posted T0 INTERRUPT",)),
    Edit("taken without a post", "interrupt", "TAKE-IS-LOCKED", "T0 took", change=("T0 took INTERRUPT", "T0 took INTERRUPT SAMPLE")),
    Edit("posted, and not taken", "interrupt", "TAKE-IS-LOCKED", "T0 took", change=("T0 took INTERRUPT", "T0 took")),
    Edit("one word is never poisoned", "interrupt", "POISON-EVERY-WORD", "R woken", drop=("R poisoned T0 entry[0]",)),
    Edit("the next post comes before the wake", "interrupt", "POST-WAKES", "R posted", add=("R posted T1 SAMPLE", "R woken T0")),
    Edit("entered before the poison", "stop", "POISON-EVERY-WORD", "T0 entered",
         move=("T0 entered back-edge", "C poisoned T0 entry[0]")),
    Edit("a check passes in spite of the poison", "interrupt", "POISON-EVERY-WORD", "T0 pushed",
         add=("T0 pushed", "T0 entered push")),
    Edit("restored after the take", "interrupt", "RESTORE-BEFORE-TAKE", "T0 took",
         move=("T0 took INTERRUPT", "T0 restored entry[0]")),
    Edit("one word is never restored", "interrupt", "RESTORE-BEFORE-TAKE", "T0 took", drop=("T0 restored entry[0]",)),
    Edit("restored in guest code", "interrupt", "OWNER-RESTORES", "T0 restored", add=("T0 restored limit", "T0 looped")),
    Edit("taken, and not served", "interrupt", "TAKEN-IS-SERVED", "T0 looped", drop=("T0 served INTERRUPT",)),
    Edit("served twice", "interrupt", "TAKEN-IS-SERVED", "T0 served", add=("T0 served INTERRUPT", "T0 looped")),
    Edit("a parked thread runs", "stop", "STOP-PARKS", "T0 looped", add=("T0 looped", "C stop-reached")),
    Edit("the stop is served, and nothing parks", "stop", "STOP-PARKS", "T0 pushed", drop=("T0 parked", "T0 resumed", "C stop-reached", "C stop-released", "C unlocked")),
    Edit("reached before all are outside", "stop", "STOP-AWAITS-ALL", "C stop-reached", move=("C stop-reached", "T0 parked")),
    Edit("reached while one runs guest code", "stop", "STOP-AWAITS-ALL", "C stop-reached", drop=("T1 native-entered", "T1 native-left")),
    Edit("a stop does not ask the first thread", "stop", "STOP-AWAITS-ALL", "C posted", drop=(*post("C", "T0", "STOP"),)),
    Edit("a stop does not ask the last thread", "stop", "STOP-AWAITS-ALL", "C stop-reached", drop=(*post("C", "T1", "STOP"),)),
    Edit("resumed before the stop is released", "stop", "STOP-PARKS", "T0 resumed", move=("T0 resumed", "C stop-released")),
    Edit("a native thread runs guest code", "stop", "REENTER-IS-A-BARRIER", "T1 pushed", add=("T1 pushed", "C stop-reached")),
    Edit("back from native into a stopped world", "return", "REENTER-LOOKS-AGAIN", "T0 looped", change=("T0 parked", "T0 looped")),
    Edit("posted before the stop word is set", "stop", "STOP-BEFORE-POST", "C posted",
         move=("C posted T0 STOP", "C stop-requested")),
    Edit("two coordinators", "two", "ONE-COORDINATOR", "D locked", move=("D locked", "C unlocked")),
    Edit("unlocked before the stop is released", "stop", "START-BEFORE-UNLOCK", "C unlocked",
         move=("C unlocked", "C stop-released")),
    Edit("a stop that none has the lock for", "stop", "ONE-COORDINATOR", "C stop-requested", drop=("C locked",)),
    Edit("an operation is run twice", "own", "HANDSHAKE-ONCE", "T0 handshake-run",
         add=("T0 handshake-run T0", "T0 handshake-done T0")),
    Edit("an operation is run unclaimed", "own", "HANDSHAKE-ONCE", "T0 handshake-run", drop=("T0 handshake-claimed T0",)),
    Edit("both claim the operation", "for-it", "HANDSHAKE-ONCE", "T0 handshake-claimed",
         change=("T0 looped", "T0 handshake-claimed T0")),
    Edit("asked for a second one meanwhile", "own", "HANDSHAKE-ONCE", "Q handshake-asked",
         add=("Q handshake-asked T0", "T0 handshake-claimed T0")),
    Edit("run although the target is back", "back-off", "CLAIM-LOOKS-AGAIN", "R handshake-run",
         change=("R handshake-backed-off T0", "R handshake-run T0")),
    Edit("guest code beside the operation", "for-it", "HANDSHAKE-IS-ALONE", "T0 looped", add=("T0 looped", "R handshake-done T0")),
    Edit("given back, and not posted again", "back-off", "BACK-OFF-POSTS-AGAIN", "R handshake-claimed",
         add=("R handshake-claimed T0", "R posted T0 HANDSHAKE")),
    Edit("a masked interrupt is taken", "mask", "MASKED-STAYS", "T0 took", change=("T0 took", "T0 took INTERRUPT")),
    Edit("no look at the end of the mask", "mask", "UNMASK-LOOKS", "T0 looped", add=("T0 looped", "T0 entered look")),
    Edit("awake without a wake", "sleep", "BLOCK-LOOKS-AGAIN", "T0 native-left",
         move=("T0 native-left", "R posted T0 SAMPLE")),
    Edit("a birth that is not counted", "birth", "BIRTH-REENTERS", "T0 pushed", drop=("T0 spawned",)),
    Edit("a birth that inherits a request", "birth", "BIRTH-IS-CLEAN", "T0 spawned", drop=("T0 cleared",)),
    Edit("guest code after the end", "birth", "BIRTH-IS-CLEAN", "T0 looped", add=("T0 looped", "R posted T0 INTERRUPT")),
)  # fmt: skip


@pytest.mark.parametrize("name", VALID)
def test_the_traces_that_are_edited_are_accepted(name: str) -> None:
    assert judged(written(header(), events(VALID[name]))).refusal is None


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: f"{edit.rule}:{edit.name.replace(' ', '-')}")
def test_an_illegal_edit_is_refused_with_its_rule(edit: Edit) -> None:
    refusal = judged(written(header(), events(edit.apply()))).refusal
    assert refusal is not None
    assert (f"{refusal.by} {refusal.event}".startswith(edit.refused), refusal.rule) == (True, edit.rule), refusal


def test_the_catalogue_is_wide() -> None:
    rules = {edit.rule for edit in EDITS}
    assert len(EDITS) >= 15
    assert len(rules) >= 15
    assert rules <= set(RULES)
