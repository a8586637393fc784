"""English."""

from libs.common import languages
from services.notify.languages.language import Language, Plural


def _plural(count: int) -> Plural:
    return "one" if count == 1 else "other"


ENGLISH = Language(
    written=languages.ENGLISH,
    grades={"pass": "pass", "fail": "fail", "pending": "under review", "invalidated": "withdrawn"},
    cases={
        "name": "a change of your name",
        "mapping": "an ID of a partner's",
        "duplicate": "a second account of yours",
        "missing_result": "a result that is missing",
        "kit": "a kit or a delivery",
    },
    other_case="a question of yours",
    link_withheld="(the link stands only in the mail itself)",
    plural=_plural,
)
