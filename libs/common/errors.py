"""The three ways in which work can fail, and what each asks of the caller."""


class Unavailable(Exception):
    """Something we depend on cannot be reached; nothing is wrong with the work. Try the same again later."""


class Contended(Unavailable):
    """Others kept changing the same data until our time was up. Try again, with less at once if possible."""


class Unprocessable(Exception):
    """The work itself can never succeed; trying again changes nothing.

    Attributes:
        code: a stable word for the kind of fault.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
