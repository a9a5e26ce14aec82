"""Trace files: what is written is read again, the schema is current, and 1,000 damaged files are refused."""

from __future__ import annotations

import io
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import get_args

import msgspec
import pytest

from safepoint.protocol.names import REQUESTS
from safepoint.trace.events import EVENTS, Event, Looped, Request
from safepoint.trace.files import DamagedTrace, Reader, Writer, write_trace
from safepoint.trace.lines import RULES, VERSION
from safepoint.trace.schema import SCHEMA, text
from safepoint.trace.verdict import NoVerdict
from tests.trace.scripts import VALID, events, header, judged, written


def test_what_is_written_is_read_again() -> None:
    for script in VALID.values():
        reader = Reader(io.BytesIO(written(header(), events(script))), "trace")
        found = [*reader]
        assert [e.seq for e in found] == [*range(1, len(script) + 1)]
        for event, expected in zip(found, events(script), strict=True):
            expected.seq, expected.chain = event.seq, event.chain
            assert event == expected


def test_the_key_of_an_event_has_all_that_it_says() -> None:
    """Events with the same key are taken for the same: the acceptor works out once what they say."""
    said: dict[str, str | int | list[str]] = {
        "by": "A",
        "to": "B",
        "kinds": ["SAMPLE"],
        "kind": "STOP",
        "word": "limit",
        "site": "push",
        "entry": 9,
    }
    for cls in EVENTS.values():
        fields = [name for name in cls.__struct_fields__ if name not in ("seq", "chain", "before", "after")]
        event = msgspec.convert({"seq": 0, "chain": 0, "before": 1, "after": 2, **{f: said[f] for f in fields}}, cls)
        parts: list[str | int] = []
        for value in (said[f] for f in fields):
            parts += value if isinstance(value, list) else [value]
        assert event.key() == (cls, *parts), cls


def test_the_published_schema_is_the_one_of_the_structs() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == text(), "python -m safepoint.trace.schema"
    defined = msgspec.json.decode(text())["$defs"]
    assert {cls.__name__ for cls in EVENTS.values()} | {"Header", "End"} == {*defined}


def test_requests_have_the_protocols_names() -> None:
    assert {*get_args(Request)} == {*REQUESTS.values()}


def damaged(random: Random, whole: bytes) -> tuple[str, bytes]:
    """One thing that happens to files, and what it leaves."""
    lines = whole.splitlines(keepends=True)
    kind = random.choice(("truncated", "reordered", "doubled", "missing", "flipped", "edited", "appended"))
    here, there = random.sample(range(len(lines)), 2)
    match kind:
        case "truncated":
            return kind, whole[: random.randrange(len(whole))]
        case "reordered":
            lines[here], lines[there] = lines[there], lines[here]
        case "doubled":
            lines.insert(there, lines[here])
        case "missing":
            del lines[here]
        case "flipped":
            at = random.randrange(len(whole))
            return kind, whole[:at] + bytes([whole[at] ^ 1 << random.randrange(8)]) + whole[at + 1 :]
        case "edited":
            digits = [n for n, byte in enumerate(whole) if chr(byte).isdigit()]
            at = random.choice(digits)
            return kind, whole[:at] + str((int(chr(whole[at])) + random.randint(1, 9)) % 10).encode() + whole[at + 1 :]
        case "appended":
            lines.append(lines[here])
    return kind, b"".join(lines)


def test_a_thousand_damaged_files_are_refused_with_their_line() -> None:
    random, counts = Random(11), Counter[str]()
    wholes = [written(header(), events(script)) for script in VALID.values()]
    for _ in range(1000):
        whole = random.choice(wholes)
        kind, data = damaged(random, whole)
        assert data != whole
        with pytest.raises(DamagedTrace) as error:
            for _event in Reader(io.BytesIO(data), "trace"):
                pass
        place, _, said = str(error.value).partition(": ")
        name, line = place.split(":")
        assert name == "trace"
        first = next(
            (n for n, (a, b) in enumerate(zip(data, whole, strict=False)) if a != b), min(len(data), len(whole))
        )
        changed = 1 + data[:first].count(b"\n")
        assert int(line) in (changed, changed + 1), (kind, said)
        assert "\n" not in said
        counts[kind] += 1
    assert min(counts.values()) > 100


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": VERSION + 1}, "1: version 2 of the format"),
        ({"rules": RULES + 1}, "1: written for version 2 of the rules"),
        ({"policy": "mine"}, "1: the header speaks of policy 'mine' (there are: folded"),
        ({"silent": ["shouted"]}, "1: the header speaks of event 'shouted'"),
        ({"variants": ["fairness"]}, "1: the header speaks of variant 'fairness'"),
        ({"period": 7}, "1: policy folded has no ticker"),
        ({"threads": ["T0", "T0"], "running": ["T0"]}, "1: two threads of the header have the same name"),
        ({"policy": "skybison", "running": ["T0"]}, "1: policy skybison has no births"),
        ({"threads": ["T1"], "running": ["T1"]}, "3: it speaks of thread 'T0' (the header's threads are: T1)"),
        ({"silent": ["posted"]}, "3: the header says that no posted is logged"),
    ],
)
def test_a_header_that_asks_for_what_there_is_not(change: dict[str, object], said: str) -> None:
    with pytest.raises((DamagedTrace, NoVerdict)) as error:
        judged(written(header(**change), events(["T1 looped", *VALID["interrupt"][1:]])))  # type: ignore[arg-type]
    assert str(error.value).startswith(f"trace:{said}")


def test_stamps_are_of_one_counter_and_a_thread_does_one_thing_at_a_time() -> None:
    def looped(by: str, before: int, after: int) -> Event:
        return Looped(0, 0, by, before, after)

    for lines, said in (
        ([looped("T0", 1, 1)], "is not later than the one before"),
        ([looped("T0", 1, 3), looped("T1", 1, 4)], "stamp 1 comes after stamp 1"),
        ([looped("T0", 1, 4), looped("T0", 3, 5)], "T0 is still in what it did before, which ends at stamp 4"),
    ):
        with pytest.raises(DamagedTrace, match=said):
            judged(written(header(), lines))


def test_a_long_trace_takes_no_more_memory_than_a_short_one() -> None:
    """Read, judged and written as a stream: after the first thousand events nothing more is kept, not even a number for each."""

    def endless(n: int) -> Iterator[Event]:
        round_ = VALID["interrupt"]
        for number in range(n):
            for event in events(round_):
                event.before += number * 2 * len(round_)
                event.after += number * 2 * len(round_)
                yield event

    class Lines:
        """A file that is made while it is read."""

        def __init__(self, n: int) -> None:
            self.source, self.buffer = endless(n), io.BytesIO()
            self.writer = Writer(self.buffer, header())
            self.ended = False

        def readline(self, _: int = -1) -> bytes:
            line = self.buffer.getvalue()
            self.buffer.seek(0)
            self.buffer.truncate()
            if line or self.ended:
                self._more()
                return line
            return b""

        def _more(self) -> None:
            event = next(self.source, None)
            if event is not None:
                self.writer.write(event)
            elif not self.ended:
                self.ended = True
                self.writer.close()

    from safepoint.trace.verdict import judge

    peaks = []
    for n in (100, 10_000):
        tracemalloc.start()
        assert judge(Lines(n), "trace").refusal is None  # type: ignore[arg-type]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] - peaks[0] < 400_000  # bytes; one reference for each access is 700,000


def test_write_trace_sorts() -> None:
    file = io.BytesIO()
    write_trace(file, header(), reversed(events(VALID["stop"])))
    assert judged(file.getvalue()).refusal is None
