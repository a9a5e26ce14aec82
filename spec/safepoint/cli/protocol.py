"""The commands about the protocol: `explore`, `replay`, `rules`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from safepoint.cli.console import Written, fail, refuse_ignored, unknown, write
from safepoint.cli.given import PROTOCOL, chosen_scopes, known_mutant, policy_option, protocol_text
from safepoint.cli.status import REFUTED
from safepoint.model.memory.names import NAMES, SHORT
from safepoint.protocol.policy import Policy, option


@click.command()
@policy_option("Which VM family's check sites and trigger words to explore.")
@PROTOCOL
@click.option(
    "--memory",
    type=click.Choice(NAMES),
    metavar=f"[{'|'.join(SHORT)}]",
    help="Memory model: sequential consistency, x86-TSO, C11, or a machine with the instructions that LLVM compiles the text to. Of the last two with"
    " up to 2 stale stores of a word (c11k1, c11k3, c11k4, power-k1, …: up to 1, 3, 4)."
    "  [default: sc; with --mutant sc, then tso, or c11 for one that takes another order]",
)
@click.option("--threads", type=click.IntRange(1, 3), metavar="N", help="Only scopes with N guest threads.")
@click.option(
    "--scope",
    metavar="NAME",
    help="One scope; or a group: tiny, small (includes tiny), nightly (includes both).  [default: tiny; for a mutant of"
    " your own text small, with two threads too]",
)
@click.option(
    "--mutant", default="", metavar="NAME", help="Compile this mutant in, and stop at the scope that catches it."
)
@click.option(
    "--engine",
    "engine_name",
    type=click.Choice(["auto", "python", "numpy"]),
    default="auto",
    show_default=True,
    help="Search engine: python (the reference), numpy (same result, faster), auto (numpy for large scopes, if installed).",
)
@click.option(
    "--max-states",
    type=click.IntRange(1),
    metavar="N",
    help="Stop without a verdict after N states of one scope (exit status 2).  [default: 5000000; under C11 and on machines 1000000]",
)
@click.option(
    "--promela",
    "for_spin",
    type=Written(),
    metavar="FILE",
    help="Also write the scope, which must be one, to FILE in Promela, for Spin.",
)
@click.option("--svg", "drawing", type=Written(), metavar="FILE", help="Draw the counterexample to FILE.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON instead of a table.")
def explore(
    *,
    policy: Policy,
    given: tuple[Path, ...],
    memory: str | None,
    threads: int | None,
    scope: str | None,
    mutant: str,
    engine_name: str,
    max_states: int | None,
    for_spin: Path | None,
    drawing: Path | None,
    as_json: bool,
) -> int:
    """Explore every state of the protocol.

    Explores scope after scope, and stops at the first that is refuted with a shortest path to a bad state.
    """
    from safepoint.graph.text import ProtocolError
    from safepoint.model.counterexample import named
    from safepoint.model.engines import NoEngine, engine
    from safepoint.model.path import path_of
    from safepoint.model.system import Model
    from safepoint.proof.promela import export, untold
    from safepoint.show.failures import refutation
    from safepoint.show.progress import LiveProgress
    from safepoint.show.tables import protocol_table
    from safepoint.verify.explore import explore as work
    from safepoint.verify.explore import memories

    text = protocol_text(given, policy)
    if text.is_custom:
        refuse_ignored(f"{text.files[0].name} brings its own check sites and trigger words", "policy")
    if scope is None:
        scope = "small" if mutant and text.is_custom else "tiny"
    scopes = chosen_scopes(text, policy, scope, threads)
    known_mutant(text, mutant)
    if for_spin is not None and len(scopes) != 1:
        fail(f"--promela takes one scope, not {len(scopes)} (name one: --scope {scopes[-1].name})")
    if for_spin is not None and len(memories(memory, mutant, text, policy)) != 1:
        fail(
            f"--promela takes one memory model, not {len(memories(memory, mutant, text, policy))} (name one: --memory sc)"
        )
    with LiveProgress() as progress, progress.search("explore") as tell:
        try:
            if for_spin is not None:
                model = Model(text, scopes[0], mutant, policy, memory or "sc")
                write(for_spin, export(model))
                click.echo(f"{for_spin}: Spin is not told of {', '.join(untold(model))}", err=True)
            explored = work(text, scopes, policy, memory, mutant, engine(engine_name), max_states, tell)
        except (NoEngine, ProtocolError, OverflowError, ValueError) as error:
            fail(str(error))
    refuted = explored.refuted
    survived = "" if refuted else mutant
    if drawing is not None:
        if refuted and refuted.result.broken:
            from safepoint.show.svg import picture  # slow to import

            write(drawing, picture(path_of(refuted.result), text))
        else:
            click.echo(f"{drawing}: not drawn: there is no path to show", err=True)
    if as_json:
        found = {
            "protocol": [row.as_json() for row in explored.rows],
            "refuted": asdict(refuted.refutation()) if refuted else None,
            "survived": survived or None,
            "too_weak": explored.too_weak,
            "left_out": explored.left_out,
        }
        click.echo(json.dumps(found, indent=1))
    elif refuted:
        click.echo(refutation(refuted))
    elif explored.rows:
        protocol_table(explored.rows, explored.left_out, survived)
        if survived:
            click.echo(f"{named(text, survived)} survived: no property is broken here")
    if explored.cut_off and not refuted:
        fail(explored.cut_off)
    if explored.doubt:
        fail(explored.doubt)
    for remark in explored.remarks:
        click.echo(remark, err=True)
    return REFUTED if refuted else 0


@click.command()
@click.argument("string")
@PROTOCOL
@click.option(
    "--target",
    default="folded",
    show_default=True,
    metavar="NAME",
    help="For s:… and f:…: the target that repeats it.",
)
@click.option("--mutant", default="", metavar="NAME", help="For s:… and f:…: the mutant to compile into the target.")
@policy_option("For s:… of a step: whose checks the target and the reference machine have.")
def replay(*, string: str, given: tuple[Path, ...], target: str, mutant: str, policy: Policy) -> int:
    """Replay a failure from the STRING that it printed.

    m:… is a path of the model: print it again, step by step. s:… is a schedule of requests: repeat it on the target and on
    the reference machine, and compare. f:… is a fuzzed program: make and run it again on both. Exit status 1 if the failure is still there.
    """
    from safepoint.differential.controlled import is_controlled
    from safepoint.model.own_policies import PolicyError
    from safepoint.model.path import changed_since, policy_of
    from safepoint.show.failures import replay_text
    from safepoint.verify.replay import CannotReplay, scheduled
    from safepoint.verify.replay import replay as work

    if string.startswith("m:"):
        refuse_ignored(
            "a path of the model names its policy and its mutant, and has no target", "target", "mutant", "policy"
        )
    elif string.startswith(("s:", "f:")):
        if string.startswith("f:") or is_controlled(string):
            refuse_ignored("what this repeats names its policy, or has the checks of folded", "policy")
        refuse_ignored("a schedule is repeated on machines, which have their protocol", "given")
    try:
        policy = policy_of(string) if string.startswith("m:") else scheduled(string, policy)
    except PolicyError as error:
        fail(f"{error}; the path is of that policy")
    if said := changed_since(string, policy):
        click.echo(said, err=True)
    text = protocol_text(given, policy)
    try:
        replayed = work(string, text, mutant, target, policy)
    except CannotReplay as error:
        fail(str(error))
    click.echo(replay_text(replayed, text))
    return 0 if replayed.agrees else REFUTED


@click.command()
@click.argument("rule", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the rules as JSON.")
def rules(*, rule: str | None, as_json: bool) -> None:
    """List the rules of the protocol, or explain one.

    RULE is an id, for example POST-BEFORE-POISON, in upper or lower case.
    """
    from safepoint.model.mutants import all_mutants
    from safepoint.protocol.rules import RULES

    if rule is not None and rule.upper() not in RULES:
        unknown("rule", rule, RULES)
    rule = rule and rule.upper()
    mutants = all_mutants()
    rows: list[dict[str, Any]] = [
        {"id": r.id, "title": r.title, "text": r.text, "without": r.without, "source": r.source, "checks": list(r.checks),
         "mutants": list(dict.fromkeys(m.name for _, m in mutants if m.rule == r.id))}
        for r in RULES.values() if rule in (None, r.id)
    ]  # fmt: skip
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        click.echo(f"{click.style(row['id'], bold=True)}: {row['title']}")
        for line in _rule_lines(row):
            click.echo(f"    {line}")


def _rule_lines(row: dict[str, Any]) -> Iterator[str]:
    from safepoint.model.mutants import all_mutants, beyond

    yield row["text"]
    yield f"without it: {row['without']}"
    yield f"source: {row['source']}"
    yield f"checked by: {', '.join(row['checks'])}"
    yield f"run its tests: pytest --rule {row['id']}"
    for policy, mutant in all_mutants():
        if mutant.rule == row["id"]:
            there = beyond(policy, mutant.name)
            yield f"broken by: safepoint explore {option(policy.name, 'folded')}--mutant {mutant.name}{there}"
