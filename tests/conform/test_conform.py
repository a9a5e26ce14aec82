"""`safepoint conform` with adapters that cannot be judged: one line, and exit status 2; 1 is a refutation and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safepoint.cli.main import cli

GOOD = "from tests.conform.toy import Toy\nfrom safepoint.conform.target import NotOffered, Target\n"
UNUSABLE = {
    "import no_such_module\n": "cannot be imported: No module named 'no_such_module'",
    "raise SystemExit(1)\n": "cannot be imported: SystemExit: 1 (",
    "class Mine(\n": "cannot be imported: '(' was never closed",
    "class Mine: pass\n": "is not a safepoint.conform.target.Target (derive the class from it)",
    GOOD + "class Mine(Target): pass\n": "lacks load, observe, post, start, step (write these methods",
    GOOD + "class Mine(Toy):\n    def __init__(self, vm): pass\n": "(the class must need no arguments)",
    GOOD + "class Mine(Toy):\n    def __init__(self): self.vm = 1 // 0\n": "cannot be made: ZeroDivisionError",
    GOOD
    + "class Mine(Toy):\n    offers = frozenset({'stack', 'exeptions'})\n": "offers 'exeptions' (write some of: STOP,",
    GOOD + "class Mine(Toy):\n    @property\n    def bound(self): raise AttributeError\n": "has no 'bound'",
    GOOD
    + "class Mine(Toy):\n    def load(self, *_): raise NotOffered('Python')\n": "no request was judged: mine_{}:Mine offers too little",
    GOOD + "class Mine(Toy):\n    offers = frozenset()\n    pass\n": "no request was judged",
    GOOD
    + "class Mine(Toy):\n    def observe(self): return 1 // 0\n": "runs-as-python-does was not judged: the adapter of mine_{}:Mine raised ZeroDivisionError: ",
    GOOD
    + "class Mine(Toy):\n    def post(self, kind): raise SystemExit(1)\n": "was not judged: the adapter of mine_{}:Mine raised SystemExit: 1 (",
}
"""Source of an adapter -> what is said of it."""


def conform(source: str, directory: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> Result:
    """Under a module name of its own, because a module is imported once."""
    name = f"mine_{abs(hash(source))}"
    (directory / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(directory)
    return CliRunner().invoke(cli, ["conform", "--target", f"{name}:Mine", *more])


@pytest.mark.parametrize("source", UNUSABLE, ids=range(len(UNUSABLE)))
def test_what_cannot_be_judged_is_one_line(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = conform(source, tmp_path, monkeypatch)
    assert result.exit_code == 2
    (said,) = [line for line in result.output.splitlines() if line.startswith("safepoint: ")]
    assert re.sub(r"mine_\d+", "mine_{}", UNUSABLE[source]) in re.sub(r"mine_\d+", "mine_{}", said)
    assert "Traceback" not in result.output


def test_a_refutation_stands_also_if_the_adapter_fails_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = (
        "from tests.conform.twins import OneShot\nclass Mine(OneShot):\n    def watch(self, callback): return 1 // 0\n"
    )
    result = conform(source, tmp_path, monkeypatch)
    assert result.exit_code == 1
    assert "seen-again is refuted" in result.output
    assert re.search(r"raised ZeroDivisionError: integer .*\(.*mine_\d+\.py:3\)", " ".join(result.output.split()))


def test_json_says_what_was_judged_and_what_was_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = GOOD + "class Mine(Toy):\n    offers = Toy.offers - {'exceptions', 'HANDSHAKE'}\n"
    result = conform(source, tmp_path, monkeypatch, "--json")
    assert result.exit_code == 0
    row = json.loads(result.output)
    assert row["bound"] == {"frames": 1, "back_edges": 1}
    assert "except-and-finally-run" in row["not_offered"]
    assert row["left_out"]["program catches"] == "needs exceptions"
    assert row["left_out"]["HANDSHAKE"] == "not offered"
