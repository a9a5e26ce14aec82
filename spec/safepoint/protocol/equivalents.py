"""Mutations of the text that do the same as the text, each with the reason.  `safepoint mutate` holds the table against the text."""

from __future__ import annotations

Key = tuple[str, str, str, str]
"""File, procedure, operator, and `statement before -> statement after`."""

EQUIVALENTS: dict[Key, str] = {}
