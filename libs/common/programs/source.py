"""YAML as plain values that remember their lines, so that a fault can be shown where it was written."""

from pathlib import Path as FilePath
from typing import Any, NoReturn

import yaml
from yaml.composer import Composer

from libs.common.programs.clauses import Clauses, Span
from libs.common.programs.errors import Path, ProgramError, ProgramErrors, dotted

_LARGEST = 4 * 1024 * 1024
"""Bytes; a definition is some tens of kilobytes, and what is larger is some other file."""


def read_text(path: FilePath) -> str:
    """A file's text. Raises `ProgramErrors` where it cannot be one of a definition."""
    try:
        if path.stat().st_size > _LARGEST:
            _refuse(path.name, 1, f"is larger than {_LARGEST} bytes")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        _refuse(path.name, 1, f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        _refuse(path.name, 1 + error.object[: error.start].count(b"\n"), "is not UTF-8 text")


def _refuse(file: str, line: int, message: str) -> NoReturn:
    raise ProgramErrors((ProgramError(file, line, "", message),)) from None


class _QuickLoader(Composer, yaml.CSafeLoader):
    """Takes YAML apart in C, some ten times as fast, and puts its nodes together in Python.

    Deep nesting is a `RecursionError` there; in C it would be the end of the process.
    """

    def __init__(self, text: str) -> None:
        Composer.__init__(self)
        yaml.CSafeLoader.__init__(self, text)


class Source:
    """One definition file: its values, the line of each, and the faults found in it so far."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._lines: dict[Path, int] = {(): 1}
        self._spans: dict[str, Span] = {}
        self.text = text
        self._faults: dict[ProgramError, None] = {}  # in order of finding, each once
        self._seen: set[int] = set()
        self._loader: _QuickLoader | yaml.SafeLoader | None = None
        self.data: Any = self._read(text)

    @property
    def faults(self) -> tuple[ProgramError, ...]:
        """Everything reported, by line."""
        return tuple(sorted(self._faults))

    def report(self, path: Path, message: str) -> None:
        """Notes a fault at `path`, or at the nearest written ancestor of it."""
        self._faults[ProgramError(self.file, self.line(path), dotted(path), message)] = None

    def line(self, path: Path) -> int:
        """The line where `path` is written; of a missing value, the line of what should hold it."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]

    def clauses(self) -> Clauses:
        """Every path with its place and wording."""
        return Clauses(self.file, self.text, self._spans)

    def raise_faults(self) -> None:
        """Ends the load if anything was reported.

        Raises:
            ProgramErrors: with all faults of this file.
        """
        if self._faults:
            raise ProgramErrors(self.faults)

    def _read(self, text: str) -> Any:
        try:
            node = self._nodes(text)
            return None if node is None else self._value(node, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._stop(mark.line + 1 if mark else 1, f"is not YAML: {error.problem}")
        except yaml.reader.ReaderError as error:
            self._stop(1 + text.count("\n", 0, error.position), "contains a character that YAML forbids")
        except RecursionError:
            self._stop(1, "is nested too deeply")

    def _nodes(self, text: str) -> yaml.Node | None:
        """The file's nodes. What the quick parser does not read, the other reads again: it says better why not.

        That one alone refuses a tab between words, which nobody sees.
        """
        if "\t" in text:
            return self._nodes_by(yaml.SafeLoader(text))
        try:
            return self._nodes_by(_QuickLoader(text))
        except (yaml.YAMLError, UnicodeEncodeError):
            return self._nodes_by(yaml.SafeLoader(text))

    def _nodes_by(self, loader: _QuickLoader | yaml.SafeLoader) -> yaml.Node | None:
        self._loader = loader
        return loader.get_single_node()

    def _stop(self, line: int, message: str) -> NoReturn:
        _refuse(self.file, line, message)

    def _value(self, node: yaml.Node, path: Path) -> Any:
        if id(node) in self._seen:
            # The language has no use for aliases, and a list that contains itself would never end.
            self.report(path, "anchors and aliases are not part of the language; write the value out")
            return None
        self._seen.add(id(node))
        self._lines.setdefault(path, node.start_mark.line + 1)
        self._spans[dotted(path)] = Span(self._lines[path], node.start_mark.index, node.end_mark.index)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*path, position)) for position, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.report(path, "a key must be a plain word")
                continue
            key = str(key_node.value)
            if key in values:
                self._faults[
                    ProgramError(self.file, key_node.start_mark.line + 1, dotted((*path, key)), "is written twice")
                ] = None
                continue
            self._lines[(*path, key)] = key_node.start_mark.line + 1
            values[key] = self._value(value_node, (*path, key))
        return values

    def _scalar(self, node: yaml.Node, path: Path) -> Any:
        if self._loader is None:
            raise AssertionError("scalars are read after the loader is made")
        try:
            return self._loader.construct_object(node)
        except (ValueError, yaml.constructor.ConstructorError):
            self.report(path, f"{node.value!r} is not a value of its kind ({node.tag.rpartition(':')[2]})")
            return None
