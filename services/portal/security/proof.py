"""The proof that a sensitive change asks for: in the same form, so that nobody fills in two.

Identity takes a password, or a code where the account has a second factor, and gives a token that the change is made
with. Whoever has neither proves it at the program's provider, by signing in there again.
"""

from dataclasses import dataclass, replace

from services.portal.backend.client import Browser, Refused
from services.portal.backend.shapes import Tokens
from services.portal.languages import say
from services.portal.security.shapes import Factor
from services.portal.security.words import PROOF
from services.portal.web.forms import Typed, Unfit
from services.portal.web.visit import Visit


@dataclass(frozen=True, slots=True)
class Proof:
    """How the caller can prove who they are.

    Attributes:
        field: `password` or `code`; None where only the provider can tell.
        provider: the name of the program's provider, where it has one.
    """

    field: str | None
    provider: str | None


async def proof_of(visit: Visit) -> Proof:
    """Raises `SignedOut`, `Down`, `Refused`."""
    ways = visit.theirs.sign_in
    factor = await visit.backend.read(visit.browser, "identity", "/second-factor", Factor)
    field = "code" if factor.on else "password" if ways.local_passwords else None
    return Proof(field, ways.openid.name if ways.openid else None)


async def proved(visit: Visit, proof: Proof, typed: Typed) -> Browser:
    """The browser with a token that is good for a sensitive change. Raises `Unfit`, `Down`, `Refused`."""
    if proof.field is None:
        return visit.browser
    given = str(typed.get(proof.field, ""))
    if proof.field == "code":
        given = given.replace(" ", "")  # as some apps show it
    if not given and proof.field == "password" and proof.provider is not None:
        return visit.browser
    if not given:
        raise Unfit({proof.field: say(PROOF[proof.field])})
    try:
        tokens = await visit.backend.send(
            visit.browser, "POST", "identity", "/step-up", Tokens, body={proof.field: given}
        )
    except Refused as refusal:
        # Without a token that works, identity would not have come to look at the proof.
        if refusal.code not in ("unauthenticated", "invalid-request", "second-factor-needed"):
            raise
        raise Unfit({proof.field: _wrong(proof.field)}) from refusal
    return replace(visit.browser, token=tokens.access_token)


async def prove(visit: Visit, proof: Proof, typed: Typed) -> None:
    """Have the rest of this visit ask with that token. Raises as `proved` does."""
    visit.browser = await proved(visit, proof, typed)


def still_to_prove(proof: Proof, refusal: Refused) -> Unfit | None:
    """What to say where a change is refused because the proof is too old."""
    if refusal.code != "step-up-needed" or proof.provider is None:
        return None
    return Unfit({"provider": say("Sign in with {name} again first, then send this once more", name=proof.provider)})


def _wrong(field: str) -> str:
    if field == "code":
        return say("That code doesn't fit, or it was used before. Enter the one that the app shows now.")
    return say("That isn't your password")
