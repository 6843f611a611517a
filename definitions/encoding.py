"""Files that were saved in another encoding than UTF-8, as Excel and old editors do with accents."""

from __future__ import annotations

from collections.abc import Iterator

from definitions.problems import Problem

BAD = "\ufffd"
"""What stands in a text for each byte that is not UTF-8 (`read_sources`)."""

_HINT = "save the file with the encoding UTF-8 (in Excel: CSV UTF-8)"


def not_utf8(text: str, file: str) -> Iterator[Problem]:
    """A problem at the first character of a file that could not be read, or none: callers would hear it as a hole."""
    at = text.find(BAD)
    if at >= 0:
        begin = text.rfind("\n", 0, at) + 1
        row = text[begin:].partition("\n")[0].strip()
        places = text.count(BAD)
        what = f"a character is not UTF-8: '{row[:60]}'" + (f", and {places - 1} more" if places > 1 else "")
        yield Problem(file, text.count("\n", 0, at) + 1, at - begin + 1, what, _HINT)
