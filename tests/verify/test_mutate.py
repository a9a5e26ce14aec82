"""`safepoint mutate`: what becomes of a mutation, what is reported, and the table of those that do what the text does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.graph.text import ProtocolError
from safepoint.model.eventually import EVENTUALLY
from safepoint.model.explore import search
from safepoint.model.properties import ALWAYS
from safepoint.protocol import equivalents
from safepoint.protocol.equivalents import EQUIVALENTS
from safepoint.protocol.equivalents.entry import Equivalents
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.protocol.policy import Policy
from safepoint.show.mutations import survivors
from safepoint.verify import mutate, mutation
from safepoint.verify.identity import identity
from safepoint.verify.kept import Jobs, Kept
from safepoint.verify.mutate import may_be_at, run, stale, where_killed
from safepoint.verify.mutation import (
    KILLED,
    REFUSED,
    SAME,
    SURVIVED,
    Job,
    MutationRow,
    Place,
    hunt,
    key_of,
    model_of,
    subject,
)
from safepoint.verify.workers import workers

PLACES = (Place("sc", "interrupt-1", 20_000), Place("sc", "stop-1", 20_000))


def became(procedure: str, operator: str, before: str, after: str, places: tuple[Place, ...] = PLACES) -> MutationRow:
    """What becomes of a mutation of folded's text in two small scopes."""
    (number,) = (
        n
        for n, m in enumerate(subject(FOLDED)[1])
        if (m.change.procedure, m.change.operator, m.change.before, m.change.after)
        == (procedure, operator, before, after)
    )
    return hunt(Job(FOLDED, number, places))


def test_a_mutation_is_killed_by_a_property_in_the_smallest_scope() -> None:
    row = became("post", "delete", "poison(t)", "")
    assert (row.verdict, row.memory, row.scope) == (KILLED, "sc", "interrupt-1")
    assert row.property in ALWAYS | EVENTUALLY
    assert row.steps > 0


def test_a_scope_in_which_no_graph_changes_is_not_explored() -> None:
    row = became("start_world", "delete", "world.stop.store(0)", "")
    assert (row.verdict, row.scope, row.explored) == (KILLED, "stop-1", ())
    assert became("start_world", "delete", "world.stop.store(0)", "", PLACES[:1]).verdict == SAME


def test_what_leaves_the_language_is_refused_and_says_why() -> None:
    row = became("slow_path", "delete", "bits = take(t)", "")
    assert (row.verdict, row.property) == (REFUSED, "")
    assert "unknown name bits" in row.detail


def test_too_many_states_are_no_verdict() -> None:
    few = (Place("sc", "interrupt-1", 100), Place("sc", "stop-1", 100))
    row = became("park", "constant", "t.state.store(PARKED)", "t.state.store(NATIVE)", few)
    assert (row.verdict, row.explored, row.cut_off) == (SURVIVED, (), ("sc interrupt-1", "sc stop-1"))


@pytest.mark.parametrize("scope", ["masks-1", "births-1"])
def test_where_no_graph_changes_the_same_states_are_reached(scope: str) -> None:
    """What makes exploring a mutation needless is seen to be true, where something of it is compiled."""
    text, mutations = subject(FOLDED)
    right_model = model_of(text, FOLDED, "sc", scope)
    reached = search(right_model, lambda _: None)
    same = 0
    for m in (m for m in mutations if m.change.procedure in ("mask", "unmask", "exit_thread", "start_thread", "serve")):
        try:
            model = model_of(m.made_in(text), FOLDED, "sc", scope)
            if mutation.digest_of(model) != mutation._right_digest(FOLDED, scope):
                continue
        except ProtocolError:
            continue
        found = search(model, lambda _: None)
        assert (found.states, found.transitions, found.depth) == (reached.states, reached.transitions, reached.depth), (
            m.change
        )
        same += 1
    assert same > 3


# ---------------------------------------------------------------------------------------------- what is reported


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started, so that what is patched here is seen by the campaign; and only two scopes are explored."""

    @contextmanager
    def one(_on: str, keep: Path | None) -> Iterator[Jobs]:
        with ThreadPoolExecutor(1) as pool:
            yield Jobs(pool, Kept(keep) if keep else None)

    monkeypatch.setattr("safepoint.verify.workers.workers", one)
    monkeypatch.setattr(mutate._Hunt, "_places", lambda *_: PLACES)
    monkeypatch.setattr(mutate._Hunt, "_small", lambda *_: ())
    for module in (mutate, equivalents):
        monkeypatch.setattr(module, "reason", lambda *_: "")


@pytest.mark.usefixtures("one_process")
def test_a_survivor_without_a_reason_is_shown_as_a_change_and_exits_1() -> None:
    row = became("park", "constant", "t.state.store(PARKED)", "t.state.store(NATIVE)")
    result = CliRunner().invoke(cli, ["mutate", "-p", "folded", "--at", f"{row.file}:{row.line}"])
    assert result.exit_code == 1
    assert "    - t.state.store(PARKED)\n    + t.state.store(NATIVE)\n" in result.output
    assert f"survives: owner.py:{row.line} park(), constant (folded)" in result.output
    assert f"again: safepoint mutate -p folded --at owner.py:{row.line}" in result.output


@pytest.mark.usefixtures("one_process")
def test_with_a_reason_it_is_equivalent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutate, "reason", lambda *_: "which of them it is does not matter")
    row = became("park", "constant", "t.state.store(PARKED)", "t.state.store(NATIVE)")
    result = CliRunner().invoke(cli, ["mutate", "-p", "folded", "--at", f"{row.file}:{row.line}", "--json"])
    assert result.exit_code == 0
    found = json.loads(result.stdout)["mutations"]
    assert {r["verdict"] for r in found} >= {SURVIVED, KILLED}
    assert all(r["reason"] for r in found if r["verdict"] == SURVIVED)


@pytest.mark.usefixtures("one_process")
def test_a_run_goes_on_from_what_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutation is explored again only if it was called equivalent and is so no more: then also where it was not before."""
    made = list[Job]()

    def hunted(job: Job) -> MutationRow:
        made.append(job)
        return replace(hunt(job), verdict=SURVIVED)

    monkeypatch.setattr(mutate, "hunt", hunted)
    monkeypatch.setattr(mutate, "reason", lambda key, _: "once" if "NATIVE" in key[3] else "")
    with ThreadPoolExecutor(1) as pool:
        first = run((FOLDED,), Jobs(pool, Kept(tmp_path)), at="park")
        assert len(made) == len(first.rows) > 10
        made.clear()
        again = Jobs(pool, Kept(tmp_path))
        assert run((FOLDED,), again, at="park").rows == first.rows
        assert (made, again.there) == ([], len(first.rows))
        monkeypatch.setattr(mutate, "reason", lambda *_: "")
        run((FOLDED,), Jobs(pool, Kept(tmp_path)), at="park")
    assert 0 < len(made) == sum(bool(row.reason) for row in first.rows) < len(first.rows)
    assert all(job.skips == () for job in made)


@pytest.mark.usefixtures("one_process")
def test_the_scope_that_killed_it_before_is_explored_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever version of the program found it; and where nothing is known, or no such scope is there any more, the smallest one is."""
    before = became("park", "constant", "t.state.store(PARKED)", "t.state.store(MANAGED)")
    row = replace(before, verdict=KILLED, memory="sc", scope="stop-1")
    jobs = list[Job]()
    other = Kept(tmp_path, replace(identity(), program="another"))
    for number, kept in enumerate((row, replace(row, line=1, scope="gone", after="x"))):
        other.keep(other.job(hunt, (Job(FOLDED, number, ()),)), kept)

    def noted(job: Job) -> MutationRow:
        jobs.append(job)
        return row

    first = where_killed(tmp_path)
    monkeypatch.setattr(mutate, "hunt", noted)
    with ThreadPoolExecutor(1) as pool:
        run((FOLDED,), pool, at="park", first=first)
    firsts = {str(job.places[0]) for job in jobs}
    assert len(firsts) == 2
    assert "sc stop-1" in firsts
    assert all(set(job.places) == set(PLACES) for job in jobs)  # none is left out


def test_a_directory_without_mutations_is_bad_input(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["mutate", "--like", str(tmp_path)])
    assert (result.exit_code, "no mutations of a campaign" in result.output) == (2, True)


@pytest.mark.parametrize("at", ["owner.py:1", "nosuch", "nosuch.py:3", "owner.py:x", "limit_and_budget.py"])
def test_a_place_with_nothing_to_mutate_is_bad_input(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No mutation is made to find that out."""
    monkeypatch.delattr(mutate, "subject")
    result = CliRunner().invoke(cli, ["mutate", "-p", "folded", "--at", at])
    assert result.exit_code == 2
    assert f"nothing to mutate at {at!r}" in result.output


@pytest.mark.parametrize("policy", [FOLDED, POLICIES["go"]], ids=lambda policy: policy.name)
def test_where_a_mutation_is_made_the_text_has_a_place(policy: Policy) -> None:
    changes = [(each.change, each.line) for each in subject(policy)[1]]
    assert changes
    places = {at for change, line in changes for at in (change.file, change.procedure, f"{change.file}:{line}")}
    assert [at for at in places if not may_be_at(policy, at)] == []


def test_a_change_that_survives_in_several_policies_is_shown_once() -> None:
    row = became("park", "constant", "t.state.store(PARKED)", "t.state.store(NATIVE)")
    lines = list(survivors([row, replace(row, policy="dart")]))
    assert [line for line in lines if "survives" in line] == [
        f"[red]survives[/]: owner.py:{row.line} park(), constant (folded, dart)"
    ]


# ---------------------------------------------------------------------------------------------- the table


def test_every_entry_names_a_mutation_of_the_text() -> None:
    """A line that has changed takes its reasons with it: they were about what stood there."""
    known = {
        policy: {(m.change.file, m.change.procedure, m.change.operator, f"{m.change.before} -> {m.change.after}")
                 for m in subject(POLICIES[policy])[1]}
        for policy in POLICIES
    }  # fmt: skip
    anywhere = set().union(*known.values())
    for entry in EQUIVALENTS:
        assert set(entry.policies) <= set(POLICIES)
        for key in entry.mutations():
            for where in [known[policy] for policy in entry.policies] or [anywhere]:
                assert key in where, f"no mutation of the text is {key}"


def test_every_reason_is_a_sentence_and_each_mutation_has_one() -> None:
    for entry in EQUIVALENTS:
        assert entry.reason.lstrip("`")[:1].isalpha()
        assert entry.reason.endswith(".")
    keys = [
        (key, policy) for entry in EQUIVALENTS for key in entry.mutations() for policy in entry.policies or POLICIES
    ]
    assert len(keys) == len(set(keys))


def test_a_reason_that_fits_no_survivor_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    row = became("park", "constant", "t.state.store(PARKED)", "t.state.store(NATIVE)")
    entry = Equivalents(
        "It does the same.", row.file, row.procedure, ("constant: t.state.store(PARKED) -> t.state.store(NATIVE)",)
    )
    monkeypatch.setattr(mutate, "EQUIVALENTS", (entry,))
    monkeypatch.setattr(equivalents, "EQUIVALENTS", (entry,))
    assert equivalents.reason(key_of(row), "folded") == "It does the same."
    assert stale([replace(row, reason="It does the same.")]) == []
    (said,) = stale([replace(row, reason="It does the same.", verdict=KILLED)])
    assert "t.state.store(NATIVE)" in said
    of_a_trigger = (replace(entry, file="limit.py"),)
    monkeypatch.setattr(mutate, "EQUIVALENTS", of_a_trigger)
    assert stale([row]) == []  # no policy with that trigger was mutated
    assert len(stale([replace(row, policy="skybison")])) == 1
    monkeypatch.setattr(mutate, "EQUIVALENTS", (replace(entry, policies=frozenset({"go", "wasmtime"})),))
    assert stale([row]) == []  # no such policy was mutated
    assert len(stale([replace(row, policy="go")])) == 1


# ---------------------------------------------------------------------------------------------- the measure


@pytest.mark.timeout(600)
def test_no_mutation_of_the_sample_survives_without_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third of folded's sample, in some 25 s of a processor; the others are for the night."""
    monkeypatch.setattr(mutate, "SAMPLE", 3 * mutate.SAMPLE)
    with workers() as pool:
        campaign = run((FOLDED,), pool, quick=True)
    assert len(campaign.rows) > 7
    assert {row.verdict for row in campaign.rows} >= {KILLED, SURVIVED}
    assert "\n".join(survivors(campaign.unexplained)) == ""


@pytest.mark.timeout(600)
def test_none_of_a_few_survives_in_the_other_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two policies, with checks at pushes and elsewhere, three or four; a night mutates every line of each policy."""
    others = (POLICIES["guard_page"], POLICIES["ocaml"])
    monkeypatch.setattr(mutate, "SAMPLE", 5 * mutate.SAMPLE)
    with workers() as pool:
        campaign = run(others, pool, quick=True)
    assert {row.policy for row in campaign.rows} == {policy.name for policy in others}
    assert {row.verdict for row in campaign.rows} >= {KILLED, SURVIVED}
    assert "\n".join(survivors(campaign.unexplained)) == ""


@pytest.mark.nightly  # all mutations of all policies: an hour and a half of a processor
@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("policy", POLICIES)
def test_no_mutation_survives_without_a_reason(policy: str) -> None:
    with workers() as pool:
        campaign = run((POLICIES[policy],), pool)
    assert len(campaign.rows) > 900
    assert "\n".join(survivors(campaign.unexplained)) == ""
