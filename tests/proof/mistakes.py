"""Mistakes that are no mutants of the text: they break what no mutant breaks, so that a proof or a second opinion can fail there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safepoint.graph.text import Text
from safepoint.model.scopes import SCOPES, Scope
from safepoint.protocol import files

MASKED_BIRTHS = Scope("masked-births", "", 1, ("interrupter",), "", ("masks", "births"))


@dataclass(frozen=True)
class Mistake:
    """In `file` of the text `wrong` stands for `right`, and a search of `scope` finds the property `broken`."""

    broken: str
    scope: Scope
    file: str
    right: str
    wrong: str

    def text(self, where: Path) -> Text:
        return edited(self.file, self.right, self.wrong, where)


MISTAKES = {
    "raises-nothing": Mistake(
        "raises-what-is-due", SCOPES["interrupt-1"], "owner.py", "        return RAISE_INTERRUPT\n", "        return GO\n"
    ),
    "serves-twice": Mistake(
        "served-once", SCOPES["interrupt-1"], "owner.py",
        "        served(INTERRUPT, t)\n", "        served(INTERRUPT, t)\n        served(INTERRUPT, t)\n",
    ),
    "takes-and-leaves": Mistake(
        "pending-was-posted", SCOPES["interrupt-1"], "owner.py",
        "bits = t.pending.fetch_and(~deliverable(t))", "bits = t.pending.load()",
    ),
    "done-not-run": Mistake(
        "done-was-run", SCOPES["handshake-1"], "requester.py",
        "    operate(t)\n    t.operation.store(NOTHING)\n\n\n", "    t.operation.store(NOTHING)\n\n\n",
    ),
    "returns-too-early": Mistake(
        "done-was-run", SCOPES["handshake-1"], "requester.py",
        "    return finish_handshake(t)\n\n\ndef finish_handshake", "    return\n\n\ndef finish_handshake",
    ),
    "masks-nothing": Mistake(
        "mask-holds", SCOPES["masks-1"], "words.py", "EVERYTHING & ~(t.masked | t.ending)", "EVERYTHING & ~t.ending"
    ),
    "born-masked": Mistake(
        "born-clean", MASKED_BIRTHS, "optional.py", "    t.masked = 0\n    t.ending = 0\n    t.def", "    t.ending = 0\n    t.def"
    ),
}  # fmt: skip


def edited(name: str, right: str, wrong: str, where: Path) -> Text:
    """Our text with another line in one of its files."""
    ours = next(f for f in files() if f.name == name)
    source = ours.read_text(encoding="utf-8")
    assert source.count(right) == 1
    path = where / name
    path.write_text(source.replace(right, wrong))
    return Text(tuple(path if file == ours else file for file in files()))
