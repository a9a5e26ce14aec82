"""Words that a trigger of a user's own adds to those of each thread: by a class of its file that derives from Thread or from Me."""

from __future__ import annotations


def added(classes: dict[str, dict[str, str]], first: dict[str, dict[str, int]], name: str) -> dict[str, str]:
    """What class `name` has beside the words of Me: each thread has it from now on.  Shared words, any thread may access.

    classes: class to word to its type.  first: class to word to what it holds at first.  Both are changed.
    """
    ours = classes.keys() >= {"Thread", "Me"} and classes[name].keys() > classes["Thread"].keys()
    words = {word: kind for word, kind in classes[name].items() if word not in classes["Me"]} if ours else {}
    shared = {word: kind for word, kind in words.items() if kind != "int"}
    for cls, more in (("Thread", shared), ("Me", words)) if words else ():
        classes[cls] |= more
        first[cls] |= {word: n for word, n in first[name].items() if word in more}
    return words
