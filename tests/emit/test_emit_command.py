"""`safepoint emit`: where it writes, and what it refuses, in one line and with status 2."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safepoint.cli.main import cli
from safepoint.emit.header import header
from safepoint.protocol.policies import FOLDED, POLICIES


def emit(*args: str) -> Result:
    return CliRunner().invoke(cli, ["emit", *args], prog_name="safepoint")


@pytest.mark.parametrize("output", [(), ("-o", "-")], ids=["without -o", "with -o -"])
def test_it_prints_the_header(output: tuple[str, ...]) -> None:
    result = emit("--c", *output)
    assert (result.exit_code, result.stdout) == (0, header(FOLDED))


def test_it_writes_a_file_in_place_of_what_that_holds(tmp_path: Path) -> None:
    file = tmp_path / "safepoint.h"
    file.write_text("before", encoding="utf-8")
    result = emit("--c", "-p", "dart", "-o", str(file))
    assert (result.exit_code, result.output) == (0, "")
    assert file.read_text(encoding="utf-8") == header(POLICIES["dart"])


def test_a_mutant_is_put_in() -> None:
    result = emit("--c", "--mutant", "poison-before-post")
    assert (result.exit_code, result.stdout) == (0, header(FOLDED, "poison-before-post"))


def test_weaker_orders_are_put_in() -> None:
    result = emit("--c", "--mutant", "reenter.stop.look.acquire+awaken.wake.publish.release")
    assert (result.exit_code, result.stdout) == (
        0,
        header(FOLDED, "reenter.stop.look.acquire+awaken.wake.publish.release"),
    )


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "safepoint: no language is named (write safepoint emit --c)\n"),
        (("--c", "--mutant", "poison-before-pots"), "safepoint: no mutant 'poison-before-pots'; did you mean poison-before-post?\n"),
        (("--c", "--mutant", ""), "safepoint: --mutant would be ignored: it is empty (leave it out)\n"),
        (
            ("--c", "-p", "skybison", "--mutant", "birth-keeps-bits"),
            "safepoint: mutant birth-keeps-bits: stands in start_thread, which this policy's header has not (choose another)\n",
        ),
        (("--c", "-p", "dart", "-p", "cpython"), "safepoint: --policy is given 2 times (a header has one: run the command once for each)\n"),
        (("--c", "--mutant", "reenter.stop.look.release"), "safepoint: mutant reenter.stop.look.release: the access is seq_cst, and release is not"),
        (("--c", "-p", "hhvm"), "safepoint: Invalid value for '-p' / '--policy': 'hhvm' is not one of"),
        (("--c", "-p", "wasmtime"), "safepoint: policy wasmtime has no header: its one word models a counter"),
        (("--c", "-o", "/no/such/folder/safepoint.h"), "safepoint: Invalid value for '-o' / '--output': /no/such/folder/safepoint.h: No such file"),
    ],
)  # fmt: skip
def test_what_it_refuses_is_one_line(args: tuple[str, ...], said: str) -> None:
    result = emit(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1


def test_its_help_says_where_to_go_on() -> None:
    result = emit("--help")
    assert result.exit_code == 0
    assert "docs/adopt.md" in result.output
