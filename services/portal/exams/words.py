"""What the state of an attempt is called. Pure."""

from typing import Final

from services.portal.backend.shapes import Attempt
from services.portal.web.chips import Chip

_GRADES: Final = {"pass": Chip("ok", "Passed"), "fail": Chip("bad", "Not passed"), "pending": Chip("wait", "Expected")}
_STATES: Final = {
    "waiting": Chip("wait", "Expected"),
    "provisional": Chip("wait", "Provisional"),
    "invalidated": Chip("bad", "Withdrawn"),
    "no_show": Chip("off", "Not taken"),
    "nda_refused": Chip("off", "Not taken"),
    "achieved": Chip("ok", "Achieved"),
    "withdrawn": Chip("off", "Withdrawn"),
}


def chip_of(one: Attempt) -> Chip:
    """The state of an attempt: by its grade where it has one that counts."""
    found = _STATES.get(one.state) or _GRADES.get(one.grade or "")
    return found or Chip("off", one.state.replace("_", " ").capitalize())
