"""Exit statuses of what should not happen: 1 is a refutation and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.graph.text import ProtocolError
from tests.cli.broken import COMMAND


def test_a_defect_is_not_a_refutation(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("safepoint.verify.explore.explore", broken)
    result = CliRunner().invoke(cli, ["explore"])
    assert result.exit_code == 2
    assert result.output.startswith("safepoint: RuntimeError: a defect, raised at ")
    assert len(result.output.splitlines()) == 1


@pytest.mark.parametrize(
    ("place", "args"),
    [
        ("safepoint.verify.explore.decide", ["explore"]),
        ("safepoint.model.path.replay", ["replay", "m:x"]),
        ("safepoint.verify.run.run", ["verify"]),
    ],
)
def test_an_error_of_the_text_is_one_line_everywhere(
    place: str, args: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object, **__: object) -> None:
        raise ProtocolError("words.py:1:1: what is wrong (write instead: what is right)")

    monkeypatch.setattr(place, refuses)
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 2
    assert result.output == "safepoint: words.py:1:1: what is wrong (write instead: what is right)\n"


def test_full_standard_error_changes_no_status() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*COMMAND, "nope"], stderr=full, timeout=100, check=False)
    assert done.returncode == 2, "it cannot say what is wrong, but 1 would say that a claim is refuted"
