"""The templates of a variant: those that are kept, or else made, once in a process."""

from __future__ import annotations

import functools
from dataclasses import replace

from safepoint_vm.generate import kept
from safepoint_vm.generate.variant import Variant
from safepoint_vm.handlers.shared.checks import CHECK_MUTANTS
from safepoint_vm.tier.template import Templates, packed, unpacked


def alike(variant: Variant) -> Variant:
    """The variant whose templates are the same bytes: what procedures do, and whether the host is told, is not in them."""
    in_checks = variant.mutant if variant.mutant in CHECK_MUTANTS else ""
    return replace(variant, hooked=False, hosted=False, loops=0, mutant=in_checks)


def templates_of(variant: Variant, *, stepped: bool) -> Templates:
    """The templates of a variant's handlers, from the cache if they are there."""
    return _templates(alike(variant), stepped)


@functools.cache
def _templates(variant: Variant, stepped: bool) -> Templates:
    def made() -> bytes:
        from safepoint_vm.tier.templates import templates  # noqa: PLC0415  -- LLVM and all compilers: for what is not kept

        return packed(templates(variant, stepped=stepped))

    return unpacked(kept.content(("templates", variant, stepped), made))
