"""A path as text: one column a thread, the source line, and the words that the step changed, no others."""

from __future__ import annotations

from shlex import quote

from safepoint.graph.accesses import find_mutant
from safepoint.graph.constants import said
from safepoint.graph.text import Text
from safepoint.model.custom_goals import EVENTUALLY as CUSTOM
from safepoint.model.eventually import EVENTUALLY
from safepoint.model.explore import Result
from safepoint.model.memory.data import HANDED_OVER
from safepoint.model.moves import statement as bare
from safepoint.model.path import Change, Path, Taken, path_of
from safepoint.model.properties import ALWAYS
from safepoint.model.widths import BELOW
from safepoint.protocol import AROUND, CORE, TRIGGERS, trigger_file
from safepoint.protocol.names import OPERATIONS, REQUESTS, STATES

AGAIN = "from here again and again, for ever:"
"""Above the loop of a lasso."""

SENTENCES = ALWAYS | EVENTUALLY | CUSTOM | HANDED_OVER | {BELOW: "No word and no local falls below 0."}
BITS = ("pending", "masked", "ending")
VALUES = {"state": STATES, "operation": OPERATIONS}
"""Words whose values have names in our text; a custom text shows its own."""


def sentence(broken: str) -> str:
    """What a property says; of one that the text has made up, that it has."""
    return SENTENCES.get(broken, "claimed by the text")


def counterexample(result: Result, text: Text) -> str:
    """Verdict, the shortest path, and the command that walks it again."""
    p = path_of(result)
    model = p.model
    mutant = f"{named(text, model.mutant)}, " if model.mutant else ""
    head = f"refuted: {mutant}scope {model.scope.name} ({model.scope.why})"
    return f"{head}\n{p.broken}: {sentence(p.broken)}\n\n{path(p, text)}\n\nagain: {again(p)}"


def named(text: Text, mutant: str) -> str:
    """A mutant, and the rule that it breaks, if one is named there."""
    rule = find_mutant(text, mutant).rule
    return f"mutant {mutant}" + (f" of rule {rule}" if rule else "")


def again(p: Path) -> str:
    """The command that walks the path again."""
    ours = {*CORE, *TRIGGERS.values(), *AROUND, trigger_file(p.model.policy.trigger)}
    other = "".join(f" --protocol {quote(str(file))}" for file in p.model.text.files if file not in ours)
    return f"safepoint replay{other} '{p.replay}'"


def path(p: Path, text: Text) -> str:
    """The whole counterexample, as `safepoint explore` prints it."""
    names = [m.name for m in p.model.processes]
    cells = [[statement(s) if s.process == column else "" for column in range(len(names))] for s in p.steps]
    widths = [max([len(name), *(len(row[i]) for row in cells)]) for i, name in enumerate(names)]
    widest = max(len("line"), *(len(step.move.place) for step in p.steps), 0)
    lines = [_row("", "line".rjust(widest), names, widths, "changes")]
    for number, (step, row) in enumerate(zip(p.steps, cells, strict=True), start=1):
        if number - 1 == p.loop:
            lines.append(f"{'':3}  {AGAIN}")
        changes = ", ".join(_change(p, c, text) for c in step.changes)
        lines.append(_row(str(number), step.move.place.rjust(widest), row, widths, changes))
    if p.broken:
        lines.append(f"{'':3}  -> {p.broken}" + (f": {p.detail}" if p.detail else ""))
    return "\n".join(lines)


def _row(number: str, place: str, columns: list[str], widths: list[int], changes: str) -> str:
    body = "  ".join(c.ljust(w) for c, w in zip(columns, widths, strict=True))
    return f"{number:>3}  {place}  {body}  {changes}".rstrip()


def statement(step: Taken) -> str:
    """What the thread does: the case it chose, if it chose one, and the statement as it stands in the text."""
    source = bare(step.move.source)
    return f"{step.move.cases}: {source}" if step.move.cases and step.move.cases != source else source


def _change(p: Path, change: Change, text: Text) -> str:
    owner = f"T{change.owner}" if isinstance(change.owner, int) else text.owner_of(change.word)
    old, new = (value_of(p, change.word, v, text) for v in (change.old, change.new))
    return f"{owner}.{change.word} {old} -> {new}"


def value_of(p: Path, word: str, value: int, text: Text) -> str:
    name = word.split("[", maxsplit=1)[0]
    if name in p.model.reals:
        return _trigger(p, name, value, text)
    if text.is_custom:
        return said(text, name, value)
    if word in BITS:
        return _kinds(value)
    return VALUES[word][value] if word in VALUES else str(value)


def _trigger(p: Path, word: str, value: int, text: Text) -> str:
    """Poisoned or real; and, where there are several values of the sort, which: bits inside a limit, what a ticker counts."""
    base = p.model.policy.base if word == "limit" and not text.is_custom else 0
    if value == 0 or value < base:
        return f"poison {_kinds(value)}" if value else "poison"
    real, normal = value - base, p.model.reals[word]
    if real != normal and any(cell.word.startswith(f"{word}[") for cell in p.model.checked_by_all):
        return str(value)  # neither: what fails the checks of all, and says who is about to restore it
    return "real" if real == normal == 1 else f"real {real}"


def _kinds(value: int) -> str:
    return "|".join(name for kind, name in REQUESTS.items() if value & kind) or "nothing"
