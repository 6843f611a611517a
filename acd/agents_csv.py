"""Agents as a table, `config/agents.csv`: what a personnel system exports, read as if it were `config/agents.yaml`.

    agent,name,device,code,pin,queues,skills,languages
    eva,Eva Ruiz,1007,2007,secret:eva,sales support,language.es=10 sales=6,es en

The first line names the columns: `agent` and the keys of an agent in YAML, in any order. Several queues, languages or
skills in one cell are separated by spaces. Commas or semicolons divide the cells. An empty cell says nothing.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from acd.definitions import Agent
from definitions.encoding import not_utf8
from definitions.faults import did_you_mean
from definitions.models import keys_of
from definitions.problems import Problem, Problems
from definitions.yaml import Marked, Node

MOST_CHARACTERS = 5_000_000
_LISTS = frozenset({"queues", "languages"})
_PAIRS = frozenset({"skills", "units"})
_COLUMNS = ("agent", *keys_of(Agent))


def read_csv(text: str, file: str) -> Marked | Problems:
    """The table as the tree that YAML would give, every cell at its line and column, and what is wrong with its lines,
    so that the rest of it is checked all the same; or what is wrong with its first line, without which none is."""
    if len(text) > MOST_CHARACTERS:
        what = f"this table has {len(text):,} characters, the limit is {MOST_CHARACTERS:,}"
        return Problems([Problem(file, 0, 0, what, "split it by tenant")])
    problems = Problems(not_utf8(text, file))
    columns: list[str] = []
    agents: dict[str, Node] = {}
    keys: dict[str, tuple[int, int]] = {}
    for line, cells in _rows(text.removeprefix("\ufeff"), file, problems):
        if not columns:
            columns = [cell.strip() for cell, _ in cells]
            if wrong := _header_faults(columns, [column for _, column in cells], file, line):
                problems.extend(wrong)
                return problems
            continue
        if len(cells) != len(columns):
            what = f"this line has {len(cells)} values, the first one {len(columns)}"
            problems.add(Problem(file, line, 1, what, 'put values with a comma in double quotes: "Ruiz, Eva"'))
            continue
        row = dict(zip(columns, cells, strict=True))
        name, column = row.pop("agent", ("", 1))
        name = name.strip()
        if not name or name in agents:
            what = f"'{name}' stands in line {keys[name][0]} too" if name else "this line names no agent"
            problems.add(Problem(file, line, column, what, "give each agent one line, with her id under `agent`"))
            continue
        agents[name], keys[name] = _agent(row, line, column), (line, column)
    if not columns:
        problems.add(
            Problem(file, 0, 0, "this table is empty", f"its first line names the columns: {','.join(_COLUMNS)}")
        )
        return problems
    root = Node(1, 1, {"agents": Node(1, 1, dict(agents), keys)}, {"agents": (1, 1)})
    return Marked(file, root, tuple(problems))


def _header_faults(columns: list[str], places: list[int], file: str, line: int) -> list[Problem]:
    found = []
    for index, (name, column) in enumerate(zip(columns, places, strict=True)):
        if name not in _COLUMNS:
            hint = did_you_mean(name, _COLUMNS, what="columns")
            found.append(Problem(file, line, column, f"there is no column '{name}'", hint))
        elif name in columns[:index]:
            found.append(Problem(file, line, column, f"the column '{name}' is named twice", "keep one of them"))
    if "agent" not in columns:
        found.append(Problem(file, line, 1, "the column 'agent' is missing", "it holds each agent's id"))
    return found


def _agent(row: dict[str, tuple[str, int]], line: int, column: int) -> Node:
    """The cells of a line as a map; empty ones are left out."""
    value: dict[str, Node] = {}
    keys: dict[str, tuple[int, int]] = {}
    for name, (cell, start) in row.items():
        if not cell.strip():
            continue
        words = [(found[0], start + found.start()) for found in re.finditer(r"[^\s|,;]+", cell)]
        if name in _PAIRS:
            value[name] = _pairs(words, line, start)
        elif name in _LISTS and cell.strip() != "all":
            value[name] = Node(line, start, [Node(line, place, word) for word, place in words])
        else:
            value[name] = Node(line, start, cell.strip())
        keys[name] = (line, start)
    return Node(line, column, value, keys)


def _pairs(words: list[tuple[str, int]], line: int, start: int) -> Node:
    value: dict[str, Node] = {}
    keys: dict[str, tuple[int, int]] = {}
    for word, place in words:
        name, equals, level = re.split(r"([=:])", word, maxsplit=1) if re.search("[=:]", word) else (word, "", "1")
        value[name] = Node(line, place + len(name) + len(equals), level)
        keys[name] = (line, place)
    return Node(line, start, value, keys)


def _rows(text: str, file: str, problems: Problems) -> Iterator[tuple[int, list[tuple[str, int]]]]:
    """(line, cells with their columns) of every line that is not empty."""
    lines = text.split("\n")
    header = lines[0]
    separator = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    began = 1
    try:
        for cells in reader:
            line, began = began, reader.line_num + 1
            if any(cell.strip() for cell in cells):
                starts = _starts(lines[line - 1], separator)
                yield line, [(cell, starts[i] if i < len(starts) else 1) for i, cell in enumerate(cells)]
    except csv.Error as error:
        hint = 'a double quote inside a value is written twice: ""'
        problems.add(Problem(file, reader.line_num, 1, f"this line is not CSV ({error})", hint))


def _starts(row: str, separator: str) -> list[int]:
    """The column (from 1) at which each cell's text begins."""
    found = [1]
    quoted = False
    for place, sign in enumerate(row, 1):
        if sign == '"':
            quoted = not quoted
        elif sign == separator and not quoted:
            found.append(place + 1)
    return [start + 1 if row[start - 1 : start] == '"' else start for start in found]
