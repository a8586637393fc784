"""Pages of sharing in the states that a short walk does not meet: being made, renamed, ended, refused, away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.portal.backend.client import Down, Fetched, Problem, Refused
from services.portal.share.links import LinkPages
from services.portal.share.proofs import ProofPages
from services.portal.web.cookies import Cookies
from tests.unit.portal import pages
from tests.unit.portal.pages import PROFILE, Services, text_of
from tests.unit.portal.test_share import CHOICES, link

HELD = {
    "certification": "CCNA",
    "title": "CCNA",
    "status": "active",
    "earned_on": "2024-03-14",
    "expires_on": "2027-03-14",
    "text": "",
    "because": [],
    "holdings": [],
}
BADGE = {"credential_id": "b1", "named": False, "code": "7K4M", "page": "https://certs.example/b/b1", "linkedin": None}
NAME = {"name": "Ann Lee", "native_name": None}
ISSUED = {"name": "Ann Day", "native_name": None, "code": "7K4M-9QXD-2HTP", "edition": 1, "issued_on": "2026-01-01"}


@asynccontextmanager
async def browser(**more: Any) -> AsyncIterator[tuple[Any, Services]]:
    """A browser that is signed in, over services that say this; `more` by path goes first."""
    services = Services(
        {path.replace("__", "/"): answer for path, answer in more.items()},
        {
            "/transcripts": {"items": []},
            "/transcripts/t1/views": {"items": []},
            "/transcript-choices": CHOICES.model_dump(),
            "/certifications": {"as_of": "2026-11-22", "certifications": [HELD]},
            "/badges": {"badges": [{"certification": "CCNA", "available": True, "current": BADGE}]},
            "/provider-badges": {
                "items": [{"certification": "CCNA", "state": "pending", "url": "https://badges.example"}]
            },
            "/sharing": {"directory": False, "name_in_badges": False, "native_name": False},
            "/CCNA/certificate": {"available": True, "issued": None, "reissue": None},
            "/CCNA/logos": {"available": True, "licence": "As it is.", "files": []},
            "/profile": PROFILE,
        },
    )
    cookies = Cookies(secure=False)
    async with pages.browser([*LinkPages(cookies).routes(), *ProofPages(cookies).routes()], services) as client:
        yield client, services


async def test_a_badge_that_is_being_made_says_so() -> None:
    none_yet = {"badges": [{"certification": "CCNA", "available": True, "current": None}]}
    async with browser(**{"/badges": none_yet}) as (client, _):
        for path in ("/share", "/share/certifications/CCNA"):
            assert "Being made Takes a few seconds. Look again" in await text_of(await client.get(path))


async def test_what_expired_has_its_reason_in_place_of_files() -> None:
    expired = {"as_of": "2027-11-22", "certifications": [HELD | {"status": "expired"}]}
    async with browser(**{"/certifications": expired}) as (client, _):
        for path in ("/share", "/share/certifications/CCNA"):
            answer = await client.get(path)
            assert "Not available: expired on 14 March 2027." in await text_of(answer)
            assert "certificate.pdf" not in await answer.text()


async def test_a_service_part_that_is_away_costs_its_part() -> None:
    async with browser(**{"/badges": Down("certs"), "/CCNA/logos": Down("certs")}) as (client, _):
        page = await text_of(await client.get("/share/certifications/CCNA"))
        assert page.count("This part isn't answering.") == 2
        assert "Download the certificate" in page


async def test_a_new_name_makes_a_new_certificate_once_it_is_confirmed() -> None:
    renamed = {"available": True, "issued": ISSUED, "reissue": NAME}
    async with browser(**{"/CCNA/certificate": renamed}) as (client, services):
        page = await text_of(await client.get("/share/certifications/CCNA"))
        assert "Your certificate says Ann Day; your name is Ann Lee now." in page
        assert "The code on the old one keeps working." in await text_of(
            await client.get("/share/certifications/CCNA/new-certificate")
        )
        assert services.asked == []
        answer = await client.post("/share/certifications/CCNA/new-certificate", allow_redirects=False)
        assert answer.headers["Location"] == "/share/certifications/CCNA"
        assert services.asked == [("POST", "/certifications/CCNA/certificate", None)]


async def test_a_certificate_that_is_not_ready_says_when_to_look_again() -> None:
    pending = Refused(Problem(type="urn:certrail:problem:credential-pending", status=409))
    async with browser(**{"certificate.pdf": pending}) as (client, _):
        page = await text_of(await client.get("/share/certifications/CCNA/certificate.pdf"), 409)
        assert "It is being made. Takes a few seconds. Look again" in page


async def test_a_certificate_that_takes_too_long_says_when_to_look_again() -> None:
    async with browser(**{"certificate.pdf": Down("certs")}) as (client, _):
        page = await text_of(await client.get("/share/certifications/CCNA/certificate.pdf"), 503)
        assert "isn't ready yet, and nothing is lost. Look again" in page


async def test_a_file_is_passed_on_as_certs_gives_it() -> None:
    file = Fetched(b"%PDF-1.7", "application/pdf", 'attachment; filename="certificate.pdf"')
    async with browser(**{"certificate.pdf": file}) as (client, _):
        answer = await client.get("/share/certifications/CCNA/certificate.pdf")
        assert (await answer.read(), answer.content_type) == (b"%PDF-1.7", "application/pdf")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="certificate.pdf"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("state", "words", "then"),
    [
        ("ended", "This link ended on 20 February 2027.", "/share/transcripts/t1/edit"),
        ("withdrawn", "It can't be opened again; make a new one instead.", "/share/transcripts/new"),
    ],
)
async def test_a_link_that_is_over_leads_on_and_is_not_handed_out(state: str, words: str, then: str) -> None:
    one = link(state, link="https://certs.example/v/secret", code="7K4M-9QXD-2HTP").model_dump()
    async with browser(**{"/transcripts/t1": one, "/transcripts": {"items": [one]}}) as (client, _):
        answer = await client.get("/share/transcripts/t1")
        page = await answer.text()
        assert words in await text_of(answer)
        assert f'class="button primary" href="{then}"' in page
        assert "secret" not in page
        assert "7K4M" not in page
        assert "Ended and withdrawn" in await text_of(await client.get("/share"))


async def test_a_withdrawn_link_is_neither_changed_nor_withdrawn_again() -> None:
    async with browser(**{"/transcripts/t1": link("withdrawn").model_dump()}) as (client, services):
        for path in ("edit", "withdraw"):
            answer = await client.get(f"/share/transcripts/t1/{path}", allow_redirects=False)
            assert (answer.status, answer.headers["Location"]) == (303, "/share/transcripts/t1")
        assert services.asked == []


async def test_a_frozen_link_keeps_what_it_shows_whatever_a_form_says() -> None:
    frozen = link(kind="frozen", frozen_on="2026-11-01").model_dump()
    async with browser(**{"/transcripts/t1": frozen}) as (client, services):
        assert "A frozen link keeps what it shows." in await text_of(await client.get("/share/transcripts/t1/edit"))
        form = {"label": "New", "through.day": "1", "through.month": "2", "through.year": "2027", "exams": "999"}
        await client.post("/share/transcripts/t1/edit", data=form, allow_redirects=False)
        sent = services.asked[-1][2]
        assert (sent["certifications"], sent["exams"], sent["label"]) == (["CCNA", "CCNP", "CCIE"], ["200-301"], "New")


async def test_what_certs_refuses_is_said_on_the_last_step_with_all_answers_kept() -> None:
    refused = Refused(Problem(status=409, detail="100 links are open: withdraw one first"))
    form = {"certifications": "CCNA", "kind": "live", "label": "For a tender", "go": "publish"}
    form |= {"through.day": "1", "through.month": "2", "through.year": "2027"}

    async with browser(**{"/transcripts": refused}) as (client, _):
        answer = await client.post("/share/transcripts/new", data=form)
        page = await answer.text()
        assert "100 links are open: withdraw one first" in await text_of(answer)
        assert '<input type="hidden" name="label" value="For a tender">' in page
        assert "<title>Problem:" in page


async def test_choices_that_are_not_ticked_are_a_no() -> None:
    async with browser() as (client, services):
        await client.post("/share/choices", data={"native_name": "yes"}, allow_redirects=False)
        wanted = {"directory": False, "name_in_badges": False, "native_name": True}
        assert services.asked == [("PUT", "/sharing", wanted)]
