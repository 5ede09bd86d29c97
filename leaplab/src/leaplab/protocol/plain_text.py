"""Text that any file and any page can hold."""

from __future__ import annotations


def plain_text(text: str) -> str:
    """The text; where it holds half of a surrogate pair, which is no character, its escape stands in its place.

    File names that are not in UTF-8 come to Python in this form, and so do sample ids that were made of them.
    """
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
