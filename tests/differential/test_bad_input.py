"""What no user should give it, through the real command line: one clear error, or the guest's own exception, each.

A source that is refused is refused before a machine is chosen; whatever runs, runs on both.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from safepoint.guest.lockstep import THREADS

DEEP = 10_000
MEGABYTE = 1 << 20
MACHINES = ("vm", "reference")
COMMAND = (sys.executable, "-c", "from safepoint.cli.entry import main; main()", "run")
IMPORTS = "from threading import Thread, Lock\n"


def run(tmp_path: Path, source: str | bytes, *options: str) -> subprocess.CompletedProcess[str]:
    """Standard error has the file's name only, without its directory."""
    (tmp_path / "guest.py").write_bytes(source.encode() if isinstance(source, str) else source)
    paths = os.pathsep.join(str(Path(p).resolve()) for p in sys.path)
    return subprocess.run(
        [*COMMAND, *options, "guest.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": paths},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


TOO_DEEP = r"1:1: nested more than 100 deep \(write instead: .+\)"
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "a class": ("class C:\n    pass\n", r"2:1: a class is outside the guest's language \(write instead: .+\)"),
    "an import": ("import os\n", r"2:1: .+ \(write instead: .+\)"),
    "a dict": ("x = {}\n", r"2:5: .+ \(write instead: .+\)"),
    "a comprehension": ("x = [i for i in []]\n", r"2:5: .+ \(write instead: .+\)"),
    "a name of Python's": ("open('x')\n", r"2:1: the name 'open' has a meaning in Python .+ \(write instead: .+\)"),
    "no Python": ("x = = 1\n", r"2:5: invalid syntax"),
    "a NUL": ("x = 'a\0'\n", r"2:7: a NUL character \(write instead: .+\)"),
    "NULs only": (b"\0" * MEGABYTE, r"2:1: a NUL character \(write instead: .+\)"),
    "a byte that is not UTF-8": (b"x = 'a\xff'\n", r"2:7: byte 0xff is not UTF-8 \(write instead: .+\)"),
    "a character cut short": (b"x = '\xf0\x9f\x98", r"2:6: byte 0xf0 is not UTF-8 \(write instead: .+\)"),
    "half a surrogate pair": (b"x = '\xed\xa0\x80'\n", r"2:6: byte 0xed is not UTF-8 \(write instead: .+\)"),
    "UTF-16": ("x = 1\n".encode("utf-16"), r"2:1: byte 0xff is not UTF-8 \(write instead: .+\)"),
    "another encoding": (b"# coding: latin-1\nx = '\xe9'\n", r"3:6: byte 0xe9 is not UTF-8 \(write instead: .+\)"),
    "an encoding's name": ("# coding: latin-1\nx = 1\n", r"2:1: the encoding iso-8859-1 \(write instead: # coding: utf-8\)"),
    "deep parentheses": (f"x = {'(' * DEEP}1{')' * DEEP}\n", r"2:\d+: too many nested parentheses"),
    "deep lists": (f"x = {'[' * DEEP}{']' * DEEP}\n", r"2:\d+: too many nested parentheses"),
    "deep calls": (f"x = {'len(' * DEEP}{')' * DEEP}\n", r"2:\d+: too many nested parentheses"),
    "deep signs": (f"x = {'-' * DEEP}1\n", TOO_DEEP),
    "deep subscripts": (f"x = x{'[0]' * DEEP}\n", TOO_DEEP),
    "deep operators": (f"x = 1{' + 1' * DEEP}\n", TOO_DEEP),
    "deep conditions": (f"x = {'1 if 0 else ' * DEEP}2\n", TOO_DEEP),
    "deep statements": ("".join(f"{' ' * i}if 1:\n" for i in range(DEEP // 10)), r"102:1: too many levels of indentation"),
    "a sum of a megabyte": (f"x = 1{' + 1' * (MEGABYTE // 4)}\n", TOO_DEEP),
    "an int of a megabyte": (f"x = {'1' * MEGABYTE}\n", r"2:\d+: an int literal that does not fit in 63 bits"),
    "an indentation of a megabyte": (f"{' ' * MEGABYTE}x = 1\n", r"2:\d+: unexpected indent"),
    "a list of a megabyte": (f"x = [{'1, ' * (MEGABYTE // 3)}]\n", r"2:\d+: too many variables and intermediate values .+"),
    "an f-string of a megabyte": (f"x = f'{'{1}' * (MEGABYTE // 3)}'\n", r"2:\d+: more than \d+ braces in a line .+"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_source_is_refused_in_one_line_and_nothing_runs(what: str, tmp_path: Path) -> None:
    source, message = REFUSED[what]
    first = "print('ran')\n" if "coding" not in message else "\n"  # which only counts in the first two lines
    done = run(tmp_path, first.encode() + (source.encode() if isinstance(source, str) else source))
    assert re.fullmatch(f"safepoint: guest.py:{message}\n", done.stderr), done.stderr[:300]
    assert (done.returncode, done.stdout) == (2, "")


GIVEN: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", ""),
    "a byte order mark": (b"\xef\xbb\xbfprint(1)\n", "1\n"),
    "old line ends": ("x = 1\rprint(x)\r\n", "1\n"),
    "a comment of a megabyte": (f"#{'x' * MEGABYTE}\nprint(1)\n", "1\n"),
    "a string of a megabyte": (f"print(len('{'x' * MEGABYTE}'))\n", f"{MEGABYTE}\n"),
    "a name of a megabyte": (f"{'x' * MEGABYTE} = 1\nprint(1)\n", "1\n"),
    "threads, one after the other": (
        IMPORTS + "x = [0]\ndef f(n):\n x[0] += n\n"
        "for i in range(1000):\n t = Thread(target=f, args=(i,))\n t.start()\n t.join()\nprint(x)\n",
        f"[{sum(range(1000))}]\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("what", GIVEN)
def test_what_is_only_strange_runs(what: str, machine: str, tmp_path: Path) -> None:
    source, output = GIVEN[what]
    done = run(tmp_path, source, "--machine", machine)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", output)


AT_ONCE = f"""{IMPORTS}
lock = Lock()
lock.acquire()
def wait():
    with lock:
        pass
threads = []
for i in range(1000):
    threads.append(Thread(target=wait))
started = 0
try:
    for t in threads:
        t.start()
        started += 1
finally:
    lock.release()
    print(started)
"""

RAISES = {
    "a list of 10⁸": ("x = [0] * 10 ** 8\n", "", "MemoryError"),
    "a list a hundred times as long": ("x = [0] * 10 ** 6\nprint(len(x[:10]))\nx *= 100\n", "10\n", "MemoryError"),
    "a text of 10⁸": ("x = 'ab' * 10 ** 8\n", "", "MemoryError"),
    "a text that doubles": ("x = 'é' * 1000\nwhile True:\n    x = x + x\n", "", "MemoryError"),
    "more than memory can be": ("x = [0] * 4611686018427387903\n", "", "MemoryError"),
    "handled, and again": (
        "try:\n x = [0] * 10 ** 8\nexcept MemoryError:\n print(len([1, 2]))\nx = [0] * 10 ** 8\n",
        "2\n",
        "MemoryError",
    ),
    "1,000 threads at once": (AT_ONCE, f"{THREADS - 1}\n", "RuntimeError: can't start new thread"),
}


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("what", RAISES)
def test_what_is_too_much_raises_in_the_guest(what: str, machine: str, tmp_path: Path) -> None:
    source, output, error = RAISES[what]
    done = run(tmp_path, source, "--machine", machine)
    assert done.stderr.startswith('Traceback (most recent call last):\n  File "guest.py", line ')
    assert (done.returncode, done.stdout, done.stderr.splitlines()[-1]) == (1, output, error)


FILLS = """
kept = []
try:
    while True:
        kept.append([len(kept), "a" + str(len(kept))])
except MemoryError:
    first = kept[0]
    last = kept[-1]
    count = len(kept)
    kept = None
print(100 < count < 2048, first == [0, "a0"], last == [count - 1, "a" + str(count - 1)])
x = []
for i in range(20000):
    x = [i, str(i)]
print(x)
"""


@pytest.mark.parametrize("options", [(), ("--stress",)])
def test_a_heap_of_64_kilobytes(options: tuple[str, ...], tmp_path: Path) -> None:
    """Full, it raises; what was alive is whole; and then there is room again.  At least 32 bytes an entry: so the count."""
    source = FILLS.replace("20000", "500") if options else FILLS
    done = run(tmp_path, source, "--heap", "64K", *options)
    last = 499 if options else 19999
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"True True True\n[{last}, '{last}']\n")


@pytest.mark.parametrize("size", ["63K", "5G", "x"])
def test_a_heap_of_no_size(size: str, tmp_path: Path) -> None:
    done = run(tmp_path, "print('ran')\n", "--heap", size)
    assert f"'{size}' is not a size from 64K to 4G (write, for example, 1M)" in done.stderr.splitlines()[-1]
    assert (done.returncode, done.stdout) == (2, "")


DOWN = f"""{IMPORTS}
def down(n):
    return down(n + 1) + 1
threads = []
for i in range({THREADS - 1}):
    threads.append(Thread(target=down, args=(i,)))
for t in threads:
    t.start()
try:
    down(0)
except RecursionError as e:
    print(e)
for t in threads:
    t.join()
down(0)
"""


@pytest.mark.parametrize(("machine", "stack"), [("vm", "65536"), ("reference", "512")])
def test_recursion_without_end_in_every_thread_at_once(machine: str, stack: str, tmp_path: Path) -> None:
    done = run(tmp_path, DOWN, "--machine", machine, "--stack", stack)
    assert (done.returncode, done.stdout) == (1, "maximum recursion depth exceeded\n")
    said = done.stderr.split("Exception in thread Thread-")
    assert sorted(int(text.split(" ")[0]) for text in said[1:]) == list(range(1, THREADS))
    assert done.stderr.count("\nRecursionError: maximum recursion depth exceeded\n") == THREADS
    assert done.stderr.count("more times]") == THREADS
