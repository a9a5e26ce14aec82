"""The text: explored under every policy and memory model, argued for any number of threads, and all its mutants hunted."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

from safepoint.graph.text import Text
from safepoint.model.engines import engine
from safepoint.model.mutants import hunt
from safepoint.model.properties import SOMETIMES, Properties
from safepoint.model.scopes import SCOPES, chosen
from safepoint.model.system import MEMORIES, Model
from safepoint.proof.any_number import argument
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.verify.explore import decide
from safepoint.verify.report import Progress, Report, Row


@dataclass(frozen=True)
class Explored:
    """One scope: its row, what refutes it, the places of the text that it has and reached, the interesting states it met."""

    row: Row
    failure: str
    places: set[str]
    reached: set[str]
    interesting: set[str]


def plan() -> list[tuple[str, str, str]]:
    """(policy, memory, scope): every policy's tiny scopes under both memory models; for the interpreter's, the small ones too."""
    return [
        (policy.name, memory, scope.name)
        for policy in POLICIES.values()
        for memory in MEMORIES
        for scope in chosen("small" if (policy, memory) == (FOLDED, "sc") else "tiny", slices=policy.slices)
    ]


def explored(job: tuple[str, str, str]) -> Explored:
    policy, memory, scope = POLICIES[job[0]], job[1], SCOPES[job[2]]
    model = Model(Text(), scope, policy=policy, memory=memory)
    found = decide(model, policy, engine())
    places, missing = model.places()
    like = {name for name, holds in Properties(model).sometimes().items() if any(map(holds, found.result.reached))}
    return Explored(found.row(), found.refuted, places, places - missing, like)


def protocol(report: Report, pool: Executor, told: Progress) -> None:
    jobs = plan()
    found: list[Explored] = []
    with told.section("protocol", len(jobs)) as done:
        for each in pool.map(explored, jobs):
            found.append(each)
            done(f"{each.row['policy']} {each.row['memory']} {each.row['scope']}: {each.row['states']:,} states")
    report.protocol = [each.row for each in found]
    report.failures += [each.failure for each in found if each.failure]
    ours = [each for each in found if each.row["policy"] == FOLDED.name]
    places, reached = set[str]().union(*(e.places for e in ours)), set[str]().union(*(e.reached for e in ours))
    report.failures += [f"vacuous: never reached: {place}" for place in sorted(places - reached)]
    met = set[str]().union(*(e.interesting for e in found))
    report.failures += [
        f"vacuous: no state was like {name!r}: {SOMETIMES[name]}" for name in SOMETIMES if name not in met
    ]
    for policy in POLICIES.values():
        bounds = [row["bound"] for row in report.protocol if row["policy"] == policy.name]
        if policy.declared.as_json() not in bounds:
            report.failures.append(f"{policy.name} declares {policy.declared}, and no scope attains it")


def any_number(job: tuple[str, str]) -> Row:
    """Does one thread decide this policy and scope for every number of them?  The same under both memory models."""
    found = argument(Model(Text(), SCOPES[job[1]], policy=POLICIES[job[0]]))
    return {"holds": found.holds, "argument": "footprints", "reasons": list(found.reasons)}


def in_any_number(report: Report, pool: Executor, told: Progress) -> None:
    """What of all this is said of these instances only, and what of every number of threads, and by which argument."""
    jobs = list(dict.fromkeys((row["policy"], row["scope"]) for row in report.protocol))
    with told.section("any number of threads", len(jobs) + 1) as done:
        proved = pool.submit(proof)
        for job, found in zip(jobs, pool.map(any_number, jobs), strict=True):
            for row in report.protocol:
                if (row["policy"], row["scope"]) == job:
                    row["any_number"] = found
            done(f"{job[0]} {job[1]}")
        report.induction, why_not = proved.result()
        done("induction")
    if why_not:
        report.left_out["induction"] = why_not
    elif report.induction and not report.induction["holds"]:
        report.failures.append(f"induction: {report.induction['counterexample']}")


def proof() -> tuple[Row | None, str]:
    """The induction, or why there is none."""
    from safepoint.proof.induction import NoProof, induction  # noqa: PLC0415  # z3 takes long to import, and only one process needs it

    try:
        found = induction(Text())
    except NoProof as error:
        return None, str(error)
    return {"holds": found.holds, "steps": found.steps, "vacuous": list(found.vacuous), "counterexample": found.counterexample,
            "covers": found.covers, "seconds": round(found.seconds, 2)}, ""  # fmt: skip


def hunted(name: str) -> Row:
    found = hunt(Text(), name)
    broken = found.result.broken if found.result else None
    return {"name": name, "rule": found.mutant.rule, "property": broken, "caught": bool(broken), "steps": found.steps,
            "memory": found.memory, "scope": found.scope}  # fmt: skip


def mutants(report: Report, pool: Executor, told: Progress) -> None:
    names = list(Text().mutants)
    with told.section("mutants", len(names)) as done:
        for row in pool.map(hunted, names):
            report.mutants.append(row)
            if not row["caught"]:
                report.failures.append(f"mutant {row['name']}: no property catches it (it breaks {row['rule']})")
            done(row["name"])
