"""What a stranger's file was found to hold, or why it cannot be read."""

from typing import Final, Literal, NamedTuple, TypeAlias

Form: TypeAlias = Literal["json", "jwt", "png", "svg", "pdf"]
"""What a file is."""

Fault: TypeAlias = Literal[
    "format_unknown", "damaged", "no_credential", "several_credentials", "too_large", "too_much_work"
]
"""Why a file cannot be read. None ever changes its meaning."""

MOST_BYTES: Final = 5 * 1024 * 1024
"""Of a file."""

MOST_TEXT_BYTES: Final = 1024 * 1024
"""Of the credential in it: a transcript with two hundred credentials."""


class Found(NamedTuple):
    """The credential in a file."""

    form: Form
    document: str
    """What it says, as JSON without repeated names."""
    token: str | None = None
    """What it says is signed by, where it is a token; a document otherwise has its proof inside."""
    header: str | None = None
    """Of the token, as JSON."""


class UnreadableError(ValueError):
    """A file that holds no credential that could be judged."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault
