"""YAML's own complaints, said in words that help: what was meant, and how to write it."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import yaml

from definitions.problems import Problem

_Say = Callable[..., Problem]


def explain(error: yaml.YAMLError | UnicodeEncodeError, text: str, file: str) -> Problem:
    """The syntax error as a problem at the place where the author must look (often not where YAML stopped)."""
    if isinstance(error, UnicodeEncodeError):
        return _at_position(text, error.start, file)
    if isinstance(error, yaml.reader.ReaderError):
        return _at_position(text, error.position, file)
    if not isinstance(error, yaml.MarkedYAMLError):
        return Problem(file, 0, 0, "this is not YAML", str(error).partition("\n")[0])
    lines = text.split("\n")
    line, column = _place(error.problem_mark or error.context_mark, lines)
    row = lines[line - 1] if line <= len(lines) else ""
    problem, context = error.problem or "", error.context or ""
    start_line, start_column = _place(error.context_mark, lines) if error.context_mark else (line, column)

    def say(what: str, hint: str, at_start: bool = False) -> Problem:
        return Problem(file, *((start_line, start_column) if at_start else (line, column)), what, hint)

    if "tab" in problem or ("\t" in row[: max(column, len(row) - len(row.lstrip()))] and "start any token" in problem):
        return say("a tab stands here", "YAML indents with spaces only: replace the tab with spaces")
    if "scanning an alias" in context:
        return say("an unquoted * means an alias", 'quote it: "*"', True)
    if "scanning an anchor" in context:
        return say("an unquoted & means an anchor", 'quote the text: "&…"', True)
    if "start any token" in problem:
        sign = row[column - 1 : column] or "?"
        return say(f"a text cannot begin with {sign}", f'quote it: "{sign}…"')
    if "quoted scalar" in context:
        return _quoted(problem, say, lines[start_line - 1], start_column)
    if "mapping values are not allowed" in problem:
        return _unexpected_colon(lines, line, column, file)
    if "could not find expected ':'" in problem:
        return _missing_colon(lines, start_line, start_column, file)
    if "flow mapping" in context or "flow sequence" in context or "flow node" in context:
        begun = lines[start_line - 1]
        if begun.count('"') % 2:
            return _open_quote(start_line, begun, file)
        return _bracket(context, say)
    if "block sequence entries are not allowed" in problem:
        return say("a list cannot begin on this line", "put `- …` on a line of its own, or use [a, b]")
    if "document start" in problem and re.match(r"\s*(\"[^\"]*\"|'[^']*'):\S", row):
        return say("a space is missing after the colon", "write `key: value`")
    if column == len(row) - len(row.lstrip()) + 1 and "block" in context:
        return _misplaced(say, start_line)
    if not re.search(r":\s+\{\{", row) and (closed := _after_bracket(row, column)):
        return say(
            f"something follows the closing {closed}",
            "end the line there; more keys go inside it, or on a line of their own",
        )
    if re.search(r":\s+(\{\{|\S*\}\})", row):
        return say("a text that begins with {{ must stand in quotes", 'write "{{ … }} …"')
    if quoted := re.search(r":\s+(\"[^\"]*\"|'[^']*')\s*\S", row):
        return say("something follows the closing quote", f"quote the whole text; {quoted[1]} ends too early")
    if "block mapping" in context or "block collection" in context:
        return _misplaced(say, start_line)
    if "scanning a directive" in context or "YAML document" in problem:
        return say("a line that begins with % is a YAML directive", 'quote it: "%…"')
    if "block scalar" in context:
        return say("a text after > or | must begin on the next line", "break the line there, or quote the text")
    return say(problem or "this is not YAML", "quote texts with signs in them, and check the indentation")


def _after_bracket(row: str, column: int) -> str:
    """The bracket that closes right before the place where YAML stopped, when it closes one of the same row: it is
    none of a quoted text's."""
    before = row[: column - 1].rstrip()
    bare = re.sub(r"\"(?:\\.|[^\"\\])*\"|'(?:[^']|'')*'", "", before)
    opening = {"}": "{", "]": "["}.get(bare[-1:], "")
    is_closed = opening and before.endswith(bare[-1]) and bare.count(opening) == bare.count(bare[-1])
    return bare[-1] if is_closed else ""


def _quoted(problem: str, say: _Say, row: str, column: int) -> Problem:
    quote = row[column - 1 : column] or '"'
    if "escape" in problem or "hexadecimal" in problem or "Unicode" in problem:
        return say("a backslash in double quotes begins an escape", r"write two (\\), or use single quotes")
    return say(f"the quote {quote} is never closed", f"close it with {quote} where the text ends", True)


def _misplaced(say: _Say, start_line: int) -> Problem:
    hint = f"check its indentation against line {start_line}: keys of one map begin in the same column"
    return say("this line does not fit what is above it", hint)


def _open_quote(line: int, row: str, file: str) -> Problem:
    """The first quote that opens a value and is followed by another opening one, or by none."""
    quotes = [(q.start(1), bool(q[0][:-1])) for q in re.finditer(r'(?:[:{\[,]\s*)?(")', row)]
    opening = (at for (at, opens), (_, closes) in pairwise([*quotes, (0, True)]) if opens and closes)
    return Problem(file, line, next(opening, quotes[-1][0]) + 1, 'the quote " is never closed', 'close it with "')


def _bracket(context: str, say: _Say) -> Problem:
    sign, close = ("{", "}") if "mapping" in context else ("[", "]")
    if "flow node" in context:
        return say("a bracket or a value is missing here", "close every { with } and every [ with ]; quote # * {{")
    hint = f"close it with {close}, put commas between entries, and quote texts with signs in them"
    return say(f"the {sign} that begins here is not closed properly", hint, True)


def _unexpected_colon(lines: list[str], line: int, column: int, file: str) -> Problem:
    """`a: b: c`; a key indented under a finished value; or `key:value` in the line above."""
    above = lines[line - 2] if line >= 2 else ""
    row = lines[line - 1]
    if glued := re.match(r"\s*([\w-]+):[^\s/]", above):
        what = f"a space is missing after '{glued[1]}:'"
        return Problem(file, line - 1, glued.end(1) + 2, what, "write `key: value`")
    if row[: column - 1].count(": ") or re.search(r":\s", row[: column - 1]):
        what = "a second colon makes this text look like another key"
        return Problem(file, line, column, what, 'put the whole text in quotes: key: "text: more"')
    what = "a key cannot stand here"
    hint = f"line {line - 1} already has its value: check the indentation, or quote the text above"
    return Problem(file, line, max(1, column - len(row[: column - 1].lstrip())), what, hint)


def _missing_colon(lines: list[str], line: int, column: int, file: str) -> Problem:
    row = lines[line - 1]
    if glued := re.match(r"\s*(\"[^\"]*\"|'[^']*'|[\w-]+):[^\s]", row):
        what = f"a space is missing after {glued[1]}:"
        return Problem(file, line, glued.end(1) + 2, what, "write `key: value`")
    if re.match(r"\s*-\S", row):
        return Problem(file, line, column, "a space is missing after -", "write `- value`")
    return Problem(
        file, line, column, f"'{row.strip()[:40]}' is neither a key nor part of a text", "write `key: value`"
    )


def _at_position(text: str, position: int, file: str) -> Problem:
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    sign = text[position : position + 1]
    what = f"the character U+{ord(sign):04X} cannot stand in a text file" if sign else "this is not a text file"
    return Problem(file, line, column, what, "remove it; save the file as plain UTF-8 text")


def _place(mark: yaml.Mark | None, lines: list[str]) -> tuple[int, int]:
    """Counted from 1; an end of file is shown at the end of the last line that has text."""
    if mark is None:
        return 1, 1
    line, column = mark.line, mark.column
    while line > 0 and (line >= len(lines) or not lines[line].strip()):
        line -= 1
        column = len(lines[line].rstrip())
    return line + 1, column + 1
