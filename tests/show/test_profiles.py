"""A profile as a file: each format says what the profile has, in the fields that its readers document."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safepoint.guest.profile import BYTES, CUT, MICROSECONDS, Every, Frame, Profile, Stack
from safepoint.show.flames import NARROWEST, WIDTH, flame_graph
from safepoint.show.profiles import FORMATS, collapsed, speedscope, summary
from safepoint.show.shapes import MARGIN
from tests.show.layout import NS, check_layout, number, rectangle

MODULE, F, G = Frame("<module>", "a.py", 1), Frame("f", "a.py", 3), Frame("g", "a.py", 9)


def profile(threads: dict[str, dict[Stack, int]], unit: str = MICROSECONDS) -> Profile:
    made = Profile(Every(1000, unit))
    for name, stacks in threads.items():
        made.add(name, stacks.items())
        made.samples += len(stacks)
    return made


TWO = profile({"MainThread": {(MODULE, F): 300, (MODULE, F, G): 500, (MODULE,): 200}, "Thread-1 (g)": {(G,): 1000}})


def test_collapsed_is_a_line_for_each_stack() -> None:
    assert collapsed(TWO).splitlines() == [
        "MainThread;<module> (a.py:1) 200",
        "MainThread;<module> (a.py:1);f (a.py:3) 300",
        "MainThread;<module> (a.py:1);f (a.py:3);g (a.py:9) 500",
        "Thread-1 (g);g (a.py:9) 1000",
    ]


def test_collapsed_has_no_separator_in_a_name() -> None:
    odd = profile({"MainThread": {(Frame("f", "a;b\nc.py", 1),): 1}})
    assert collapsed(odd) == "MainThread;f (a_b_c.py:1) 1\n"


# -- speedscope's fields, as its format documents them: name -> is it required, and what it is

UNITS = {"none", "nanoseconds", "microseconds", "milliseconds", "seconds", "bytes"}
FILE: dict[str, tuple[bool, type]] = {
    "$schema": (True, str), "shared": (True, dict), "profiles": (True, list), "name": (False, str),
    "activeProfileIndex": (False, int), "exporter": (False, str),
}  # fmt: skip
FRAME: dict[str, tuple[bool, type]] = {
    "name": (True, str),
    "file": (False, str),
    "line": (False, int),
    "col": (False, int),
}
SAMPLED: dict[str, tuple[bool, type]] = {
    "type": (True, str), "name": (True, str), "unit": (True, str), "startValue": (True, int), "endValue": (True, int),
    "samples": (True, list), "weights": (True, list),
}  # fmt: skip


def check_fields(found: dict[str, Any], fields: dict[str, tuple[bool, type]]) -> None:
    assert found.keys() <= fields.keys()
    for name, (required, kind) in fields.items():
        assert name in found or not required, name
        assert name not in found or type(found[name]) is kind, name


def check_speedscope(text: str) -> dict[str, Any]:
    """AssertionError: it is not what the format's readers take."""
    found: dict[str, Any] = json.loads(text)
    check_fields(found, FILE)
    assert found["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    check_fields(found["shared"], {"frames": (True, list)})
    for frame in found["shared"]["frames"]:
        check_fields(frame, FRAME)
    for each in found["profiles"]:
        check_fields(each, SAMPLED)
        assert each["type"] == "sampled"
        assert each["unit"] in UNITS
        assert len(each["samples"]) == len(each["weights"])
        assert all(0 <= index < len(found["shared"]["frames"]) for stack in each["samples"] for index in stack)
        assert each["endValue"] - each["startValue"] == sum(each["weights"])
    assert 0 <= found["activeProfileIndex"] < max(1, len(found["profiles"]))
    return found


def test_speedscope_has_a_profile_for_each_thread() -> None:
    found = check_speedscope(speedscope(TWO, "a.py, every 1ms"))
    frames = found["shared"]["frames"]
    stacks = {
        each["name"]: {
            tuple((frames[i]["name"], frames[i]["file"], frames[i]["line"]) for i in stack): weight
            for stack, weight in zip(each["samples"], each["weights"], strict=True)
        }
        for each in found["profiles"]
    }
    assert stacks == TWO.threads
    assert {each["unit"] for each in found["profiles"]} == {"microseconds"}
    assert check_speedscope(speedscope(profile({"MainThread": {(F,): 1}}, BYTES), ""))["profiles"][0]["unit"] == "bytes"


def test_what_is_no_function_has_no_line() -> None:
    found = check_speedscope(speedscope(profile({"MainThread": {(CUT, F): 1}}), ""))
    assert found["shared"]["frames"] == [{"name": "[cut]"}, {"name": "f", "file": "a.py", "line": 3}]


@pytest.mark.parametrize(
    ("old", "new"),
    [('"unit":"microseconds"', '"unit":"furlongs"'), ('"weights":[500', '"weights":[501'), ('"line":1', '"line":"1"'),
     ('"name":"MainThread",', ""), ('"samples":[[0,1,2]', '"samples":[[0,1,9]'), ('"type":"sampled"', '"type":"evented"')],
)  # fmt: skip
def test_the_check_of_the_format_refuses(old: str, new: str) -> None:
    text = speedscope(TWO, "")
    assert old in text
    with pytest.raises(AssertionError):
        check_speedscope(text.replace(old, new, 1))


# -- the flame graph


def boxes(root: ET.Element) -> dict[str, list[tuple[float, float, float, float]]]:
    """What a box says where the pointer stands, up to the colon before its share -> left, top, right, bottom."""
    found: dict[str, list[tuple[float, float, float, float]]] = {}
    for rect in root.iter(f"{NS}rect"):
        if (title := rect.find(f"{NS}title")) is not None:
            found.setdefault((title.text or "").rpartition(": ")[0], []).append(rectangle(rect))
    return found


def test_a_box_is_as_wide_as_its_share_and_stands_on_its_caller() -> None:
    root = ET.fromstring(flame_graph(TWO, "a.py"))
    check_layout(root)
    found = boxes(root)
    whole = WIDTH - 2 * MARGIN
    widths = {name: [round((right - left) / whole, 2) for left, _, right, _ in at] for name, at in found.items()}
    assert widths == {
        "all": [1.0], "MainThread": [0.5], "<module> (a.py:1)": [0.5], "f (a.py:3)": [0.4], "Thread-1 (g)": [0.5],
        "g (a.py:9)": [0.5, 0.25],
    }  # fmt: skip
    bottoms = [found[name][0] for name in ("MainThread", "<module> (a.py:1)", "f (a.py:3)")]
    for caller, call in pairwise(bottoms):
        assert call[3] < caller[1] + 1
        assert caller[0] <= call[0] < call[2] <= caller[2]
    assert "a.py:9): 75.0%" not in ET.tostring(root, "unicode"), "two calls of g in two threads are two boxes"


def test_what_a_box_says() -> None:
    """Its share, and that of samples in no call from it."""
    text = flame_graph(TWO, "a.py")
    assert "<title>f (a.py:3): 40.0%, itself 15.0%</title>" in text
    assert "<title>&lt;module&gt; (a.py:1): 50.0%, itself 10.0%</title>" in text


def test_boxes_that_are_too_narrow_are_counted() -> None:
    tiny: dict[Stack, int] = {(MODULE, Frame("tiny", "a.py", line)): 1 for line in range(20, 25)}
    text = flame_graph(profile({"MainThread": {(MODULE,): 10**6, **tiny}}), "a.py")
    assert "Too narrow to be drawn: 5 boxes." in text
    assert "tiny" not in text


@pytest.mark.parametrize("name", FORMATS)
def test_no_sample_is_a_file_too(name: str) -> None:
    text = FORMATS[name](Profile(Every(1000, MICROSECONDS)), "a.py")
    assert text == "" or "a.py" in text
    if name == ".json":
        check_speedscope(text)
    if name == ".svg":
        assert "No sample was taken" in text
        check_layout(ET.fromstring(text))


NAMES = st.builds(Frame, st.text(min_size=1, max_size=8), st.text(max_size=8), st.integers(0, 99))
STACKS = st.dictionaries(st.lists(NAMES, min_size=1, max_size=5).map(tuple), st.integers(1, 10**9), max_size=4)


@given(st.dictionaries(st.text(max_size=8), STACKS, max_size=2))
def test_any_profile_is_drawn_within_its_sheet(threads: dict[str, dict[Stack, int]]) -> None:
    made = profile(threads)
    root = ET.fromstring(flame_graph(made, "any"))
    check_layout(root)
    assert check_speedscope(speedscope(made, "any"))
    assert sum(int(line.rpartition(" ")[2]) for line in collapsed(made).splitlines()) == made.weight
    for left, _, right, _ in (box for at in boxes(root).values() for box in at):
        assert right - left >= NARROWEST or math.isclose(right - left, NARROWEST)
        assert left >= MARGIN
        assert right <= WIDTH - MARGIN + 2 * NARROWEST
    assert number(root, "width") == WIDTH


def test_the_summary_says_what_is_missing() -> None:
    made = profile({"MainThread": {(MODULE,): 2_500_000}})
    assert summary(made) == "1 samples for 2.50 s of CPU time, 1 thread"
    made.cut, made.dropped, made.lost = 3, 1200, 1_300_000
    assert summary(made).endswith(
        "; 3 deeper than a sample has room for: their outermost calls are cut"
        "; 1,200 more, for 1.30 s, were dropped: the ring was full, sample less often"
    )
    assert (
        summary(profile({"a": {(F,): 3 << 19}, "b": {(F,): 3 << 19}}, BYTES))
        == "2 samples for 3.0 MiB allocated, 2 threads"
    )
