"""Is a policy of a user's own sound?  Each thing that it may say is held against the tables that know it, and against its text."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from typing import Any

from safepoint.graph.instance import Instance
from safepoint.graph.ir import Step
from safepoint.graph.lower import compile_graph
from safepoint.graph.text import ProtocolError, Text
from safepoint.model.properties import ALWAYS
from safepoint.model.scopes import LESS, SLICES, VARIANTS
from safepoint.protocol import HERE, trigger_file
from safepoint.protocol.policies import POLICIES
from safepoint.protocol.policy import COMPILED_BACK_EDGE, COUNTED, FURTHER, SITES, USUAL, Bound, Policy
from safepoint.protocol.words import BITS

DECLARED = HERE / "trigger.py"
"""The file that declares what a trigger's text defines."""
SERVING = ("add", "poison", "restore", "take", "look", "drop")
"""Of what it declares, that which is no check site: the core calls it to ask, and to serve."""
ELSEWHERE, CAME_BACK = "elsewhere", "came_back"
OPTIONAL = (ELSEWHERE, CAME_BACK)
"""Of what it declares, that which a trigger has if a policy checks beside frame pushes and back-edges, or in compiled code."""
MOST_WORDS = 4
"""Of a row of trigger words in a model: with more there are too many states."""
LONGEST = 2**31 - 1
"""Of a ticker, which is a word of a machine."""


class Nonsense(Exception):
    """A policy says something nonsensical.  field: where."""

    def __init__(self, field: str, what: str, instead: str) -> None:
        super().__init__(f"{field}: {what} (write: {instead})")
        self.field = field


def refuse_nonsense(policy: Policy) -> dict[str, Any]:
    """What a policy says, field by field, as far as it can be judged without its text.  Raises Nonsense."""
    said = {each.name: getattr(policy, each.name) for each in fields(Policy)}
    for field in ("name", "title", "trigger"):
        if not isinstance(said[field], str) or not said[field].strip() or "\n" in said[field]:
            raise Nonsense(field, f"{_shown(said[field])} is no text of one line", f'{field}="…"')
    if not re.fullmatch(r"[\w.-]+", policy.name):
        raise Nonsense("name", f"{_shown(policy.name)} is no name", "letters, digits, _, . and -")
    if policy.name in POLICIES:
        raise Nonsense("name", f"{policy.name} is one of ours", f"another name, or -p {policy.name}")
    for field in ("sites", "words", "slices"):
        said[field] = _names(field, said[field])
    if not said["sites"]:
        raise Nonsense("sites", "there is none, so no request is ever seen", f"some of {', '.join(SITES)}")
    _known("sites", "check site", said["sites"], SITES)
    if len(more := [site for site in said["sites"] if site in FURTHER.values()]) > 1:
        raise Nonsense("sites", f"a policy checks at one of {' and '.join(more)} at most", f"one of them beside {' and '.join(USUAL)}")  # fmt: skip
    _known("slices", "feature", said["slices"], (*SLICES, *VARIANTS, *LESS))
    waives = said["waives"]
    if not isinstance(waives, Mapping) or not all(isinstance(x, str) and x for pair in waives.items() for x in pair):
        raise Nonsense("waives", f"{_shown(waives)} gives no reasons", 'waives={"pending-is-poisoned": "the reason"}')
    _known("waives", "property", waives, ALWAYS)
    said["waives"] = dict(waives)
    for field in ("period", "base"):
        if not _is_number(said[field]):
            raise Nonsense(field, f"{_shown(said[field])} is no number", f"{field}=2")
    _refuse_bound(policy.declared)
    for kind, site in FURTHER.items():
        n = policy.declared.of_kinds()[kind]
        if n is not None and site not in said["sites"]:
            raise Nonsense(
                "declared",
                f"{kind}={_shown(n)}, and sites has no {site!r}",
                f"a site {site!r}, or a bound without {kind}",
            )
    return said


def _refuse_bound(declared: Any) -> None:
    example = f"Bound({', '.join(f'{each.name}=1' for each in fields(Bound))})"
    if not isinstance(declared, Bound):
        raise Nonsense("declared", f"{_shown(declared)} is no Bound", example)
    for each in fields(Bound):
        n = getattr(declared, each.name)
        if not (n is None or (isinstance(n, str) and n == "depth") or (_is_number(n) and n > 0)):
            raise Nonsense(
                "declared",
                f"{each.name}={_shown(n)} is no number of checks: the one that sees is counted",
                'a number from 1 up, "depth": as many as fit on a stack, or None: no bound',
            )


def refuse_trigger(said: dict[str, Any], text: Text) -> dict[str, Any]:
    """What does not go with the text of its trigger.  Returns the fields, with lists made tuples.  Raises Nonsense, ProtocolError."""
    file = trigger_file(said["trigger"])
    _refuse_sites(said, text, file.stem)
    read = words_read(text, file.name, said["sites"])
    for word in said["words"]:
        if word not in read:
            is_one = word in text.triggers()
            what = "no check of trigger {} reads it" if is_one else "is no trigger word"
            raise Nonsense("words", f"{word}: {what.format(file.stem)}", f"words={_tuple(read)}")
    if missing := [word for word in read if word not in said["words"]]:
        raise Nonsense("words", f"leaves out {', '.join(missing)}, which a check of trigger {file.stem} reads", f"words={_tuple(read)}")  # fmt: skip
    _refuse_numbers(said, text, file.name, file.stem)
    rows = text.declared("Triggers")
    widths = said["widths"]
    pairs = (
        [tuple(pair) if isinstance(pair, tuple | list) else () for pair in widths]
        if isinstance(widths, tuple | list)
        else [()]
    )
    for pair in pairs:
        match pair:
            case (str(row), n) if row in rows and _is_number(n) and 1 <= n <= MOST_WORDS:
                continue
        raise Nonsense("widths", f"{_shown(widths)} is no size of a row of trigger words", f'widths=(("{rows[0]}", 1),), up to {MOST_WORDS}')  # fmt: skip
    said["widths"] = tuple(pairs)
    return said


def refuse_procedures(text: Text, file: str) -> None:
    """A trigger's file defines all that is declared, as it is declared.  Raises ProtocolError."""
    for node in ast.parse(DECLARED.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        wanted = f"def {node.name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns) if node.returns else None}"
        there = text.functions.get(node.name)
        if there is None and node.name in OPTIONAL:
            continue
        if there is None or there.file != file:
            raise ProtocolError(f"{file}:1:1: defines no {node.name}(), as each trigger does (write: {wanted}: …)")
        if not _fit(text, _types(there.node), _types(node)):
            text.error(there.node, file, f"{node.name}() has other parameters than in each trigger", wanted)


def _types(function: ast.FunctionDef) -> list[str]:
    """Of its parameters."""
    return [ast.unparse(a.annotation) if a.annotation else "" for a in function.args.args]


def _fit(text: Text, types: Sequence[str], declared: Sequence[str]) -> bool:
    """A class of the trigger's own stands for the thread's."""
    records = {cls for cls, words in text.words.items() if {*words} >= {*text.words["Thread"]}}
    pairs = zip(types, declared, strict=False)
    return len(types) == len(declared) and all(a == b or (b in records and a in records) for a, b in pairs)


def site_procedures() -> dict[str, str]:
    """Check site to the procedure of a trigger's text that is it: both tables have the usual ones in one order."""
    declared = (node.name for node in ast.parse(DECLARED.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef))  # fmt: skip
    usual = (name for name in declared if name not in (*OPTIONAL, *SERVING))
    found = dict(zip(USUAL, usual, strict=True))
    return {**found, **dict.fromkeys(FURTHER.values(), ELSEWHERE), COMPILED_BACK_EDGE: found["back-edge"]}


def _refuse_sites(said: Mapping[str, Any], text: Text, trigger: str) -> None:
    """It must check where the policy says, and must not where it does not."""
    asked = {
        node.args[0].value
        for procedure in text.functions.values()
        for node in ast.walk(procedure.node)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "checks_at"
        and isinstance(node.args[0], ast.Constant)
    }
    if COMPILED_BACK_EDGE in said["sites"] and CAME_BACK not in text.functions:
        raise Nonsense("sites", f"trigger {trigger} has no {CAME_BACK}(), so that a thread which comes back may be unseen at a {COMPILED_BACK_EDGE}", f"sites={_tuple(s for s in said['sites'] if s != COMPILED_BACK_EDGE)}, or another trigger")  # fmt: skip
    for site, procedure in site_procedures().items():
        checks = procedure in text.functions and bool(compile_graph(text, procedure, _instance(said["sites"])).steps)
        if site in said["sites"] and not checks:
            raise Nonsense("sites", f"trigger {trigger} makes no check at site {site}", f"sites={_tuple(s for s in said['sites'] if s != site)}, or another trigger")  # fmt: skip
        if site not in said["sites"] and checks and site not in asked:
            raise Nonsense("sites", f"trigger {trigger} checks at site {site}, whatever a policy says", f"sites={_tuple(s for s in SITES if s in (*said['sites'], site))}, or a trigger whose text asks checks_at({site!r})")  # fmt: skip


def _instance(sites: Sequence[str]) -> Instance:
    return Instance(1, sites=tuple(sites))


def words_read(text: Text, file: str, sites: Sequence[str]) -> list[str]:
    """The trigger words that the checks of a trigger's file read, before they call what serves."""
    found: dict[str, None] = {}
    for site, procedure in site_procedures().items():
        if site not in (*USUAL, *sites) or procedure not in text.functions:
            continue
        for step in compile_graph(text, procedure, _instance(sites)).steps:
            if step.cell and step.op != "store" and _is_check(text, file, step):
                found[step.cell.word.partition("[")[0]] = None
    if (
        COMPILED_BACK_EDGE in sites and "entry" in found
    ):  # it looks at the word that it is given: there, at one of these
        found["code"] = None
    return [word for word in text.triggers() if word in found]


def _is_check(text: Text, file: str, step: Step) -> bool:
    """Is it in the trigger's own file, and not in what serves?"""
    return all(text.functions[name].file == file and name not in SERVING for name in step.where)


def _refuse_numbers(said: Mapping[str, Any], text: Text, file: str, trigger: str) -> None:
    nodes = [node for p in text.functions.values() if p.file == file for node in ast.walk(p.node)]
    counts = any(isinstance(node, ast.Attribute) and node.attr in COUNTED for node in nodes)
    period, base = said["period"], said["base"]
    if counts and not 1 <= period <= LONGEST:
        raise Nonsense("period", f"{period}, and trigger {trigger} counts checks down from it", f"a number from 1 to {LONGEST}")  # fmt: skip
    if not counts and period:
        raise Nonsense("period", f"{period}, and trigger {trigger} counts no checks", "no period, or another trigger")
    has_bits = any(isinstance(node, ast.Name) and node.id == "BITS" for node in nodes)
    if base != (BITS if has_bits else 0):
        what = f"has request bits below {BITS} in its limit" if has_bits else "has no request bits in its limit"
        raise Nonsense("base", f"{base}, and trigger {trigger} {what}", f"base={BITS}" if has_bits else "no base")


def _names(field: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, tuple | list) and all(isinstance(name, str) for name in value):
        if len(set(value)) == len(value):
            return tuple(value)
        raise Nonsense(field, f"{_shown(value)} names one twice", "each once")
    raise Nonsense(field, f"{_shown(value)} is no tuple of names", f'{field}=("…",)')


def _known(field: str, what: str, names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            near = get_close_matches(name, known) or list(known)
            raise Nonsense(field, f"no {what} {_shown(name)}", " or ".join(near) if len(near) < 3 else f"some of {', '.join(near)}")  # fmt: skip


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _shown(value: object) -> str:
    """A value of the user's, in one short line; it may not even be shown."""
    try:
        said = " ".join(ascii(value).split())
    except Exception:  # noqa: BLE001
        return f"a {type(value).__name__}"
    return said if len(said) <= 60 else f"{said[:57]}..."


def _tuple(names: Collection[str] | Iterator[str]) -> str:
    return repr(tuple(names)).replace("'", '"')
