"""What a reader of an HTML page sees, its links, and which of its tags are left open."""

from __future__ import annotations

from html.parser import HTMLParser


class Outline(HTMLParser):
    """Tags that are left open, links, and what the reader sees."""

    VOID = ("meta", "!doctype")
    IMPLIED = ("tr", "td", "th")

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.ids: list[str] = []
        said: list[str] = []
        prose: list[str] = []
        self.read = said, prose
        self.feed(source)
        self.close()
        self.said = " ".join(said)  # all that is read
        self.prose = " ".join(prose)  # and what of it is not in a picture

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in (*self.VOID, *self.IMPLIED, "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.IMPLIED:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["style"]:
            return
        said, prose = self.read
        said += data.split()
        if "svg" not in self.open:
            prose += data.split()
