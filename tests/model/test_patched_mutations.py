"""Every simple mistake in what `examples/patched_code` does to the word that all threads check: caught, or with a reason."""

from __future__ import annotations

from functools import partial

import pytest

from safepoint.graph.text import ProtocolError, Text
from safepoint.model.engines import engine
from safepoint.model.eventually import check_liveness
from safepoint.model.explore import NotExplored
from safepoint.model.mutation import Mutation, mutations, without_mutants
from safepoint.model.properties import Properties
from safepoint.model.scopes import SCOPES, Scope
from safepoint.model.system import Model
from safepoint.model.widths import fitting
from tests.model.patched import LOOPS, PATCHED, TEXT, loops

MOST = 500_000
TWO_WORDS = Scope("two-loops-1", "", 1, ("sampler",), "", widths=(("entry", 0), ("code", 2)))
WORLDS = [
    *((LOOPS, scope) for scope in (loops(1), TWO_WORDS, loops(2))),
    (TEXT, SCOPES["interrupt-1"]),
    (TEXT, SCOPES["interrupt-1-loops"]),
    (TEXT, SCOPES["limit-1"]),
    (LOOPS, loops(3)),
]
"""From the smallest; of the last one only as many states as there is time for, and only what is always true."""

PROCEDURES = ("poison", "overwrite_table", "overwrite", "restore", "put_back", "claim_of", "came_back")

ORDER = (
    "All words are poisoned when the post ends, and restored before the bits are taken: in which order does not matter."
)
OTHERS = "Other numbers, or the same, and still one for each thread."
AT_ONCE = "Nothing that is shared lies between the two."
REASONS = {
    "poison swap: t.limit.publish(t.limit.poison); overwrite_table(t)": ORDER,
    "restore swap: t.limit.store(real_limit(t)); for word in t.entry:": ORDER,
    "restore swap: for word in t.entry:; for word in world.code:": ORDER,
    "overwrite plain: word.swap(word.poison)": "Only under C11 does who claims see no more than the last requester's words; `test_each_order_is_needed`.",
    "put_back delete: if now == word.real:": "A jump that is real is claimed, looked after, and put back: slower, and no more.",
    "put_back delete: return": "The same.",
    "put_back swap: if now == word.real:; mine = claim_of(t)": AT_ONCE,
    "put_back always: if claimed:": "Who has not claimed looks for nothing: the second exchange fails, as its value does not stand there.",
    "put_back name: if claimed:": "The same; or a claim that it leaves behind is taken over at the next visit.",
    "claim_of loop: for each in threads(): -> for each in threads()[1:]:": OTHERS,
    "claim_of loop: for each in threads(): -> for each in threads()[:-1]:": OTHERS,
    "claim_of swap: if each is t:; mine = mine + 1": OTHERS,
    "claim_of return-0: return mine #2": "Each thread is one of them, and has returned before.",
    "came_back always: if limit == t.limit.poison:": "Overwritten for nothing: all come to their slow path, find nothing, and one puts it back.",
}
"""A mutation's beginning to why it does what the text does."""


def survives(mutation: Mutation, texts: dict[int, Text]) -> bool:
    """Does it hold in each of the worlds, an access that is no longer locked also with store buffers; and is it a text at all?"""
    buffered = [(LOOPS, loops(2), "tso")] if mutation.change.operator == "plain" else []
    for text, scope, memory in (*((*world, "sc") for world in WORLDS), *buffered):
        mutated = mutation.made_in(texts[id(text)])
        try:
            if fitting(partial(Model, mutated, scope, "", PATCHED, memory), broken):
                return False
        except NotExplored:
            continue
        except ProtocolError:
            return False
    return True


def broken(model: Model) -> str:
    result = engine()(model, Properties(model).judge, MOST)
    return result.broken or check_liveness(result).broken


TEXTS = {id(text): without_mutants(text) for text in (TEXT, LOOPS)}
MADE = [
    m for m in mutations(TEXTS[id(TEXT)]) if m.change.file == "patched_jumps.py" and m.change.procedure in PROCEDURES
]


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.parametrize("procedure", PROCEDURES)
def test_no_simple_mistake_survives_without_a_reason(procedure: str) -> None:
    made = [m for m in MADE if m.change.procedure == procedure]
    assert made
    survivors = [str(m.change).removeprefix("patched_jumps.py ") for m in made if survives(m, TEXTS)]
    unexplained = [said for said in survivors if not any(said.startswith(known) for known in REASONS)]
    assert unexplained == []
    idle = [
        known
        for known in REASONS
        if known.startswith(f"{procedure} ") and not any(s.startswith(known) for s in survivors)
    ]
    assert idle == []
