"""Object files, assembly and images on disk: a process that needs the same machine code as an earlier one loads it in milliseconds.

The files are executed, so write access to the cache is as good as running code as this user: directory and files must be the
user's own, and the directory closed to others.  A file is written atomically, and begins with the digest of its name and content.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("safepoint", "safepoint_vm")
"""Packages whose sources decide what is generated: handlers, the compiler, the protocol's text, the opcode table."""
LIBRARY = "llvmlite"
"""The package that makes machine code of that."""
BEGUN = time.time_ns()
"""When this process began to import what it compiles: a file that changes later is not what it has imported, or may not be."""
SETTLED = 10**9
"""Nanoseconds after which a file that changes again has another time: clocks of file systems are coarse."""
KEPT = 1200
"""Files in the cache, of 8 to 90 kB: each policy and each mutant of its text has its own, under two names (`object_code`).  Beyond that, the
least recently used are deleted."""
DIGEST = hashlib.sha256().digest_size


@cache
def sources() -> bytes:
    """A digest of the sources of PACKAGES."""
    found = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted(_folder(package).rglob("*.py")):
            found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.digest()


@cache
def state() -> str:
    """A digest of what the system says of each file of PACKAGES and LIBRARY: its path, size, number, and when it was last changed.

    Whatever is done to a file changes that time, and nothing sets it.  "": a package is not there, or a file changed since this process
    began, or just before, and may again.
    """
    found = _files()
    return digest(*found) if _as_begun(found, SETTLED) else ""


def _as_begun(found: Sequence[tuple[str, int, int, int]], before: int = 0) -> bool:
    """Has no file (there is one) changed later than `before` nanoseconds before this process began?"""
    return bool(found) and max(changed for *_, changed in found) < BEGUN - before


def unchanged() -> bool:
    """Are the files what this process began with?  If not, what it compiles may be of both states."""
    return _as_begun(_files())


def _files() -> list[tuple[str, int, int, int]]:
    """What the system says of each file.  []: a package is not there."""
    try:
        return sorted(each for package in (*PACKAGES, LIBRARY) for each in _stated(str(_folder(package))))
    except (OSError, ModuleNotFoundError, ValueError):  # ValueError: a module that came from nowhere
        return []


def _folder(package: str) -> Path:
    """Where a package is.  ModuleNotFoundError: it is not there."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent


def _stated(folder: str) -> Iterator[tuple[str, int, int, int]]:
    """The files in a folder and below it that are executed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith((".py", ".so")):
                status = entry.stat()
                yield entry.path, status.st_size, status.st_ino, status.st_ctime_ns
            elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                yield from _stated(entry.path)


def digest(*parts: object) -> str:
    """A digest of their `repr`s."""
    found = hashlib.sha256()
    for part in parts:
        found.update(repr(part).encode() + b"\0")
    return found.hexdigest()


def key(parts: Iterable[object]) -> str:
    """A digest of `parts`, and of all else that decides machine code; no address may be in either."""
    return digest(sources(), sys.version, *parts)


def load(name: str) -> bytes | None:
    """The content kept under this key, which is now the most recently used.  None: there is none that may be trusted, and is whole."""
    place = _directory()
    if place is None:
        return None
    try:
        with (place / name).open("rb") as file:
            if os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            kept = file.read()
    except OSError:
        return None
    with contextlib.suppress(OSError):  # a directory that may only be read
        os.utime(place / name)
    content = kept[DIGEST:]
    return content if _sealed(name, content) == kept[:DIGEST] else None


def keep(name: str, content: bytes) -> None:
    """Keep content under this key if possible; errors of the file system are ignored."""
    place = _directory()
    if place is None:
        return
    with contextlib.suppress(OSError):
        scratch = place / f"{name}.{os.getpid()}.{time.monotonic_ns()}"
        try:
            with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(_sealed(name, content) + content)
            scratch.replace(place / name)
        except OSError:  # no room: every process would leave a part of a file
            scratch.unlink(missing_ok=True)
            raise
        if len(found := [*place.iterdir()]) > KEPT:
            for old in sorted(found, key=lambda p: p.stat().st_mtime)[:-KEPT]:
                old.unlink()


def _sealed(name: str, content: bytes) -> bytes:
    """What a file begins with."""
    return hashlib.sha256(name.encode() + b"\0" + content).digest()


def _directory() -> Path | None:
    """The cache directory.  None: it cannot be made, belongs to another user, or others have access to it."""
    given = Path(os.environ.get("XDG_CACHE_HOME", ""))  # one that is relative is not valid, says the XDG specification
    try:
        place = (given if given.is_absolute() else Path.home() / ".cache") / "safepoint"  # RuntimeError: no home
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = place.stat()
    except (OSError, RuntimeError):
        return None
    return place if status.st_uid == os.getuid() and not status.st_mode & 0o077 else None
