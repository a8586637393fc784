"""Pages that lead out of the portal, to a vendor or a payment page.

What leads there is good once, and browsers go back. So such a page is no answer to a form, which a browser could not
show again: it has an address, and each time it is looked at it is another, good way.
"""

from typing import Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel

from libs.common.sealing import SecretBox
from services.portal.web.answers import redirect
from services.portal.web.visit import Visit

C = TypeVar("C", bound=BaseModel)


class Chosen(BaseModel, Generic[C]):
    """A choice on its way from the form to the page that goes: whose it is, so that a link to it serves nobody else."""

    candidate: tuple[str, str]
    choice: C


class Leaving(Generic[C]):
    """Takes choices from a form to the page that goes, within its address.

    Args:
        box: its purpose tells choices of this kind from others.
        choice: what is chosen.
    """

    def __init__(self, box: SecretBox, choice: type[C]) -> None:
        self._box = box
        self._chosen = Chosen[choice]  # type: ignore[valid-type]

    def to(self, page: str, visit: Visit, choice: C) -> web.Response:
        """Send the browser on to the page that goes."""
        chosen = self._chosen(candidate=_candidate(visit), choice=choice)
        return redirect(f"{page}?to={self._box.seal(chosen.model_dump_json().encode())}")

    def choice(self, request: web.Request, visit: Visit) -> C:
        """What the page's address says. Raises `HTTPNotFound` for what is no choice of this candidate's."""
        try:
            found = self._chosen.model_validate_json(self._box.open(request.query.get("to", "")))
        except ValueError:
            raise web.HTTPNotFound from None
        if found.candidate != _candidate(visit):
            raise web.HTTPNotFound
        return found.choice


def _candidate(visit: Visit) -> tuple[str, str]:
    session = visit.signed_in
    return session.program, session.candidate_id
