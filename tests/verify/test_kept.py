"""Results in a directory: one a job, whole, of this version of the program; and a campaign that makes only what is missing."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from safepoint.cli.main import cli
from safepoint.verify import identity as identities
from safepoint.verify.identity import identity
from safepoint.verify.kept import Jobs, Kept, NotUsable

CALLS: list[int] = []


def square(number: int) -> int:
    CALLS.append(number)
    return number * number


def cube(number: int) -> int:
    CALLS.append(number)
    return number**3


@pytest.fixture(autouse=True)
def no_calls() -> None:
    CALLS.clear()


@pytest.fixture
def thread() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_only_what_is_missing_is_made(thread: ThreadPoolExecutor, tmp_path: Path) -> None:
    with_few = Jobs(thread, Kept(tmp_path))
    assert list(with_few.map(square, range(3))) == [0, 1, 4]
    with_more = Jobs(thread, Kept(tmp_path))
    assert list(with_more.map(square, range(5))) == [0, 1, 4, 9, 16]
    assert (CALLS, with_more.made, with_more.there) == ([0, 1, 2, 3, 4], 2, 3)
    assert with_more.said == f"{tmp_path}: 2 results made, 3 were there already"
    assert len(list(tmp_path.glob("*/*"))) == 5, "nothing unfinished is left"


def test_another_function_has_other_results(thread: ThreadPoolExecutor, tmp_path: Path) -> None:
    jobs = Jobs(thread, Kept(tmp_path))
    assert [jobs.submit(work, 3).result() for work in (square, cube)] == [9, 27]
    assert [jobs.submit(work, 3).result() for work in (square, cube)] == [9, 27]
    assert CALLS == [3, 3]


@pytest.mark.parametrize(
    "change", [{"program": "0" * 64}, {"python": "CPython 9.9"}, {"libraries": "llvmlite 99"}, {"machine": "vax"}]
)
def test_another_program_does_everything_anew(
    change: dict[str, str], thread: ThreadPoolExecutor, tmp_path: Path
) -> None:
    """And what it has made stands beside what there was: who goes back to that does nothing again."""
    here, other = Kept(tmp_path), Kept(tmp_path, replace(identity(), **change))
    for kept in (here, other, here):
        assert list(Jobs(thread, kept).map(square, range(3))) == [0, 1, 4]
    assert CALLS == [0, 1, 2, 0, 1, 2]


def test_without_a_directory_nothing_is_kept(thread: ThreadPoolExecutor) -> None:
    jobs = Jobs(thread)
    assert [jobs.submit(square, 2).result(), jobs.submit(square, 2).result()] == [4, 4]
    assert (CALLS, jobs.said) == ([2, 2], "")


def test_a_job_that_fails_is_tried_again(thread: ThreadPoolExecutor, tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            Jobs(thread, Kept(tmp_path)).submit(divmod, 1, 0).result()
    assert list(tmp_path.glob("*/*")) == []


def test_what_was_cancelled_and_made_is_kept_all_the_same(tmp_path: Path) -> None:
    """As after Control-C: what was made is not lost."""
    asked: Future[int] = Future()

    class Slow(ThreadPoolExecutor):
        def submit(self, fn: Callable[..., object], /, *args: object, **kwargs: object) -> Future[int]:  # type: ignore[override]
            asked.set_running_or_notify_cancel()
            return asked

    with Slow(1) as pool:
        assert Jobs(pool, Kept(tmp_path)).submit(square, 5).cancel()
        asked.set_result(25)
        again = Jobs(pool, Kept(tmp_path))
        assert (again.submit(square, 5).result(), again.there) == (25, 1)


# ---- what is refused


def flipped(content: bytes) -> bytes:
    at = len(content) // 2
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "flipped": flipped,
    "cut off": lambda content: content[:-1],
    "empty": lambda _: b"",
    "longer": lambda content: content + b"\n",
    "another file": lambda _: b"#!/bin/sh\necho\n",
    "flipped in its checksum": lambda content: (b"1" if content[:1] == b"0" else b"0") + content[1:],
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_result_is_refused(name: str, thread: ThreadPoolExecutor, tmp_path: Path) -> None:
    Jobs(thread, Kept(tmp_path)).submit(square, 3).result()
    (file,) = tmp_path.glob("*/*")
    file.write_bytes(DAMAGES[name](file.read_bytes()))
    with pytest.raises(NotUsable, match=re.escape(f"{file}: damaged: ") + r".*\(delete it, and it is made again\)"):
        Jobs(thread, Kept(tmp_path)).submit(square, 3)


def test_every_byte_of_a_result_counts(thread: ThreadPoolExecutor, tmp_path: Path) -> None:
    Jobs(thread, Kept(tmp_path)).submit(square, 3).result()
    (file,) = tmp_path.glob("*/*")
    content = file.read_bytes()
    for at, byte in enumerate(content):
        file.write_bytes(content[:at] + bytes([byte ^ 1 << at % 8]) + content[at + 1 :])
        with pytest.raises(NotUsable):
            Jobs(thread, Kept(tmp_path)).submit(square, 3)


def test_a_result_of_another_job_or_text_is_refused(thread: ThreadPoolExecutor, tmp_path: Path) -> None:
    """A user has moved the file."""
    here, other = Kept(tmp_path), Kept(tmp_path, replace(identity(), program="0" * 64))
    for kept, number in ((here, 3), (here, 4), (other, 3)):
        Jobs(thread, kept).submit(square, number).result()
    right = here.file(here.job(square, (3,)))
    for wrong in (here.file(here.job(square, (4,))), other.file(other.job(square, (3,)))):
        right.write_bytes(wrong.read_bytes())
        with pytest.raises(NotUsable, match=r"the result of another job, or of another text \(delete it\)"):
            Jobs(thread, Kept(tmp_path)).submit(square, 3)


def test_a_full_disk_is_said_in_one_line(
    thread: ThreadPoolExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(NotUsable, match="No space left on device \\(give it room; the results so far are kept\\)"):
        Jobs(thread, Kept(tmp_path)).submit(square, 3).result()


def test_a_directory_that_cannot_be_made_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = CliRunner().invoke(cli, ["campaign", "--keep", str(tmp_path / "file" / "in")])
    assert result.exit_code == 2
    assert result.output == f"safepoint: {tmp_path}/file/in: Not a directory (name a directory that can be written)\n"


# ---- which program is it?


def test_what_decides_nothing_is_not_in_the_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """How a result is shown, and why a mutation may survive; all else is: the text, a guest program, the interpreter."""
    roots = [tmp_path / name for name in ("safepoint", "programs", "vm")]
    for root, name in (
        (0, "protocol/words.py"),
        (0, "protocol/equivalents/post.py"),
        (0, "cli/main.py"),
        (1, "loop.py"),
        (2, "target.py"),
    ):
        file = roots[root] / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("one\n")
    monkeypatch.setattr(identities, "_roots", lambda: roots)
    before = identities._program()
    for silent in ("safepoint/protocol/equivalents/post.py", "safepoint/cli/main.py"):
        (tmp_path / silent).write_text("two\n")
        assert identities._program() == before
    seen = {before}
    for decides in ("safepoint/protocol/words.py", "programs/loop.py", "vm/target.py"):
        (tmp_path / decides).write_text("two\n")
        seen.add(identities._program())
    assert len(seen) == 4


def test_the_program_has_the_interpreter_and_the_guest_programs() -> None:
    names = {root.name for root in identities._roots()}
    assert names == {"safepoint", "programs", "safepoint_vm"}


def test_what_is_other_is_named() -> None:
    here = identity()
    assert here.other(here) == ""
    assert replace(here, python="CPython 3.99").other(here) == f"python is CPython 3.99, and here {here.python}"
