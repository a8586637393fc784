"""The page that goes to a vendor: what it sends, to whom, and with which proof of who it is."""

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import parse_qsl

import pytest

from libs.common.http.lost_ways import PAGE
from libs.common.sealing import SecretBox
from services.exams.scheduling.api import FormView, HandOverMadeView, TicketView
from services.portal.backend.client import Problem, Refused
from services.portal.exams.going import Going, GoingPages
from services.portal.web.leaving import Chosen
from services.portal.web.policy import POLICY, policy_for
from tests.unit.portal.pages import PROFILE, Services, browser, text_of

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
BOX = SecretBox("s" * 32, purpose="a test")
ROUTES = GoingPages(BOX).routes()
ASKED = {"exam": "200-301", "vendor": "VUE", "key": "k1"}
DIGEST = FormView(
    method="POST",
    action="https://vue.example:8443/sign-on",
    fields={"candidate": "CSCO1", "digest": 'a"b<c', "issued_at": "2026-11-22T09:00:00Z"},
    ticket=None,
)
OPENID = FormView(
    method="GET",
    action="https://vue.example/login?tenant=certrail",
    fields={"iss": "https://certs.example/provider", "target_link_uri": "https://certs.example/back?ticket=t"},
    ticket=TicketView(url="/api/identity/v1/programs/cisco/candidates/CSCO1/provider-tickets", client_id="vue"),
)


def made(form: FormView) -> dict[str, Any]:
    """As exams answers."""
    whole = HandOverMadeView(
        hand_over_id="h1",
        program="cisco",
        candidate_id="CSCO1",
        vendor="VUE",
        exam_code="200-301",
        purpose="schedule",
        registration_id=None,
        voucher_id=None,
        not_before=None,
        state="made",
        words="On the way.",
        made_at=NOW,
        expires_at=NOW,
        gone_at=None,
        returned_at=None,
        said=None,
        settled=None,
        form=form,
    )
    return whole.model_dump(mode="json")


def services(form: FormView, **more: Any) -> Services:
    others = {"/departure": {}, "/profile": PROFILE, "/provider-tickets": {"login_hint": "hint", "expires_at": "x"}}
    return Services(more, {**others, "/hand-overs": made(form)})


def sent_by(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))


async def test_a_signed_form_goes_to_the_vendor_with_its_fields_alone() -> None:
    asked = services(DIGEST)
    async with browser(ROUTES, asked) as client:
        answer = await client.post("/exams/hand-over", data=ASKED)
        page = await answer.text()
        assert "You go to VUE now, signed in" in await text_of(answer)
    assert '<form class="card form" method="post" action="https://vue.example:8443/sign-on">' in page
    assert sent_by(page) == {
        "candidate": "CSCO1",
        "digest": "a&#34;b&lt;c",
        "issued_at": "2026-11-22T09:00:00Z",
    }, "the vendor's fields as they are, and none of ours"
    assert answer.headers["Content-Security-Policy"] == policy_for("https://vue.example:8443")
    assert "Set-Cookie" not in answer.headers
    assert [path for _, path, _ in asked.asked] == ["/hand-overs", "/hand-overs/h1/departure"]


async def test_whoever_comes_back_to_the_page_gets_another_way() -> None:
    asked = services(DIGEST)
    async with browser(ROUTES, asked) as client:
        answer = await client.post("/exams/hand-over", data=ASKED)
        assert (await client.get(answer.url.path_qs)).status == 200
    assert [path for _, path, _ in asked.asked].count("/hand-overs") == 2


@pytest.mark.parametrize("whose", [("cisco", "CSCO2"), ("juniper", "CSCO1"), None])
async def test_a_link_takes_nobody_to_a_vendor_who_has_not_chosen_it(whose: tuple[str, str] | None) -> None:
    going = Going(vendor="VUE", exam="200-301")
    sealed = Chosen(candidate=whose, choice=going).model_dump_json() if whose else ""
    asked = services(DIGEST)
    async with browser(ROUTES, asked) as client:
        assert (await client.get("/exams/going", params={"to": BOX.seal(sealed.encode())})).status == 404
        assert (await client.get("/exams/going", params={"to": sealed})).status == 404
    assert asked.asked == []


async def test_a_login_at_the_vendor_has_a_ticket_that_is_good_in_this_browser_alone() -> None:
    asked = services(OPENID)
    async with browser(ROUTES, asked) as client:
        answer = await client.post("/exams/hand-over", data=ASKED)
        page = await answer.text()
    fields = {**OPENID.fields, "login_hint": "hint"}
    address = re.findall(r'<a class="button primary" href="([^"]+)"', page)[-1]
    where, _, query = unescape(address).partition("?")
    assert where == "https://vue.example/login"
    assert dict(parse_qsl(query)) == {"tenant": "certrail", **fields}, "what the address says itself is kept"
    assert "Content-Security-Policy" not in answer.headers, "a link needs no other policy than all pages have"
    assert answer.headers["Set-Cookie"] == "bound=1; Path=/; HttpOnly"
    assert ("POST", "/provider-tickets", {"client_id": "vue"}) in asked.asked


async def test_a_refusal_is_said_at_the_exam() -> None:
    refusal = Refused(Problem(type="urn:certrail:problem:conflict", status=409, detail="Wait until 3 December 2026."))
    right = {"vendor": "VUE", "exam_code": "200-301", "first": "2026-11-01", "last": "2027-11-01", "state": "open"}
    rights = {"/hand-overs": refusal, "/authorizations": {"items": [right]}, "/appointments": {"items": []}}
    rights |= {"/history": {"items": []}, "/vouchers": {"items": []}}
    async with browser(ROUTES, services(DIGEST, **rights)) as client:
        answer = await client.post("/exams/hand-over", data=ASKED)
        page = await answer.text()
    assert "Wait until 3 December 2026." in page
    assert 'id="exam-error"' in page


def test_a_form_may_go_where_the_vendors_own_redirects_lead() -> None:
    policy = policy_for("https://tests.vue.example:8443/sign-on?a=1;b")
    assert "form-action 'self' https:;" in policy
    assert policy.replace(" https:", "") == POLICY


@pytest.mark.parametrize("address", ["javascript:alert(1)", "/exams", "https://", "ftp://x"])
def test_what_is_no_address_of_a_vendor_opens_nothing(address: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        policy_for(address)


async def test_a_way_back_that_leads_nowhere_says_where_to_look() -> None:
    async with browser(ROUTES, services(DIGEST)) as client:
        answer = await client.get(PAGE)
        assert "Nothing was changed." in await text_of(answer)
        assert 'href="/exams"' in await answer.text()
