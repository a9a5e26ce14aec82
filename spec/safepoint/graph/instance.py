"""What is fixed when a text is compiled; and what a compilation asked of it, so that instances that answer alike share a graph.

Most procedures ask for little: whether a scope has this feature or that, and whether one of their own mutants is compiled in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

from safepoint.protocol.policy import USUAL

Question = tuple[str, str]
"""What is asked, and of which name; "" where there is only one."""
Answer = bool | int | None
Made = TypeVar("Made")


@dataclass(frozen=True)
class Instance:
    """What is fixed when a text is compiled.  `threads` None: any number, a loop at run time.  `widths`: rows of trigger words."""

    threads: int | None = 1
    mutant: str = ""
    widths: tuple[tuple[str, int], ...] = (("entry", 1),)
    slices: tuple[str, ...] = ()  # features of the scope
    sites: tuple[str, ...] = USUAL  # where the policy checks
    word: int = 0  # which word of its row a root's parameter of type Trigger is

    def says(self, question: Question) -> Answer:
        """All that a compilation may know of it, but for the orders of a mutant, which are the text's."""
        match question:
            case "mutant", name:
                return name == self.mutant
            case "slice_on", name:
                return name in self.slices
            case "checks_at", name:
                return name in self.sites
            case "width", name:
                return dict(self.widths).get(name, 1)
            case "threads", "":
                return self.threads
            case "word", "":
                return self.word
        raise ValueError(f"no instance says {question}")


@dataclass
class Known(Generic[Made]):
    """What was compiled, by the answers that were given.

    A compilation asks the same first question whatever the instance, and what it asks next depends on the answers so far alone:
    so these are a tree.  `question`: the next one; None: `made` is what comes out.
    """

    question: Question | None = None
    made: Made | None = None
    then: dict[Answer, Known[Made]] = field(default_factory=dict)

    def find(self, instance: Instance) -> Made | None:
        """None: no instance that answers like this one was compiled."""
        at: Known[Made] | None = self
        while at is not None and at.question is not None:
            at = at.then.get(instance.says(at.question))
        return at.made if at else None

    def keep(self, answers: dict[Question, Answer], made: Made) -> None:
        """`answers`: in the order in which they were asked for."""
        at = self
        for question, answer in answers.items():
            at.question = question
            at = at.then.setdefault(answer, Known())
        at.made = made
