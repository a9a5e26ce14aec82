"""Object files on disk: a process that needs the same machine code as an earlier one loads it in milliseconds.

The files are executed, so write access to the cache is as good as running code as this user: the directory must be the
user's own, and closed to others.  A file is written atomically, and begins with the digest of its content.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import os
import sys
import tempfile
from collections.abc import Iterable
from functools import cache
from pathlib import Path

PACKAGES = ("safepoint", "safepoint_vm")
"""Packages whose sources decide what is generated: handlers, the compiler, the protocol's text, the opcode table."""
KEPT = 600
"""Object files in the cache, of 8 to 90 kB: each policy and each mutant of its text has its own.  Beyond that, the least recently used are deleted."""
DIGEST = hashlib.sha256().digest_size


@cache
def sources() -> bytes:
    """A digest of the sources of PACKAGES."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        file = importlib.import_module(package).__file__
        assert file is not None
        for path in sorted(Path(file).parent.rglob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.digest()


def key(parts: Iterable[object]) -> str:
    """A digest of `parts`, and of all else that decides machine code; no address may be in either."""
    digest = hashlib.sha256(sources())
    for part in (sys.version, *parts):
        digest.update(repr(part).encode() + b"\0")
    return digest.hexdigest()


def load(name: str) -> bytes | None:
    """The content kept under this key, which is now the most recently used.  None: there is none, or its digest is wrong."""
    place = _directory()
    if place is None:
        return None
    try:
        kept = (place / name).read_bytes()
    except OSError:
        return None
    with contextlib.suppress(OSError):  # a directory that may only be read
        os.utime(place / name)
    digest, content = kept[:DIGEST], kept[DIGEST:]
    return content if hashlib.sha256(content).digest() == digest else None


def keep(name: str, content: bytes) -> None:
    """Keep content under this key if possible; errors of the file system are ignored."""
    place = _directory()
    if place is None:
        return
    with contextlib.suppress(OSError):
        handle, scratch = tempfile.mkstemp(dir=place)
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        Path(scratch).replace(place / name)
        for old in sorted(place.iterdir(), key=lambda p: p.stat().st_mtime)[:-KEPT]:
            old.unlink()


def _directory() -> Path | None:
    """The cache directory.  None: it cannot be made, belongs to another user, or others have access to it."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    place = Path(base) / "safepoint"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = place.stat()
    except (OSError, RuntimeError):
        return None
    return place if status.st_uid == os.getuid() and not status.st_mode & 0o077 else None
