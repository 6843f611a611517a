"""YAML with its places kept: every scalar stays the string that was typed, every value knows its line and column.

`no`, `on`, `9:30`, `0810` and `012345` survive: the schema converts, not YAML. An empty value (and `~`) is None.
Size, depth and the number of values, aliases expanded, are limited while reading, before anything is built, and
nothing here recurses: a file made to hurt is refused like any other mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from definitions.encoding import not_utf8
from definitions.marked import Marked, Node, Path
from definitions.problems import Problem, Problems, Severity
from definitions.yaml_further import explain_all

__all__ = ["MOST_BYTES", "MOST_DEPTH", "MOST_VALUES", "Marked", "Node", "Path", "load_marked", "problem_at"]

MOST_BYTES = 1_000_000
MOST_DEPTH = 24
MOST_VALUES = 50_000

_YamlMark = Any  # PyYAML has one class of marks in C and one in Python


def load_marked(text: str | bytes, file: str) -> Marked | Problems:
    """Reads one YAML document. `file` is only the name used in problems. Never raises."""
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        what = f"this file has {size:,} bytes, the limit is {MOST_BYTES:,}"
        return Problems([Problem(file, 0, 0, what, "split it; long lists belong into a table (CSV)")])
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            what = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
            return Problems([Problem(file, line, 1, what, "save the file with the encoding UTF-8")])
    try:
        return _Reader(file, text).read()
    except _Refused as refused:
        return Problems([refused.problem])
    except (yaml.YAMLError, UnicodeEncodeError) as error:
        return Problems(explain_all(error, text, file))


def problem_at(text: str, file: str, path: Path, what: str, hint: str = "") -> Problem:
    """A problem at the value of `path`, found by reading the file again; at its beginning, when it is not there."""
    marked = load_marked(text, file)
    if isinstance(marked, Problems) or (path and marked.child(*path) is None):
        return Problem(file, 1, 1, what, hint)
    return marked.problem(path, what, hint)


class _Refused(Exception):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not been read. `key`: the key that waits for its value."""

    node: Node
    anchor: str | None
    key: str | None = None
    key_mark: tuple[int, int] = (0, 0)


class _Reader:
    def __init__(self, file: str, text: str) -> None:
        self._file, self._text, self._lines = file, text, text.split("\n")
        self._problems = Problems()
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._root: Node | None = None
        self._documents = 0

    def read(self) -> Marked:
        for event in self._events():
            match event:
                case yaml.DocumentStartEvent():
                    self._start_document(event)
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                    self._open(event)
                case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                    closed = self._stack.pop()
                    self._anchor(closed.anchor, closed.node)
                    self._place(closed.node)
        if self._root is None:
            raise self._refuse(0, 0, "the file is empty", "write the definition, or remove the file")
        self._warn_of_hash_keys()
        self._problems.extend(not_utf8(self._text, self._file))
        return Marked(self._file, self._root, tuple(self._problems))

    def _warn_of_hash_keys(self) -> None:
        """`#: operator` is a comment; whoever writes it means the key of a phone."""
        for number, row in enumerate(self._lines, 1):
            if re.match(r"\s*#:\s", row):
                what = "this line is a comment, since an unquoted # begins one"
                column = row.index("#") + 1
                self._problems.add(Problem(self._file, number, column, what, 'quote the key: "#":', Severity.WARNING))

    def _events(self) -> Iterator[yaml.Event]:
        return yaml.parse(self._text, Loader=yaml.CLoader)

    def _start_document(self, event: yaml.Event) -> None:
        self._documents += 1
        if self._documents > 1:
            what = "a second document begins here (`---`)"
            raise self._refuse(*_mark(event), what, "one file holds one definition: put it into a file of its own")

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        line, column = _mark(event)
        self._refuse_tag(event.tag, line, column)
        plain = event.implicit[0] and event.style in (None, "")
        if self._waits_for_key():
            self._stack[-1].key, self._stack[-1].key_mark = event.value, (line, column)
            self._check_key(event, plain, line, column)
            return
        node = Node(line, column, None if plain and event.value in ("", "~") else event.value)
        if node.value is None and re.fullmatch(r":?\s*#\S*", self._rest_of_line(event.end_mark)):
            what = "an unquoted # begins a comment, so nothing is written here"
            self._problems.add(Problem(self._file, line, column, what, 'quote it: "#"'))
        self._anchor(event.anchor, node)
        self._place(node)

    def _check_key(self, event: yaml.ScalarEvent, plain: bool, line: int, column: int) -> None:
        if plain and event.value == "" and self._rest_of_line(event.start_mark).startswith("{"):
            what = "a text that begins with {{ must stand in quotes"
            raise self._refuse(line, column, what, 'write "{{ … }}"')
        if plain and event.value == "<<":
            hint = "repeat the keys, or put what nodes share into `defaults`"
            self._problems.add(Problem(self._file, line, column, "merge keys (`<<`) are not supported", hint))

    def _alias(self, event: yaml.AliasEvent) -> None:
        line, column = _mark(event)
        node = self._anchors.get(event.anchor or "")
        if node is None and any(open_.anchor == event.anchor for open_ in self._stack):
            raise self._refuse(line, column, f"*{event.anchor} stands inside its own anchor", "it would never end")
        if node is None:
            what = f"*{event.anchor} refers to an anchor that does not exist"
            raise self._refuse(line, column, what, f'a text that begins with * must stand in quotes: "*{event.anchor}"')
        if self._waits_for_key():
            what = f"the alias *{event.anchor} stands where a key belongs"
            raise self._refuse(line, column, what, f'quote it: "*{event.anchor}":')
        self._place(node, alias_at=(line, column))

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        line, column = _mark(event)
        self._refuse_tag(event.tag, line, column)
        if self._waits_for_key():
            if "{{" in self._lines[line - 1]:
                what = "a text that begins with {{ must stand in quotes"
                raise self._refuse(line, max(1, column - 1), what, 'write "{{ … }}"')
            raise self._refuse(
                line, column, "a key must be a plain word, not a list or a map", "quote it if it is text"
            )
        if len(self._stack) >= MOST_DEPTH:
            what = f"values are nested more than {MOST_DEPTH} deep"
            raise self._refuse(line, column, what, "no definition needs that: check brackets and indentation")
        value: dict[str, Node] | list[Node] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._stack.append(_Open(Node(line, column, value), event.anchor))

    def _place(self, node: Node, alias_at: tuple[int, int] | None = None) -> None:
        """Puts a finished value where it belongs: into the open mapping or list, or at the root."""
        if not self._stack:
            self._root = node
            return
        top = self._stack[-1]
        top.node.size += node.size
        if top.node.size > MOST_VALUES:
            line, column = alias_at or (node.line, node.column)
            what = f"this file holds more than {MOST_VALUES:,} values"
            hint = "aliases repeated inside aliases multiply: write less" if alias_at else "split it"
            raise self._refuse(line, column, what, hint)
        if isinstance(top.node.value, list):
            top.node.value.append(node)
        elif isinstance(top.node.value, dict) and top.key is not None:
            if top.key in top.node.value:
                first = top.node.keys[top.key]
                what = f"the key '{top.key}' was given already in line {first[0]}"
                self._problems.add(Problem(self._file, *top.key_mark, what, "keep one of them"))
            else:
                top.node.value[top.key] = node
                top.node.keys[top.key] = top.key_mark
            top.key = None

    def _anchor(self, anchor: str | None, node: Node) -> None:
        if anchor is not None:
            self._anchors[anchor] = node

    def _waits_for_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].node.value, dict) and self._stack[-1].key is None

    def _refuse_tag(self, tag: str | None, line: int, column: int) -> None:
        if tag not in (None, "!"):
            what = f"the tag {tag} is not allowed"
            raise self._refuse(
                line, column, what, "definitions hold text, lists and maps; quote a text that begins with !"
            )

    def _rest_of_line(self, mark: _YamlMark) -> str:
        if mark is None:
            return ""
        return self._lines[mark.line][mark.column :].strip() if mark.line < len(self._lines) else ""

    def _refuse(self, line: int, column: int, what: str, hint: str) -> _Refused:
        return _Refused(Problem(self._file, line, column, what, hint))


def _mark(event: yaml.Event) -> tuple[int, int]:
    if event.start_mark is None:
        return 1, 1
    return event.start_mark.line + 1, event.start_mark.column + 1
