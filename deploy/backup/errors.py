"""What can be wrong with a backup, in words for whoever needs it."""


class BackupError(Exception):
    """A backup cannot be made, is not whole, or does not reach where it is to lead.

    Attributes:
        hint: what to do about it.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint
