"""`safepoint profile`: each command of its page does what the page says, and each mistake is told in one line."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from safepoint.cli.main import cli

pytest.importorskip("llvmlite", reason="the interpreter is not installed (pip install '.[vm]')")

PAGE = (Path(__file__).parents[2] / "docs" / "profile.md").read_text(encoding="utf-8")
LISTS, STRAIGHT = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
RUNS = re.findall(r"^```console\n\$ safepoint (.*?)\n(.*?)^```\n\n```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
(USES,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
PRINTS = "print('it ran')\nfor i in range(1000):\n    x = [i]\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, source in {"lists.py": LISTS, "straight.py": STRAIGHT, "prints.py": PRINTS}.items():
        Path(name).write_text(source, encoding="utf-8")


def call(*args: str) -> Result:
    return CliRunner().invoke(cli, args, prog_name="safepoint")


def weights(collapsed: str) -> dict[str, int]:
    """Stack -> weight."""
    return {stack: int(weight) for stack, _, weight in (line.rpartition(" ") for line in collapsed.splitlines())}


def own(collapsed: str) -> Counter[str]:
    """The share of each function, itself, in percent; without its place."""
    found: Counter[str] = Counter()
    for stack, weight in weights(collapsed).items():
        found[stack.rpartition(";")[2].partition(" ")[0]] += weight
    return Counter({name: round(100 * weight / found.total()) for name, weight in found.items()})


# -- the page


def test_by_allocation_the_page_shows_what_is_printed() -> None:
    command, said, written = RUNS[0]
    result = call(*shlex.split(command))
    assert (result.exit_code, result.stderr, result.stdout) == (0, said, "")
    assert Path("lists.collapsed").read_text() == written


def test_the_function_without_a_check_is_not_seen_and_its_twin_is() -> None:
    """On the page and here: half of the time is that of `straight`, and stands beside its caller's name."""
    command, _, shown = RUNS[1]
    result = call(*shlex.split(command))
    assert result.exit_code == 0
    assert re.fullmatch(r"straight\.txt: \d+ samples for \d+\.\d\d s of CPU time, 1 thread\n", result.stderr)
    for text in (shown, Path("straight.txt").read_text()):
        found = own(text)
        assert "straight" not in found
        assert found["turning"] >= 25
        assert found["both"] >= 25
        assert found["turning"] + found["both"] >= 98


@pytest.mark.parametrize("use", USES.splitlines(), ids=lambda use: use.partition("#")[0].strip())
def test_each_use_of_the_page_works(use: str) -> None:
    command = shlex.split(use.partition("#")[0])
    assert command[0] == "safepoint"
    args = [{"FILE": "lists.py", "OUT": "out.svg"}.get(word, word) for word in command[1:]]
    assert call(*args).exit_code == 0
    assert Path("out.svg").read_text().startswith("<svg")


def test_the_page_says_what_the_limits_are() -> None:
    """Each is taken, and what is beyond is not."""
    from safepoint_vm.threads.sampling import DEPTH, RING

    assert f"{RING:,} words" in PAGE
    assert f"the {DEPTH} innermost calls" in PAGE
    for amount in re.findall(r"# .*?(\d+\w+) to (\d+\w+)$", USES, re.MULTILINE):
        for limit in amount:
            assert call("profile", "prints.py", "-o", "out.txt", "--every", limit).exit_code == 0
    for beyond in ("99us", "11s", "255B", "2GiB"):
        assert call("profile", "prints.py", "-o", "out.txt", "--every", beyond).exit_code == 2


# -- the file


def test_the_suffix_decides_what_is_written() -> None:
    for suffix in ("collapsed", "txt", "json", "svg"):
        assert call("profile", "lists.py", "--every", "4KiB", "-o", f"out.{suffix}").exit_code == 0
    one, other = Path("out.collapsed").read_text(), Path("out.txt").read_text()
    assert one == other
    (thread,) = json.loads(Path("out.json").read_text())["profiles"]
    assert sorted(thread["weights"]) == sorted(weights(one).values())
    drawn = Path("out.svg").read_text()
    assert "lists.py, every 4KiB" in drawn
    assert "pairs (lists.py:1): 79.6%, itself 79.6%" in drawn


def test_a_program_that_raises_is_profiled_up_to_there() -> None:
    Path("raises.py").write_text(LISTS + "1 // 0\n", encoding="utf-8")
    result = call("profile", "raises.py", "--every", "4KiB", "-o", "out.txt")
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.stderr
    assert own(Path("out.txt").read_text())["pairs"] == 80


def test_a_file_is_replaced_whole_and_keeps_its_mode() -> None:
    out = Path("out.txt")
    out.write_text("before\n")
    out.chmod(0o640)
    assert call("profile", "lists.py", "--every", "4KiB", "-o", "out.txt").exit_code == 0
    assert own(out.read_text())["pairs"] == 80
    assert out.stat().st_mode & 0o777 == 0o640
    assert sorted(file.name for file in Path().iterdir()) == ["lists.py", "out.txt", "prints.py", "straight.py"]


def test_a_link_stays_one() -> None:
    Path("real.txt").touch()
    Path("link.txt").symlink_to("real.txt")
    assert call("profile", "lists.py", "--every", "4KiB", "-o", "link.txt").exit_code == 0
    assert Path("link.txt").is_symlink()
    assert own(Path("real.txt").read_text())["pairs"] == 80


def test_a_pipe_gets_the_profile() -> None:
    os.mkfifo("pipe.txt")
    with subprocess.Popen(
        [sys.executable, "-c", "print(open('pipe.txt').read())"], stdout=subprocess.PIPE, text=True
    ) as reader:
        command = "from safepoint.cli.entry import main; main()"
        args = ["profile", "lists.py", "--every", "4KiB", "-o", "pipe.txt"]
        done = subprocess.run([sys.executable, "-c", command, *args], timeout=60, check=False, capture_output=True)
        assert done.returncode == 0
        assert reader.stdout is not None
        assert own(reader.stdout.read().strip())["pairs"] == 80
    assert Path("pipe.txt").is_fifo()


# -- mistakes: one line, status 2, and the program has not run


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["-o", "out.png"], r"out\.png: no format has the suffix '\.png' \(name a file that ends in \.collapsed, \.txt, \.json, \.svg\)"),
        (["-o", "out"], r"out: no format has the suffix '' \(name a file that ends in .*\)"),
        ([], r"Missing option '-o' / '--output' \(see: safepoint profile --help\)"),
        (["-o", "no/out.svg"], r".*no/out\.svg: No such file or directory \(name a file that can be written\).*"),
        (["-o", "link.txt"], r"link\.txt: is the program itself \(name another file for the profile\)"),
        (["-o", "out.txt", "--every", "1kHz"], r".*'1kHz' is neither a time nor a size \(write, for example, 1ms or 64KiB; units: us, .*"),
        (["-o", "out.txt", "--every", "ms"], r".*'ms' is neither a time nor a size.*"),
        (["-o", "out.txt", "--every", "1us"], r".*'1us' is not within 100us to 10s \(write, for example, 1ms\).*"),
        (["-o", "out.txt", "--every", "8B"], r".*'8B' is not within 256B to 1GiB \(write, for example, 64KiB\).*"),
        (["-o", "out.txt", "--every", "-1ms"], r".*'-1ms' is neither a time nor a size.*"),
        (["-o", "out.txt", "--heap", "1"], r".*'1' is not a size from 64K to 4G.*"),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)  # fmt: skip
def test_a_mistake_is_one_line_before_the_program_runs(args: list[str], said: str) -> None:
    Path("link.txt").symlink_to("prints.py")
    result = call("profile", "prints.py", *args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.fullmatch(rf"safepoint: {said}\n", result.stderr)
    assert not Path("out.txt").exists()
    assert Path("prints.py").read_text() == PRINTS


def test_a_program_that_cannot_run_leaves_the_file_as_it_was() -> None:
    Path("out.txt").write_text("before\n")
    Path("wrong.py").write_text("import os\n", encoding="utf-8")
    for name in ("wrong.py", "missing.py"):
        result = call("profile", name, "-o", "out.txt")
        assert result.exit_code == 2
        assert result.stderr.startswith(f"safepoint: {name}:")
    assert Path("out.txt").read_text() == "before\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full here")
def test_a_full_disk_is_said() -> None:
    result = call("profile", "prints.py", "-o", "/dev/full")
    assert result.exit_code == 2
    Path("full.txt").symlink_to("/dev/full")
    result = call("profile", "prints.py", "-o", "full.txt", "--every", "256B")
    assert result.exit_code == 2
    assert "/dev/full: No space left on device (name a file on a disk with room for it)" in result.stderr
