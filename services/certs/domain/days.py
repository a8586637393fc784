"""What happened on one day of a replay."""

from services.certs.domain.facts import CourseFact, CreditFact, DecisionFact, EmeritusFact, ExtensionFact, ImportFact
from services.certs.domain.results import Dated


class Decrees:
    """What the program itself did on a day."""

    __slots__ = ("decisions", "emeritus", "extensions")

    def __init__(self) -> None:
        self.extensions: list[tuple[ExtensionFact, str]] = []
        self.emeritus: list[EmeritusFact] = []
        self.decisions: list[DecisionFact] = []


class Day:
    """What happened on one day, by kind."""

    __slots__ = ("courses", "credits", "decrees", "exams", "imports")

    def __init__(self) -> None:
        self.imports: list[ImportFact] = []
        self.exams: list[Dated] = []
        self.courses: list[CourseFact] = []
        self.credits: list[CreditFact] = []
        self.decrees: Decrees | None = None

    def decreed(self) -> Decrees:
        """What the program did, to be added to; most days have nothing of it."""
        if self.decrees is None:
            self.decrees = Decrees()
        return self.decrees
