"""Where the command line writes: results to standard output, everything about them to standard error.

Colours, and lines that redraw themselves, appear on a terminal only; `NO_COLOR` turns colours off there as well.
"""

import logging
import sys
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

import orjson
import structlog
import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

_WIDTH_OF_A_FILE = 200
"""Characters in a line that goes to a file or another program, which has no width of its own."""

T = TypeVar("T")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to `main`: Rich would end with status 1, though whoever read us has only seen enough."""
        raise BrokenPipeError


def output() -> Console:
    """Standard output."""
    return _Console(highlight=False, width=None if sys.stdout.isatty() else _WIDTH_OF_A_FILE)


def notes() -> Console:
    """Standard error."""
    return _Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else _WIDTH_OF_A_FILE)


def say(text: str, *, style: str = "") -> None:
    """One line of a result, whole, whatever characters it holds."""
    output().print(Text(text, style=style), soft_wrap=True)


def note(text: str, *, style: str = "") -> None:
    """One line about what is going on."""
    notes().print(Text(text, style=style), soft_wrap=True)


def say_json(value: Any, *, indent: bool = True) -> None:
    """A result as JSON; without `indent` on one line."""
    option = orjson.OPT_INDENT_2 if indent else 0
    sys.stdout.write(orjson.dumps(value, option=option | orjson.OPT_UTC_Z).decode() + "\n")
    if not indent:
        sys.stdout.flush()


def table(*columns: str, numbers: Iterable[str] = ()) -> Table:
    """An empty table without frame; columns named in `numbers` stand to the right."""
    made = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    right = set(numbers)
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def progress_bar(unit: str) -> Progress:
    """A bar on standard error: what, how many of how many, how fast; nothing where that is no terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn(unit + "  {task.fields[detail]}"),
        TimeElapsedColumn(),
        console=notes(),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def quiet_libraries() -> None:
    """Libraries say nothing of their own: what matters of it reaches the user as an error."""
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)
    logging.getLogger("aio_pika").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end."""
    return uvloop.run(work)
