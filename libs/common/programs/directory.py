"""A program's public directory: people who hold certifications and want to be found."""

from dataclasses import dataclass

from libs.common.events.types import Line
from libs.common.programs.written import Shape


@dataclass(frozen=True, slots=True)
class Directory:
    """How a program presents its directory."""

    title: str


class DirectoryShape(Shape):
    """Without the section a program has no directory, whatever its candidates want."""

    title: Line

    def read(self) -> Directory:
        return Directory(self.title)
