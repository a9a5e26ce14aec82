"""Guest code of loops and native regions alone, and who asks it for samples: an environment that has little of ours."""

from __future__ import annotations

from safepoint.protocol.language import choose, claim, raises
from safepoint.protocol.owner import leave, reenter
from safepoint.protocol.requester import post
from safepoint.protocol.trigger import back_edge
from safepoint.protocol.words import GO, SAMPLE, Me, threads, world


def mutator(t: Me) -> None:
    match choose():
        case "compiled back-edge":
            word = choose(world.code)
            outcome = back_edge(t, word)
            raises(0, t)
            claim("nothing-is-raised", outcome == GO)
        case "back-edge":
            word = choose(t.entry)
            outcome = back_edge(t, word)
            raises(0, t)
            claim("nothing-is-raised", outcome == GO)
        case "native":
            leave(t)
            reenter(t)
    return mutator(t)


def sampler() -> None:
    t = choose(threads())
    post(t, SAMPLE)
    return sampler()
