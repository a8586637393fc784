"""Actions of staff: asked once more where they cannot be undone or reach somebody, and what opens after them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import quote

from aiohttp import web
from pydantic import BeforeValidator, StringConstraints

from services.portal.backend.client import Nothing, Refused
from services.portal.languages import say
from services.portal.staff.kit import Queue
from services.portal.staff.shell import Side, on_desk
from services.portal.web.answers import redirect
from services.portal.web.cookies import Cookies
from services.portal.web.forms import Faults, Unfit, change_key
from services.portal.web.visit import VISIT, Visit


def one_line(value: object) -> object:
    """What was typed, without its line ends."""
    return " ".join(value.split()) if isinstance(value, str) else value


Reason = Annotated[str, BeforeValidator(one_line), StringConstraints(min_length=1, max_length=1000)]
"""Why somebody decides so, as services keep it: one line, however it was typed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a confirm page says and sends. All texts are said.

    Attributes:
        action: where the form goes; its handler acts where the field `sure` is there, and shows this page else.
        button: verb and object.
        follows: what will happen, in sentences.
        back: the address that "Go back" leads to.
        for_good: what cannot be undone.
        hidden: what the form carries.
        reason: the label of a reason that is asked for; none where it is empty.
        reason_hint: who reads it.
        danger: whether the button takes something away from somebody.
    """

    action: str
    button: str
    follows: Sequence[str]
    back: str
    for_good: Sequence[str] = ()
    hidden: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    reason_hint: str = ""
    danger: bool = False


def confirm(
    visit: Visit, heading: str, side: Side, asked: Asked, *, faults: Faults | None = None, reason: str = ""
) -> web.Response:
    """The page that asks whether somebody is sure; again with what was typed, where something was wrong with it."""
    values = {"asked": asked, "faults": faults or {}, "reason": reason}
    return on_desk(visit, "staff/confirm.html", heading, side, problem=bool(faults), **values)


def done(cookies: Cookies, queue: Queue, following: str | None, sentence: str) -> web.Response:
    """Back to the queue with the next item open, and say what was done ("Done: ...")."""
    answer = redirect(f"{queue.address}?item={quote(following, safe='')}" if following else queue.address)
    cookies.tell(answer, say("Done: {sentence}", sentence=sentence))
    return answer


async def submit(request: web.Request, service: str, path: str, body: Mapping[str, Any], *, about: str) -> None:
    """Change something by a form, once. What the service says against it stands at the field `about`.

    Raises `Unfit`; `Refused` for what is not there.
    """
    try:
        key = await change_key(request)
        await request[VISIT].change("POST", service, path, Nothing, key=key, body=body)
    except Refused as refusal:
        if refusal.code == "not-found":
            raise
        problem = refusal.problem
        faults = [fault.message for fault in problem.errors] or [problem.detail or problem.title]
        raise Unfit({about: faults[0]}) from refusal
