"""`safepoint policies`: the bounds, proved and observed, and what the checks cost; and that what is wrong is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.conform.judge import UnknownTarget
from safepoint.protocol.policies import FOLDED, POLICIES
from safepoint.protocol.policy import Bound
from safepoint.show.policies import measured, proved, shown, summary
from safepoint.verify import policies
from safepoint.verify.explore import decide
from safepoint.verify.policies import PolicyRow, rows
from safepoint_vm.generate.engine import Variant
from safepoint_vm.generate.listing import fast_path, listing
from safepoint_vm.generate.parts import parts_of
from safepoint_vm.target import FoldedTarget

ADDED = {
    "folded": (0, 0),
    "skybison": (0, 0),
    "go": (0, 0),
    "v8_maglev": (0, 3),
    "v8_ignition": (0, 5),
    "dart": (0, 2),
    "cpython": (7, 7),
    "pypy": (5, 5),
    "wasmtime": (4, 4),
    "guard_page": (2, 2),
    "yarv": (0, 7, 7),
    "hotspot": (0, 2, 2),
    "ocaml": (0, 3, 0),
    "pypy_sampling": (0, 0, 0),
    "patched": (0, 0),
}
"""Instructions at a frame push, a back-edge, and where else it checks.  dart: a comparison with a constant, and a jump.  cpython: load and `or` the two masks, load
the bits, `not`, `and`, test, jump.  v8_maglev: load, compare with the poison, jump.  v8_ignition: load, test, jump, subtract, store.  pypy: load, compare with the poison, jump, subtract, store; the comparison with the limit is there anyway.
wasmtime: load the world's address, the deadline, compare with the counter, jump.  guard_page: load the page's address, load from the page.
yarv: as cpython.  hotspot: as guard_page.  ocaml, pypy_sampling: the comparison of an allocation is there anyway; at a back-edge load, compare, jump.
"""
KEYS = ("policy", "sites", "trigger", "proved", "proved_tso", "observed", "instructions", "ratio")
"""Of a row, as `docs/policies.md` promises them."""
ROW = PolicyRow(policy="x", title="t", sites=(), trigger="flag", declared=Bound(1, 1), proved=Bound(1, 1), proved_tso=Bound(1, 1))  # fmt: skip


@pytest.mark.parametrize("name", ADDED)
def test_what_each_policys_checks_add(name: str) -> None:
    frame_push, back_edge, *elsewhere = ADDED[name]
    added = {"frame_push": frame_push, "back_edge": back_edge, "return": 0, "allocation": 0}
    assert FoldedTarget().instructions(POLICIES[name]) == added | dict(
        zip([POLICIES[name].elsewhere] * len(elsewhere), elsewhere, strict=True)
    )


OBSERVED = {
    "pypy": Bound(1, 1),  # its second check needs a post between the load and the store of the first
    "skybison": Bound(1, 1_000_001),
    "yarv": Bound(1_000_010, 1, returns=1),
    "hotspot": Bound(1_000_010, 1, returns=1),
    "ocaml": Bound(1_000_010, 1, allocations=1),
}
"""A million back-edges and the one that goes on; ten times a hundred thousand frames, and the first of each."""


SOON = ("ocaml",)
"""Those of each run: checks elsewhere.  A bound that there is not is in the tour, which has the row of `go`; a night takes the others."""


@pytest.mark.parametrize("name", [n if n in SOON else pytest.param(n, marks=pytest.mark.nightly) for n in OBSERVED])
def test_no_distance_is_beyond_the_bound(name: str) -> None:
    (row,) = rows([POLICIES[name]], rounds=1)
    assert row.wrong == ""
    assert row.proved == row.proved_tso == POLICIES[name].declared
    assert row.interrupts > 1000
    assert row.observed == OBSERVED[name]
    assert set(row.ratio) == {"calls", "loops", "allocation"}


def test_the_fast_path_is_what_is_executed_up_to_the_dispatch() -> None:
    lines = ["a", "jne .L1", "b", "jmp .L2", ".L1:", "c", ".L2:", "d", "jmpq *%rcx", "e"]
    assert fast_path(lines) == ["a", "jne .L1", "b", "jmp .L2", "d", "jmpq *%rcx"]
    with pytest.raises(ValueError, match="no dispatch"):
        fast_path([".L1:", "a", "jmp .L1"])
    with pytest.raises(KeyError):
        listing(parts_of(Variant()), "NO_SUCH_HANDLER")


def test_a_bound_that_is_worse_and_a_distance_beyond_it_are_refuted() -> None:
    assert ROW.wrong == replace(ROW, observed=Bound(1, 1)).wrong == ""
    assert "declares frames 1, back-edges 1" in replace(ROW, proved=Bound(1, None)).wrong
    assert "under TSO" in replace(ROW, proved_tso=Bound(2, 1)).wrong
    assert (
        replace(ROW, observed=Bound(1, 2)).wrong == "observed: frames 1, back-edges 2; proved: frames 1, back-edges 1"
    )
    assert Bound(1, "depth").worse(Bound(2, 5)) == Bound(2, "depth")
    assert Bound(None, 1).worse(Bound(7, 1)) == Bound(None, 1)


def test_a_bound_that_claims_too_little_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what a policy declares, and attains under neither SC nor TSO; of ours `verify` has it that none does (`Unattained`)."""
    assert Bound(5, None, 2).unattained(Bound(1, 3, 2)) == {"frames": (5, 1), "back_edges": (None, 3)}
    assert Bound("depth", 2).unattained(Bound(1, 0)) == Bound(1, 1).unattained(Bound(1, 1)) == {}
    monkeypatch.setattr(policies, "_target", lambda: (None, "not asked"))
    (row,) = rows([replace(FOLDED, declared=Bound(1, 2))])
    assert (row.wrong, row.too_weak) == ("", (
        "protocol/policies/folded.py: declared: back_edges=2, and no scope explored attains it: at most 1 (write: back_edges=1; a larger scope may need more)",
    ))  # fmt: skip
    assert rows([FOLDED])[0].too_weak == ()


def test_a_machine_that_differs_and_a_text_that_is_refuted_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compared with an interpreter that has a mistake; and explored with a bound that no scope has."""
    with monkeypatch.context() as patched:
        patched.setattr(FoldedTarget, "under", lambda _, policy: FoldedTarget("never-restored", policy=policy))
        (row,) = rows([FOLDED], rounds=1)
    assert row.wrong.startswith("folded: calls_only: ")
    assert "safepoint replay" in row.wrong
    monkeypatch.setattr(policies, "decide", lambda *args: replace(decide(*args), bound=None))
    (row,) = rows([POLICIES["wasmtime"]], rounds=1)
    assert "(safepoint explore -p wasmtime --memory tso --scope " in row.wrong


def test_what_was_not_observed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_target(name: str) -> None:
        raise UnknownTarget(f"no target {name}")

    monkeypatch.setattr(policies, "find_target", no_target)
    (row,) = rows([FOLDED])
    assert (row.observed, row.instructions, row.ratio) == (None, {}, {})
    assert measured(row) == ("-", "-", "-")
    assert "not observed: folded: no target folded" in [*summary([row])]


def test_a_cell_has_both_memory_models_where_they_differ() -> None:
    assert proved(ROW) == "1 / 1"
    assert proved(replace(ROW, proved_tso=Bound(None, "depth"))) == "1 / 1 (TSO: unbounded / depth)"


def test_the_command_as_json_and_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "rows", lambda *_: [replace(ROW, proved=Bound(1, 3))])
    result = CliRunner().invoke(cli, ["policies", "--json"])
    assert result.exit_code == 1
    (row,) = json.loads(result.stdout)["policies"]
    assert set(KEYS) <= set(row)
    assert "refuted: the bound under SC" in result.stderr
    assert CliRunner().invoke(cli, ["policies", "-p", "folde"]).exit_code == 2


PAGE = (Path(__file__).parents[2] / "docs" / "policies.md").read_text(encoding="utf-8")


def test_the_page_says_of_each_policy_what_is_held_here() -> None:
    """Its bound is the declared one, which `tests/model` holds to be exact; what is added is as above; times are of the day that it names."""
    lines = [
        line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and "trigger" not in line
    ]
    rows_of = {name: rest for name, *rest in lines}
    assert set(rows_of) == set(POLICIES)
    for name, (trigger, elsewhere, proved_there, observed, added, _) in rows_of.items():
        policy = POLICIES[name]
        assert (trigger, elsewhere) == (policy.trigger, policy.elsewhere or "-")
        assert proved_there == shown(policy.declared)
        assert added == (" / ".join(map(str, ADDED[name])) if name in ADDED else "-")
        assert (observed == "-") == (not FoldedTarget().has_checks_of(policy))
