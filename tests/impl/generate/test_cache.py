"""The cache of engines: what is damaged, foreign or stale is never executed."""

from __future__ import annotations

from pathlib import Path

import pytest

from safepoint_vm.generate import cache
from safepoint_vm.generate.engine import Variant, object_file


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "safepoint"


def test_what_is_kept_is_loaded(place: Path) -> None:
    assert cache.load("engine") is None
    cache.keep("engine", b"machine code")
    assert cache.load("engine") == b"machine code"
    assert place.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b + b"x", lambda b: b[:-1] + b"X", lambda b: b""])
def test_a_damaged_file_is_not_loaded(place: Path, damage: object) -> None:
    cache.keep("engine", b"machine code")
    file = place / "engine"
    assert callable(damage)
    file.write_bytes(damage(file.read_bytes()))
    assert cache.load("engine") is None


def test_a_directory_that_others_may_write_is_not_used(place: Path) -> None:
    cache.keep("engine", b"machine code")
    place.chmod(0o777)
    assert cache.load("engine") is None
    cache.keep("other", b"machine code")
    assert not (place / "other").exists()


def test_a_file_where_the_directory_should_be_is_no_error(place: Path) -> None:
    place.write_text("in the way")
    cache.keep("engine", b"machine code")
    assert cache.load("engine") is None


def test_the_oldest_go(place: Path) -> None:
    for number in range(cache.KEPT + 3):
        cache.keep(f"engine {number}", b"machine code")
    assert len(list(place.iterdir())) == cache.KEPT


def test_every_part_of_the_key_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {cache.key(("a", "b")), cache.key(("ab",)), cache.key(("a",)), cache.key(())}
    monkeypatch.setattr(cache, "sources", lambda: b"another text")
    assert len(keys | {cache.key(())}) == 5


def test_an_engine_comes_back_as_it_was(place: Path) -> None:
    made = object_file(Variant(counting=True))
    assert [file.read_bytes()[cache.DIGEST :] for file in place.iterdir()] == [made]
    assert object_file(Variant(counting=True)) == made
