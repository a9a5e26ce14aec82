"""A policy of a user's own that says what one of ours says is explored as that one; and whatever a file says, it is refused or explored."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from safepoint.cli.main import cli
from safepoint.graph.gather import text_of
from safepoint.graph.text import ProtocolError
from safepoint.model.engines import engine
from safepoint.model.own_policies import PolicyError, find_policy
from safepoint.model.scopes import SCOPES
from safepoint.model.sound_policy import SERVING, site_procedures, words_read
from safepoint.model.system import Model
from safepoint.protocol.own import OwnPolicy
from safepoint.protocol.policies import POLICIES, is_own
from safepoint.protocol.policy import SITES, Bound, Policy
from safepoint.verify.explore import decide
from safepoint.verify.kept import Kept
from safepoint.verify.mutation import allow
from tests.own_policies import EXAMPLE, LANTERN, written


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda p: p.name)
def test_one_of_ours_is_sound_under_another_name(policy: Policy, tmp_path: Path) -> None:
    """And is what it was: so the words, the sites and the numbers that are asked for are those that ours have."""
    found = find_policy(written(tmp_path, replace(policy, name="mine")))
    assert isinstance(found, OwnPolicy)
    assert {f.name: getattr(found, f.name) for f in fields(Policy) if f.name != "name"} == {
        f.name: getattr(policy, f.name) for f in fields(Policy) if f.name != "name"
    }
    assert (found.called, found.trigger_digest) == ("mine", "")


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda p: p.name)
def test_the_words_that_checks_read_are_found_in_the_text(policy: Policy) -> None:
    assert set(words_read(text_of(policy), f"{policy.trigger}.py", policy.sites)) == set(policy.words)


def test_each_site_has_its_procedure() -> None:
    found = site_procedures()
    assert (found["push"], found["back-edge"]) == ("frame_push", "back_edge")
    assert [*found] == [*SITES]
    assert not {*found.values()} & {*SERVING}


@given(
    policy=st.sampled_from([*POLICIES.values()]),
    title=st.text(min_size=1).filter(lambda s: s.strip() and "\n" not in s),
    data=st.data(),
    scope=st.sampled_from(["interrupt-1", "sample-1", "signal-1"]),
    memory=st.sampled_from(["sc", "tso"]),
)
@settings(max_examples=20)
def test_an_equal_policy_is_explored_as_ours(
    tmp_path_factory: pytest.TempPathFactory, policy: Policy, title: str, data: st.DataObject, scope: str, memory: str
) -> None:
    """Other features, another order of words and another title change nothing in a scope without features; another period, in both alike."""
    period = data.draw(st.integers(1, 4)) if policy.period else 0
    ours = policy.with_period(period) if period else policy
    slices = tuple(data.draw(st.permutations(policy.slices)))[: data.draw(st.integers(0, len(policy.slices)))]
    words = tuple(data.draw(st.permutations(policy.words)))
    said = replace(ours, name="mine", title=title, slices=slices, words=words)
    mine = find_policy(written(tmp_path_factory.mktemp("own"), said))
    found = [decide(Model(text_of(p), SCOPES[scope], policy=p, memory=memory), p, engine()) for p in (ours, mine)]
    assert [(d.result.states, d.result.transitions, d.bound, d.refuted) for d in found[:1]] == [
        (d.result.states, d.result.transitions, d.bound, d.refuted) for d in found[1:]
    ]


# -- anything at all

VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-3, 40), st.integers(), st.floats(), st.text(max_size=5), st.binary(max_size=3),
        st.sampled_from([*SITES, *POLICIES, "limit", "ticker", "entry", "masks", "no-deadlock", "depth", "x.py", "armed_byte.py"]),
        st.builds(Bound, frames=st.sampled_from([0, 1, 2, None, "depth", "deep", -1]), back_edges=st.sampled_from([0, 1, None, [], 1.5])),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple), st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)  # fmt: skip


def status_of(folder: Path, source: bytes, name: str = "mine.py:MINE") -> int:
    """Of an exploration with what a file says.  Fails if that was no verdict and no refusal in one line."""
    file = folder / "mine.py"
    file.write_bytes(source)
    result = CliRunner().invoke(
        cli, ["explore", "-p", f"{folder}/{name}", "--scope", "interrupt-1", "--max-states", "9000"]
    )
    assert result.exit_code in (0, 1, 2)
    assert "Traceback" not in result.output
    assert "raised at" not in result.output  # as a defect is told
    if result.exit_code == 2:
        assert result.stderr.startswith("safepoint: ")
        assert result.stdout or result.stderr.count("\n") <= 2
    return result.exit_code


@given(
    said=st.dictionaries(st.sampled_from([f.name for f in fields(Policy)]), VALUES, max_size=4),
    of=st.sampled_from([*POLICIES]),
)
@settings(max_examples=150)
def test_a_policy_that_says_anything_is_refused_or_explored(
    tmp_path_factory: pytest.TempPathFactory, said: dict[str, Any], of: str
) -> None:
    """One of ours, with any values in some of its fields."""
    values = {**vars(POLICIES[of]), "name": "mine", **said}
    fields_ = "".join(f"    {name}={value!r},\n" for name, value in values.items())
    head = "from safepoint.protocol.policy import Bound, Policy\n\ninf, nan = float('inf'), float('nan')\n"
    status_of(tmp_path_factory.mktemp("any"), f"{head}MINE = Policy(\n{fields_})\n".encode("utf-8", "surrogatepass"))


@given(
    source=st.one_of(
        st.binary(max_size=40), st.text(alphabet="MINE=Policy()[]{}:.,#\n 1\"'\\", max_size=40).map(str.encode)
    )
)
@settings(max_examples=100)
def test_a_file_that_says_anything_is_refused(tmp_path_factory: pytest.TempPathFactory, source: bytes) -> None:
    assert status_of(tmp_path_factory.mktemp("any"), source) == 2


@given(name=st.text(max_size=12))
def test_any_name_is_refused_or_one_of_ours(name: str) -> None:
    result = CliRunner().invoke(cli, ["distance", "-p", name, str(EXAMPLE / "lantern.py")])
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1 or "\n" in name


@given(cut=st.integers(0, 60), to=st.integers(0, 60))
@settings(max_examples=25)
def test_any_part_of_a_trigger_is_refused_or_explored(
    tmp_path_factory: pytest.TempPathFactory, cut: int, to: int
) -> None:
    """Without some of its lines."""
    folder = tmp_path_factory.mktemp("any")
    lines = (EXAMPLE / "armed_byte.py").read_text().splitlines(keepends=True)
    (folder / "armed_byte.py").write_text("".join([*lines[:cut], *lines[max(cut, to) :]]))
    status_of(folder, (EXAMPLE / "lantern.py").read_bytes(), "mine.py:LANTERN")


# -- what is sent to other processes, and what is kept


def test_a_policy_is_the_same_in_another_process(tmp_path: Path) -> None:
    found = find_policy(LANTERN)
    assert pickle.loads(pickle.dumps(found)) == found
    assert allow((found, "sc", "interrupt-1")).most > 0
    kept = Kept(tmp_path)
    assert kept.job(allow, ((found, "sc", "stop-1"),)) == kept.job(allow, ((find_policy(LANTERN), "sc", "stop-1"),))


def test_a_trigger_that_changes_meanwhile_is_noticed_and_has_other_results(tmp_path: Path) -> None:
    for file in EXAMPLE.glob("*.py"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    name, trigger = f"{tmp_path}/lantern.py:LANTERN", tmp_path / "armed_byte.py"
    before = find_policy(name)
    trigger.write_text(trigger.read_text().replace('"stays-armed"', '"stays"'))
    after = find_policy(name)
    kept = Kept(tmp_path / "kept")
    assert kept.job(allow, ((before, "sc", "stop-1"),)) != kept.job(allow, ((after, "sc", "stop-1"),))
    assert "stays" in text_of(after).mutants
    trigger.write_text(trigger.read_text() + "\n")
    text_of.__globals__["_with"].cache_clear()  # as in a process that has just begun
    with pytest.raises(ProtocolError, match=r"armed_byte\.py: has changed since the command began \(begin it again\)"):
        text_of(after)


def test_what_is_of_a_users_own() -> None:
    assert [name for name in ("folded", "mine", "mine.py", "mine:M", *POLICIES) if is_own(name)] == [
        "mine.py",
        "mine:M",
    ]
    with pytest.raises(PolicyError):
        find_policy("mine")
    assert find_policy("dart") is POLICIES["dart"]
