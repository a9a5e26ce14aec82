"""The cache of object files: what is damaged, foreign or stale is never executed."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from safepoint.protocol.policies import CPYTHON
from safepoint_vm.generate import cache, object_code
from safepoint_vm.generate.engine import Variant
from safepoint_vm.generate.object_code import by_text, object_file
from safepoint_vm.generate.parts import handlers_of, parts_of


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


def test_a_user_without_a_home_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that the system knows no user by, and no HOME: `Path.home` raises RuntimeError."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    cache.keep("engine", b"machine code")
    assert cache.load("engine") is None


@pytest.mark.parametrize("given", ["", "cache", "./cache"])
def test_a_directory_that_is_relative_is_no_place_for_a_cache(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The working directory is not to be written to: it may be anything's."""
    home, here = tmp_path / "home", tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    cache.keep("engine", b"machine code")
    assert cache.load("engine") == b"machine code"
    assert not [*here.iterdir()]
    assert (home / ".cache" / "safepoint" / "engine").is_file()


def test_where_there_is_no_room_nothing_is_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.BytesIO):
        def close(self) -> None:
            raise OSError(errno.ENOSPC, "no space left on the device")

    def full(descriptor: int, _mode: str) -> Full:
        os.close(descriptor)
        return Full()

    with monkeypatch.context() as patched:
        patched.setattr(os, "fdopen", full)
        cache.keep("engine", b"machine code")
    assert list(place.iterdir()) == []


def test_what_was_used_longest_ago_goes(place: Path) -> None:
    """By the time of the last use, not of the making: all mutants of the text need the handlers' object, which is made first."""
    for number in range(cache.KEPT):
        cache.keep(f"object {number}", b"machine code")
        os.utime(place / f"object {number}", (number, number))
    assert cache.load("object 0") == b"machine code"
    cache.keep("another", b"machine code")
    kept = {file.name for file in place.iterdir()}
    assert len(kept) == cache.KEPT
    assert {"object 0", "another"} <= kept
    assert "object 1" not in kept


def test_every_part_of_the_key_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {cache.key(("a", "b")), cache.key(("ab",)), cache.key(("a",)), cache.key(())}
    monkeypatch.setattr(cache, "sources", lambda: b"another text")
    assert len(keys | {cache.key(())}) == 5


def test_an_object_file_comes_back_as_it_was(place: Path) -> None:
    (procedures, _) = parts_of(Variant(hooked=True))
    made = object_file(procedures)
    assert [file.read_bytes()[cache.DIGEST :] for file in place.iterdir()] == [made, made]
    for file in place.iterdir():
        cache.keep(file.name, b"what stands in the file")
    assert object_file(procedures) == by_text(procedures) == b"what stands in the file"


@pytest.mark.usefixtures("place")
def test_what_makes_the_same_text_is_not_compiled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the sources have changed, and the text has not; another text is compiled."""
    (procedures, _), (others, _) = (parts_of(Variant(hooked=True, mutant=mutant)) for mutant in ("", "no-recheck"))
    made = object_file(procedures)
    monkeypatch.setattr(cache, "sources", lambda: b"another text")
    monkeypatch.setattr(object_code, "_optimized", lambda _: pytest.fail("it is compiled again"))
    assert object_file(procedures) == made
    with pytest.raises(pytest.fail.Exception):
        object_file(others)


def test_a_mutant_of_the_text_and_hooks_need_no_other_handlers(place: Path) -> None:
    variants = [Variant(mutant=mutant, hooked=hooked) for mutant in ("", "no-recheck") for hooked in (False, True)]
    images = [[object_file(part) for part in parts_of(variant)] for variant in variants]
    assert len({procedures for procedures, *_ in images}) == 4
    assert len({handlers for _, handlers, *_ in images}) == 1
    assert [len(rest) for _, _, *rest in images] == [1, 0, 1, 0]  # superinstructions, where nothing is hooked
    assert len(list(place.iterdir())) == 2 * 6


def test_all_else_that_a_variant_decides_makes_other_handlers() -> None:
    others = (
        Variant(counting=True),
        Variant(policy=CPYTHON),
        Variant(protocol=False),
        Variant(collector_mutant="one"),
    )
    assert len({cache.key((handlers_of(variant),)) for variant in (Variant(), *others)}) == 5
