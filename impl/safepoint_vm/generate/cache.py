"""Compiled engines on disk: a process that needs the same machine code as one before it loads it in milliseconds.

Machine code is executed, so who can write the cache can be whoever runs it: the directory is the user's own, and closed to
others.  A file is written whole or not at all, and says by its own digest whether it still is what was written.
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
"""Their sources decide what is generated: handlers, the compiler, the protocol's text, the opcode table."""
KEPT = 32
"""Engines; of more than these the oldest go."""
DIGEST = hashlib.sha256().digest_size


@cache
def sources() -> bytes:
    """A digest of every source file that may have a part in an engine."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        file = importlib.import_module(package).__file__
        assert file is not None
        for path in sorted(Path(file).parent.rglob("*.py")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.digest()


def key(parts: Iterable[object]) -> str:
    """Of everything that decides what the machine code is; no address is among it, so none may be in the code."""
    digest = hashlib.sha256(sources())
    for part in (sys.version, *parts):
        digest.update(repr(part).encode() + b"\0")
    return digest.hexdigest()


def load(name: str) -> bytes | None:
    """What was kept under this key, if it is whole."""
    place = _directory()
    if place is None:
        return None
    try:
        kept = (place / name).read_bytes()
    except OSError:
        return None
    digest, content = kept[:DIGEST], kept[DIGEST:]
    return content if hashlib.sha256(content).digest() == digest else None


def keep(name: str, content: bytes) -> None:
    """Best effort: without a cache everything works, later."""
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
    """Private, or none: somebody else's directory, or one that others may write, is not for machine code."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    place = Path(base) / "safepoint"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = place.stat()
    except (OSError, RuntimeError):
        return None
    return place if status.st_uid == os.getuid() and not status.st_mode & 0o077 else None
