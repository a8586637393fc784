"""Where a parcel goes: asked, checked, and confirmed before anything is posted; for a claim, a change and a second try.

All answers travel in the form. Nothing is kept of an address that is only checked.
"""

from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from libs.common.ids import new_id
from services.portal.addresses.countries import countries, country_name
from services.portal.addresses.fields import form_of, label
from services.portal.addresses.shapes import Address, AddressForm
from services.portal.backend.client import Refused
from services.portal.kits import addresses
from services.portal.kits.shapes import AddressCheck, Addressee, Choice
from services.portal.languages import say
from services.portal.web.forms import Faults, Typed
from services.portal.web.look import shown
from services.portal.web.visit import Visit

CHOICE: Final = "choice-"
"""Before the name of a choice, in the name of its field."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be posted.

    Attributes:
        path: of its page in the portal.
        back: where "Go back" leads.
        ask: the first question, as a heading.
        button: what confirming does.
        facts: pairs of a word and what is so: what it costs, how long it takes.
    """

    path: str
    back: str
    title: str
    ask: str
    button: str
    benefit: str
    ships: bool = True
    choices: tuple[Choice, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


async def introduced(visit: Visit) -> Addressee:
    """Whom a parcel goes to. The name at the head of the page is learned with it."""
    addressee = await visit.mine("identity", "/profile", Addressee)
    visit.profile = addressee
    return addressee


def begun(addressee: Addressee | None) -> Typed:
    """What the form begins with: the address that we have."""
    if addressee is None:
        return {**addresses.begun(None, ""), "own": ""}
    return {**addresses.begun(addressee.address, addressee.country), "own": "yes" if addressee.address else ""}


async def asked(visit: Visit, parcel: Parcel, answers: Typed, faults: Faults) -> web.Response:
    """The form, with what was answered. An address from the profile is shown as it is until something is wrong."""
    fields = {"country", "name", *addresses.FIELDS}
    own = answers.get("own") == "yes" and not fields & set(faults)
    country = str(answers.get("country", ""))
    form = await _form_of(visit, country) if parcel.ships and not own and country else None
    fields_there = form.fields if form else []
    given = _UNANSWERED | answers
    for one in fields_there:
        given[one.name] = addresses.option_of(one, str(given[one.name]))
    values: dict[str, Any] = {
        "parcel": parcel,
        "answers": given,
        "faults": faults,
        "own": own,
        "address": read_address(answers),
        "form_fields": fields_there,
        "options": {one.name: [(region.code, region.name) for region in one.options] for one in fields_there},
        "countries": countries() if parcel.ships and not own else [],
        "label": label,
        "country_name": country_name,
        "autocomplete": addresses.autocomplete,
        "choice": CHOICE,
    }
    return shown(visit, "kits/address.html", parcel.ask, problem=bool(faults), **values)


_UNANSWERED: Final = {"own": "", "name": "", **dict.fromkeys(("country", *addresses.FIELDS), "")}


def read_address(answers: Typed) -> Address:
    return Address.model_validate(addresses.read(answers))


async def checked(visit: Visit, parcel: Parcel, answers: Typed) -> tuple[Faults, list[str]]:
    """What is wrong with the answers, and the label of the parcel where nothing is."""
    faults: Faults = {}
    for one in parcel.choices:
        if answers.get(CHOICE + one.name) not in one.values:
            faults[CHOICE + one.name] = say("Choose the {what}", what=one.name)
    if not parcel.ships:
        return faults, []
    address = addresses.read(answers)
    absent = addresses.missing(address)
    if absent:
        return faults | absent, []
    body = {"address": address, "benefit": parcel.benefit}
    try:
        check = await visit.change("POST", "fulfillment", "/address-checks", AddressCheck, key=new_id(), body=body)
    except Refused as refusal:
        found = refused(refusal)
        if not found:
            raise
        return faults | found, []
    if check.problems:
        form = await _form_of(visit, address["country"])
        return faults | addresses.faults_of(check.problems, form), []
    return faults, [*check.lines, check.country]


def confirmed(visit: Visit, parcel: Parcel, answers: Typed, label: list[str]) -> web.Response:
    """What will happen, before it does."""
    carried = [(name, str(answers[name])) for name in _carried(parcel) if answers.get(name)]
    name = str(answers.get("name") or visit.name)
    values: dict[str, Any] = {
        "parcel": parcel,
        "carried": carried,
        "label": [name, *label] if label else [],
        "chosen": [(one.name.capitalize(), answers[CHOICE + one.name]) for one in parcel.choices],
    }
    return shown(visit, "kits/confirm.html", say("Check and post"), **values)


def body_of(parcel: Parcel, answers: Typed) -> dict[str, Any]:
    """What fulfillment is asked to post."""
    body: dict[str, Any] = {}
    if parcel.ships:
        body |= {"address": addresses.read(answers), "name": answers.get("name") or None}
    if parcel.choices:
        body["choices"] = {one.name: answers.get(CHOICE + one.name, "") for one in parcel.choices}
    return body


def refused(refusal: Refused) -> Faults:
    """What fulfillment says against a parcel, at the fields of the form."""
    found: Faults = {}
    for fault in refusal.problem.errors:
        match fault.path.split("."):
            case ["body", "address", field, *_]:
                found.setdefault(field, fault.message)
            case ["body", "choices", what]:
                found.setdefault(CHOICE + what, say("Choose the {what}", what=what))
            case ["body", "name"]:
                found.setdefault("name", fault.message)
            case _:
                found.setdefault("parcel", fault.message)
    if not found and refusal.problem.status == 409:  # noqa: PLR2004 conflict
        found["parcel"] = refusal.problem.detail or refusal.problem.title
    return found


async def _form_of(visit: Visit, country: str) -> AddressForm | None:
    """The fields of a country, of any where those can't be had now; None where there is no such country."""
    try:
        return await form_of(visit, country) or addresses.ANY
    except Refused:
        return None


def _carried(parcel: Parcel) -> list[str]:
    return ["own", "name", "country", *addresses.FIELDS, *(CHOICE + one.name for one in parcel.choices)]
