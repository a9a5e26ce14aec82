"""A program in memory that grows: where its codes lie does not matter."""

from __future__ import annotations

import pytest

from safepoint.guest.code import Code
from safepoint.guest.compiler.interactive import Inputs
from safepoint_vm.generate.engine import PLAIN, engine
from safepoint_vm.language.layout import Memory
from safepoint_vm.language.words import LANDING_WORDS
from safepoint_vm.memory.image import Image


@pytest.mark.parametrize("upward", [True, False])
def test_landings_and_codes_are_found_by_address(upward: bool) -> None:
    places = sorted((Memory(64) for _ in range(20)), key=lambda place: place.address, reverse=upward)

    class Placed(Image):
        def _text(self, code: Code) -> Memory:
            text, place = super()._text(code), places.pop()
            for number in range(text.words):
                place[number] = text[number]
            return place

    inputs = Inputs()
    image = Placed(engine(PLAIN), inputs.program)
    for number in range(5):
        text = f"def f{number}():\n    return {number}\n\ntry:\n    f{number}()\nfinally:\n    f{number}()\n"
        image.grow(inputs.add(text))
    starts = [image.landings[1 + LANDING_WORDS * number] for number in range(image.landings[0])]
    assert starts == sorted(starts)
    assert len(starts) > 2 * len(inputs.program.codes)
    for number in range(1, 11, 2):
        function, module = (inputs.program.codes[number + one] for one in (0, 1))
        address = image._texts[number].address
        assert image.code_address(address).code is function
        assert image.line(address) == (f"<input-{(number + 1) // 2}>", 2, function.name)
        assert image.line(image._texts[number + 1].address) == (f"<input-{(number + 1) // 2}>", 1, module.name)
