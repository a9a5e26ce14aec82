"""Images on disk: what is damaged, foreign, stale or of another machine is made anew, and never executed."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import llvmlite.binding as llvm
import pytest

from safepoint.protocol.policies import CPYTHON, POLICIES
from safepoint_vm.generate import cache, engine, host_cpu, kept, page_faults
from safepoint_vm.generate.build import engine_code
from safepoint_vm.generate.code_image import CodeImage, EngineCode
from safepoint_vm.generate.engine import PLAIN, Engine, Variant
from safepoint_vm.generate.object_code import object_file
from safepoint_vm.generate.on_fault import OnFault

CODE = EngineCode(
    CodeImage(b"code" * 8, b"data" * 8, {"ADD": 3}, {"fmod": 40}, ((1, 2), (3, 3))),
    {"ADD": ("Slot", "Slot")},
    {"refill": 1},
)
ANOTHER_USER = 65534
"""Another user."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache, "state", lambda: "as it is")
    return tmp_path / "safepoint"


class Maker:
    """Makes CODE, and counts how often."""

    made = 0

    def __call__(self) -> EngineCode:
        self.made += 1
        return CODE


def times_made(what: object = PLAIN) -> int:
    """How often it is made for one who asks: once, unless it is kept."""
    maker = Maker()
    assert kept.code(what, maker) == CODE
    return maker.made


def test_what_is_made_is_kept(place: Path) -> None:
    assert [times_made(), times_made(), times_made()] == [1, 0, 0]
    assert len(list(place.iterdir())) == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: cache.DIGEST - 1],
        lambda content: content[: cache.DIGEST],
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda content: content[:-1] + b"X",
        lambda content: b"X" + content[1:],
    ],
    ids=["empty", "half a digest", "a digest alone", "truncated", "longer", "another byte", "another digest"],
)
def test_what_is_damaged_is_made_anew(place: Path, damage: Callable[[bytes], bytes]) -> None:
    times_made()
    (file,) = place.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert times_made() == 1
    assert file.read_bytes() == whole
    assert times_made() == 0


def test_what_is_whole_under_another_name_is_made_anew(place: Path) -> None:
    times_made("one")
    (one,) = place.iterdir()
    times_made("other")
    (other,) = {*place.iterdir()} - {one}
    one.replace(other)
    assert times_made("other") == 1


@pytest.mark.usefixtures("place")
def test_what_another_user_has_put_there_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the directory is his, or the file alone."""
    times_made()
    status = os.fstat

    def of_somebody(handle: int) -> os.stat_result:
        return os.stat_result((*status(handle)[:4], ANOTHER_USER, *status(handle)[5:10]))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", of_somebody)
        assert times_made() == 1
    assert times_made() == 0
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: ANOTHER_USER)
        assert times_made() == 1


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o755])
def test_nothing_is_taken_from_a_directory_that_others_see(place: Path, mode: int) -> None:
    times_made()
    place.chmod(mode)
    assert times_made() == 1


def test_each_thing_that_decides_the_code_has_an_image_of_its_own(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another variant, machine, processor, Python; other sources."""
    asked = [times_made(PLAIN), times_made(Variant(policy=CPYTHON)), times_made(Variant(traced=True))]
    machine = os.uname()
    changes: list[tuple[object, str, object]] = [
        (os, "uname", lambda: os.uname_result((*machine[:4], "aarch64"))),
        (kept, "has_bmi2", lambda: not host_cpu.has_bmi2()),
        (sys, "version", "another one"),
        (cache, "state", lambda: "otherwise"),
    ]
    for where, name, value in changes:
        with monkeypatch.context() as patch:
            patch.setattr(where, name, value)
            asked += [times_made(), times_made()]
    assert asked == [1, 1, 1, *[1, 0] * len(changes)]
    assert len(list(place.iterdir())) == 3 + len(changes)


def test_the_processor_is_asked_without_llvm_and_says_the_same() -> None:
    assert host_cpu.has_bmi2() == bool(llvm.get_host_cpu_features().get("bmi2", False))


@pytest.mark.parametrize(
    ("told", "has"),
    [
        (b"processor\t: 0\nflags\t\t: fpu bmi1 bmi2 avx2\n", True),
        (b"processor\t: 0\nmodel name\t: bmi2\nflags\t\t: fpu bmi1 bmi22\n", False),
        (b"", False),
        (None, False),
    ],
)
def test_what_the_system_says_of_the_processor(
    told: bytes | None, has: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cpuinfo"
    if told is not None:
        file.write_bytes(told)
    monkeypatch.setattr(host_cpu, "CPUINFO", file)
    assert host_cpu.has_bmi2.__wrapped__() == has


# ---- the state of the sources


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Packages of the right names that are ours to change."""

    def spec(name: str) -> ModuleSpec | None:
        file = tmp_path / name / "__init__.py"
        return ModuleSpec(name, None, origin=str(file)) if file.exists() else None

    for name in (*cache.PACKAGES, cache.LIBRARY):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text("")
        (tmp_path / name / "inner" / "code.py").write_text("one")
    monkeypatch.setattr(cache, "find_spec", spec)
    monkeypatch.setattr(cache, "BEGUN", time.time_ns() + 3600 * 10**9)
    return tmp_path


def state() -> str:
    return cache.state.__wrapped__()


def rewrite(file: Path, text: str) -> None:
    """Until the time of its last change is another one: the file system's clock is coarse, which is what SETTLED is for."""
    before = file.stat().st_ctime_ns
    for _ in range(1000):
        file.write_text(text)
        if file.stat().st_ctime_ns != before:
            return
        time.sleep(0.001)
    raise AssertionError("the clock of the file system stands")


def test_every_change_of_a_source_changes_the_state(packages: Path) -> None:
    """Also one that leaves its size and the time that everyone may set as they were; and nothing else changes it."""
    before = state()
    assert before == state() != ""
    for name in (*cache.PACKAGES, cache.LIBRARY):
        file = packages / name / "inner" / "code.py"
        was = file.stat()
        rewrite(file, "two")
        os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
        assert file.stat().st_mtime_ns == was.st_mtime_ns
        assert before != (before := state())
        file.rename(file.with_name("renamed.py"))
        assert before != (before := state())
        (packages / name / "inner" / "new.so").write_text("")
        assert before != (before := state())
        (packages / name / "inner" / "new.so").unlink()
        assert before != (before := state())
        (packages / name / "inner" / "note.txt").write_text("")
        (packages / name / "__pycache__").mkdir()
        (packages / name / "__pycache__" / "code.py").write_text("")
        assert before == state()


@pytest.mark.usefixtures("packages")
def test_what_has_changed_just_now_is_not_relied_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "BEGUN", time.time_ns() + cache.SETTLED // 2)
    assert state() == ""


def test_what_a_process_makes_of_sources_that_changed_meanwhile_is_not_kept(
    packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has imported some before, and reads others behind the change: no state of the sources has such code."""
    assert cache.unchanged()
    monkeypatch.setattr(cache, "BEGUN", (packages / "safepoint" / "inner" / "code.py").stat().st_ctime_ns)
    assert not cache.unchanged()
    assert state() == ""
    monkeypatch.setenv("XDG_CACHE_HOME", str(packages / "cache"))
    object_file(OnFault())
    assert list((packages / "cache").rglob("*")) == [packages / "cache" / "safepoint"]
    monkeypatch.setattr(cache, "BEGUN", time.time_ns() + 3600 * 10**9)
    object_file(OnFault())
    assert len(list((packages / "cache" / "safepoint").iterdir())) == 2, "by its sources, and by its text"


@pytest.mark.parametrize("missing", [*cache.PACKAGES, cache.LIBRARY])
def test_without_one_of_the_packages_nothing_is_kept(packages: Path, missing: str) -> None:
    (packages / missing / "__init__.py").unlink()
    assert state() == ""


def test_where_the_state_is_not_known_all_is_made(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "state", lambda: "")
    assert [times_made(), times_made()] == [1, 1]
    assert not place.exists()


def test_the_state_is_that_of_the_files_that_are_executed() -> None:
    for name in (*cache.PACKAGES, cache.LIBRARY):
        found = find_spec(name)
        assert found is not None
        files = {path for path, *_ in cache._stated(str(cache._folder(name)))}
        assert found.origin in files
    assert any(path.endswith("libllvmlite.so") for path in files)


# ---- engines


@pytest.mark.parametrize("policy", ["folded", "hotspot", "cpython"])
def test_a_kept_engine_is_the_one_that_was_made(policy: str) -> None:
    variant = Variant(policy=POLICIES[policy])
    made = engine_code(variant)
    assert kept.unpacked(kept.packed(made)) == made
    one, other = Engine.of(variant, made), Engine.of(variant, kept.unpacked(kept.packed(made)))
    assert set(one.addresses) == set(other.addresses)
    assert one.kinds == other.kinds
    assert len(one.code.tables) == len(other.code.tables) == (3 if policy == "hotspot" else 0)


def test_engines_with_a_mistake_are_linked_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are hundreds of them; their parts are kept as object files."""
    asked: list[object] = []

    def code(what: object, make: Callable[[], EngineCode]) -> EngineCode:
        asked.append(what)
        return make()

    monkeypatch.setattr(kept, "code", code)
    for variant in (Variant(mutant="no-recheck"), Variant(collector_mutant="one"), Variant(counting=True)):
        engine.engine.__wrapped__(variant)
    assert asked == [Variant(counting=True)]


def test_the_handler_of_faults_is_kept_too(place: Path) -> None:
    page_faults.FaultHandler()
    page_faults.FaultHandler()
    names = {file.name for file in place.iterdir()}
    assert kept.name_of("on_fault") in names
    assert len(names) == 3  # its object file, under two names, and its image
