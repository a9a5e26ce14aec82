"""Of a hundred generated programs Hypothesis makes a quarter to a third more than once: other choices, the same text."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

P = ParamSpec("P")


def once(test: Callable[P, None]) -> Callable[P, None]:
    """The test, below `given`, without examples that it has passed before: for what says the same of one each time.

    An example that fails is tried whenever Hypothesis asks, so that it can be made small.  Its arguments are hashable.
    """
    passed: set[object] = set()

    @wraps(test)
    def unless_passed(*args: P.args, **kwargs: P.kwargs) -> None:
        example = args, tuple(sorted(kwargs.items()))
        if example not in passed:
            test(*args, **kwargs)
            passed.add(example)

    return unless_passed
