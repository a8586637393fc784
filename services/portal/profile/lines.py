"""A profile as a list of facts with the pages that change them. Pure but for the reader's language."""

from markupsafe import Markup

from services.portal.addresses.countries import country_name, own_language
from services.portal.addresses.shapes import Address
from services.portal.languages import say
from services.portal.profile.shapes import WholeProfile

Row = tuple[str, str | Markup, tuple[str, str] | None]
"""Term, value, and where it is changed with the words for what is changed there."""


def rows_of(profile: WholeProfile) -> list[Row]:
    """All that candidates say of themselves, in the order of the page."""
    none = say("Not given")
    native, language = profile.native_name, own_language(profile.country) or "und"
    rows: list[Row] = [
        (say("Name on certificates"), _bare(profile.name), ("/cases/new?kind=name", say("name"))),
        (
            say("Name in your script"),
            _native([f"{native.given_name} {native.family_name}"], language) if native else none,
            ("/profile/native-name", say("name in your script")),
        ),
        (say("E-mail"), _bare(profile.email), ("/security/email", say("e-mail address"))),
        (
            say("Postal address"),
            Markup("<br>").join(_bare(line) for line in lines_of(profile.address)) if profile.address else none,
            ("/profile/address", say("postal address")),
        ),
    ]
    if profile.native_address:
        own = own_language(profile.native_address.country) or "und"
        lines = lines_of(profile.native_address)[:-1]
        rows.append(
            (say("Address in your script"), _native(lines, own), ("/profile/address", say("address in your script")))
        )
    rows += [
        (
            say("Employer"),
            _bare(profile.employer) if profile.employer else none,
            ("/profile/employer", say("employer")),
        ),
        (
            say("Job title"),
            _bare(profile.job_title) if profile.job_title else none,
            ("/profile/job-title", say("job title")),
        ),
    ]
    return rows


def lines_of(address: Address) -> list[str]:
    """The lines of an address, its country last."""
    place = " ".join(part for part in (address.postal_code, address.city, address.region) if part)
    return [*address.lines, *([place] if place else []), country_name(address.country)]


def _bare(text: str | None) -> Markup:
    return Markup("<bdi>{}</bdi>").format(text)


def _native(lines: list[str], language: str) -> Markup:
    return Markup("<br>").join(Markup('<bdi lang="{}">{}</bdi>').format(language, line) for line in lines)
