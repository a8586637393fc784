"""A proof of who somebody is, from the last minutes, for what asks for one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.portal.backend.client import Refused
from services.portal.languages import say
from services.portal.my_data.shapes import NewToken, SecondFactor
from services.portal.web.forms import Unfit
from services.portal.web.visit import Visit


async def asks_for_code(visit: Visit) -> bool:
    """Whether the proof is a code of an app; else it is the password. Raises `Down`."""
    return (await visit.backend.read(visit.browser, "identity", "/second-factor", SecondFactor)).on


async def prove(visit: Visit, what: Mapping[str, Any]) -> None:
    """Prove it with what was typed, a password or a code; what is asked of services after that has the proof.

    Raises:
        Unfit: it does not fit.
        Down, Refused: as `Backend.send` does.
    """
    name = "code" if "code" in what else "password"
    given = str(what.get(name, ""))
    if not given:
        raise Unfit({name: say("Enter the code that your app shows") if name == "code" else say("Enter your password")})
    try:
        new = await visit.backend.send(
            visit.browser,
            "POST",
            "identity",
            "/step-up",
            NewToken,
            body={name: given.replace(" ", "") if name == "code" else given},
        )
    except Refused as refusal:
        if refusal.code in ("unauthenticated", "invalid-request", "second-factor-needed"):
            wrong = say("That code doesn't fit, or it was used before. Enter the one that the app shows now")
            raise Unfit({name: wrong if name == "code" else say("That isn't your password")}) from None
        if refusal.code == "local-passwords-off":
            raise Unfit({name: say("Sign out and in again, then come back within five minutes")}) from None
        raise
    visit.browser = replace(visit.browser, token=new.access_token)
