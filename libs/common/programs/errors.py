"""What is wrong with a program definition, and where."""

from dataclasses import dataclass

Path = tuple[str | int, ...]
"""The way from the top of a definition to a value: keys and list positions."""


def dotted(path: Path) -> str:
    """A path as a reader writes it: `certifications.CCNA.requires.all[1]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


@dataclass(frozen=True, slots=True, order=True)
class ProgramError:
    """One fault: the file, the line (from 1), the path in dots, and what to change."""

    file: str
    line: int
    path: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: "
        return f"{place}{self.path}: {self.message}" if self.path else f"{place}{self.message}"


class ProgramErrors(Exception):
    """Every fault found; the definitions were not loaded."""

    def __init__(self, errors: tuple[ProgramError, ...]) -> None:
        self.errors = errors
        super().__init__("\n".join(str(error) for error in errors))
