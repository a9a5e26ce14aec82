"""The text of the package's page, made from README.md at build time: links to files of the repository become their names.

A package's page has none of these files beside it, so that every such link, and the picture, would be broken there.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class PackagePage(MetadataHookInterface):
    """Fills in `readme`, which pyproject.toml declares as dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": package_page(text)}


def package_page(readme: str) -> str:
    """README without its picture, and with paths for links: `[the protocol](spec/x)` is "the protocol (`spec/x`)"."""
    text = re.sub(r"<picture>.*?</picture>\n+", "", readme, flags=re.DOTALL)
    return re.sub(
        r"\[([^]]+)\]\(([^)\s]+)\)",
        lambda link: f"`{link[2]}`" if link[1].strip("`") == link[2] else f"{link[1]} (`{link[2]}`)",
        text,
    )
