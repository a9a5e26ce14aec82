"""A session at the prompt as a page shows it: what is typed, which keys are pressed, what is shown then; and that it goes so."""

from __future__ import annotations

from tests.cli.terminal import CONTROL_BACKSLASH, CONTROL_C, CONTROL_D, Terminal, stands_at

KEYS = {"^C": CONTROL_C, "^\\": CONTROL_BACKSLASH, "^D": CONTROL_D}
Step = tuple[list[str] | str, str]
"""What is typed, lines or a key; and what is shown then."""


def steps_of(shown: str) -> list[Step]:
    """The steps of a session, as a page shows it."""
    done: list[Step] = []
    for line in shown.splitlines():
        if key := KEYS.get(line.removeprefix(">>> ")[:2]):
            rest = line.removeprefix(">>> ")[2:]
            done.append((key, f"{rest}\n" if rest else ""))
        elif line.startswith(">>> "):
            done.append(([line[4:]], ""))
        elif line.startswith("..."):
            lines, _ = done[-1]
            assert isinstance(lines, list)
            lines.append(line[4:])
        else:
            done[-1] = (done[-1][0], f"{done[-1][1]}{line}\n")
    return done


def play(steps: list[Step]) -> None:
    """Type it at a real terminal.  AssertionError: something else is shown, or it does not end well."""
    with Terminal() as terminal:
        terminal.until(">>>")
        for number, (typed, shown) in enumerate(steps):
            if isinstance(typed, list):
                terminal.type(*typed)
                if steps[number + 1][0] == CONTROL_C:  # it does not end
                    stands_at(terminal, typed[0])
            else:
                terminal.press(typed)
            if shown:
                terminal.until(shown)
                if CONTROL_D not in (typed, steps[number - 1][0]):
                    terminal.until(">>>")
        assert terminal.ends() == (0, "")
