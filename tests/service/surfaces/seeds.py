"""One of everything in each service's database, and what its operations are asked with."""

import base64
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aio_pika
import orjson
from pydantic import SecretStr

from deploy.local.platform import VENDORS
from libs.common.bus import failures, topology
from libs.common.bus.ingress import Reason, Refusal
from libs.common.bus.messages import Delivery
from libs.common.clock import FixedClock
from libs.common.events import SINGLE, identity
from libs.common.http.principal import Principal
from libs.common.programs import Program
from libs.common.service import Platform
from services.certs.app import SERVICE as CERTS
from services.certs.certificates.pool import drawing_pool
from services.certs.certificates.rendering import render
from services.certs.provider.rows import new_row
from services.exams.app import SERVICE as EXAMS
from services.exams.history.appointments import appointment_id
from services.exams.onboarding.credentials import Credentials
from services.exams.outgoing.claiming import Claiming
from services.exams.outgoing.store import OutgoingStore
from services.exams.unmatched.store import item_id
from services.exams.vendors.definition import load_vendor
from services.fulfillment.app import SERVICE as FULFILLMENT
from services.identity.domain.one_time_codes import STEP_SECONDS, code_at
from services.notify.app import SERVICE as NOTIFY
from services.notify.unsubscribing.links import Mailing, UnsubscribeLinks
from tests.service.case_desk import NAME
from tests.service.fulfillment_station import ADDRESS, known_person
from tests.service.identity_station import PASSWORD, IdentityStation
from tests.service.rig import CERTS_KEYS_SECRET, ERASURE_KEY, Base, open_base
from tests.service.samples import (
    EXAM,
    TAKEN,
    achievement,
    awarded,
    linked,
    passed,
    received,
    registration,
    reported,
    result,
)
from tests.service.staff_station import invite
from tests.service.surfaces.surface import PROGRAM, Request, Seed, Surface, Values, operator, staff
from tests.service.test_privacy_identity import PARTS, answer, questions
from tests.service.test_second_factor import enrol
from tests.service.test_systems import add as add_system
from tests.unit.certs.certificate_samples import content_of
from tests.unit.certs.test_verifying_files import form_of
from tests.unit.exams.vendor_files import cells, result_file
from tests.unit.notify.report_samples import dsn, recipient

PERSON = "C1"
PROVIDER_CLIENT = {
    "name": "PSI",
    "programs": ["cisco"],
    "redirect_uris": ["https://psi.example/callback"],
    "secrets": ["0" * 64],
}
TAKES_FILES = """
demographics:
  folder: /nowhere
  file: cdd-{program}-{number}.txt
  confirmations: {folder: /nowhere, file: "vcdc-{program}-{number}.txt"}
authorizations:
  folder: /nowhere
  file: ead-{program}-{number}.txt
  confirmations: {folder: /nowhere, file: "eac-{program}-{number}.txt"}
"""
PDF = b"%PDF-1.7 attended\n%%EOF\n"
WHY = "as the person asked"


@dataclass(frozen=True)
class Where:
    """What surfaces are built on."""

    mongo_url: Callable[[str], str]
    programs: Mapping[str, Program]
    folder: Path
    clock: FixedClock
    amqp_url: Callable[[str], str]


@asynccontextmanager
async def seeded(service: str, where: Where) -> AsyncIterator[Surface]:
    """A service with one of everything."""
    async with open_base(service, where.mongo_url(service), where.clock) as base:
        if service == "identity":
            clients = where.folder / "provider-clients.json"
            clients.write_bytes(orjson.dumps({"psi": PROVIDER_CLIENT}))
            station = IdentityStation(
                base,
                where.programs,
                where.folder,
                operator_secret=SecretStr("s" * 32),
                provider_clients_file=clients,
            )
            async with station.serving(), _served(station.parts, base, where) as surface:
                surface.seed = await _identity(surface, station)
                await _park(surface, where)
                yield surface
            return
        async with _served(_parts(service, base, where), base, where) as surface:
            surface.seed = await _SEEDS[service](surface, where.programs)
            await _park(surface, where)
            yield surface


def _served(parts: Any, base: Base, where: Where) -> AbstractAsyncContextManager[Surface]:
    return Surface(parts, base, amqp_url=where.amqp_url(base.service)).serving()


async def _park(surface: Surface, where: Where) -> None:
    """Messages that the service could not handle: two that can be dropped, and one that is replayed."""
    service = surface.base.service
    surface.seed.values["parked_id"], surface.seed.values["reason"] = "parked", "trial"
    surface.seed.marks |= {"MARK-PARKED"}
    data = {"candidate_id": surface.seed.values["candidate_id"], "name": "MARK-PARKED"}
    body = orjson.dumps({"id": "parked", "type": "exams.ExamPassed", "program": PROGRAM, "data": data})
    async with await aio_pika.connect(where.amqp_url(service)) as connection, connection.channel() as channel:
        exchange = await channel.get_exchange(topology.retry_exchange(service), ensure=False)
        for _ in range(3):
            headers: Any = {failures.QUEUE: topology.events_queue(service), failures.ERROR: "ValueError: MARK-PARKED"}
            await exchange.publish(aio_pika.Message(body, headers=headers), topology.parked_queue(service))


def _parts(service: str, base: Base, where: Where) -> Any:
    one = {each.name: each for each in (EXAMS, CERTS, FULFILLMENT, NOTIFY)}[service]
    secrets = where.folder / "vendor-secrets"
    secrets.mkdir()
    (secrets / "vue-sign-on").write_text(f"first {'k' * 32}")
    more: dict[str, Any] = {"vendors_dir": _vendors(where), "vendor_secrets_dir": secrets} if service == "exams" else {}
    if service == "fulfillment":
        (where.folder / "pages").mkdir()
        (where.folder / "pages" / "example.yaml").write_text(PAYMENT_PAGE)
        (secrets / "example-pay").write_text(f"first {'k' * 32}")
        more = {"payment_pages_dir": where.folder / "pages", "vendor_secrets_dir": secrets}
    if service == "certs":
        more = {"certs_keys_secret": CERTS_KEYS_SECRET}
    if service == "notify":
        more = {"hooks_secret": SecretStr("h" * 32)}
    settings = one.settings(
        mongo_url=SecretStr(where.mongo_url(service)),
        amqp_url=SecretStr(""),
        programs_dir=where.folder,
        erasure_key=ERASURE_KEY,
        **more,
    )
    return one.build(Platform(base.database, base.unit_of_work, where.programs, base.clock, base.owner), settings)


def _vendors(where: Where) -> Path:
    """The sample vendors, of which `vue` takes files as well."""
    folder = where.folder / "vendors"
    folder.mkdir()
    for path in VENDORS.glob("*.yaml"):
        (folder / path.name).write_text(path.read_text() + (TAKES_FILES if path.stem == "vue" else ""))
    return folder


async def _made(
    surface: Surface, operation_id: str, seed: Seed, *, by_staff: bool = False, by: Principal | None = None
) -> dict[str, Any]:
    """What an operation of the service itself makes for the seed."""
    surface.seed = seed
    operation = next(each for each in surface.operations() if each.id == operation_id)
    status, body = await surface.ask(operation, by or (staff() if by_staff else surface.owner()))
    assert status < 300, (operation_id, status, body)
    made: dict[str, Any] = orjson.loads(body)
    return made


# --- Exams -----------------------------------------------------------------------------------------------------------


_EXAMS = {
    "hand_over": Request(lambda _: {"vendor": "vue", "exam_code": EXAM}),
    "import_vouchers": Request(
        lambda _: b"code,vendor,batch\n" + b"".join(b"MARK-CODE-%d,vue,spring\n" % n for n in range(20)),
        media_type="text/csv",
    ),
    "find_voucher": Request(lambda _: {"vendor": "vue", "code": "MARK-CODE-0"}),
    "assign_voucher": Request(lambda values: {"candidate_id": values["candidate_id"]}),
    "assign_next_voucher": Request(lambda values: {"candidate_id": values["candidate_id"]}),
    "withdraw_voucher": Request(lambda _: {"reason": WHY}),
    "upload_feed_file": Request(
        lambda values: values["zip"].encode("latin-1"),
        query=lambda _: {"vendor": "vue", "name": "MARK-FILE.zip"},
        media_type="application/zip",
    ),
    "list_received": Request(query=lambda values: {"id": "MARK-UNMATCHED"}),
    "grant_authorization": Request(
        lambda _: {"vendor": "vue", "exam_code": EXAM, "first": "2090-01-01", "accommodations": "MARK-TERMS"}
    ),
    "change_authorization": Request(lambda _: {"attempts": 2}),
    "withdraw_authorization": Request(lambda _: {"reason": WHY}),
    "start_reconciliation": Request(
        lambda _: (
            b"registration_id,candidate_id,exam_code,state,scheduled_at\n"
            b"MARK-LISTED,C1,200-301,open,2026-11-20T09:00:00Z\n"
        ),
        query=lambda _: {"vendor": "vue", "first": "2026-11-01", "last": "2026-11-30"},
        media_type="text/csv",
    ),
    "act_on_finding": Request(lambda _: {"action": "dismiss", "reason": WHY}),
    "where_is_my_result": Request(query=lambda _: {"registration_id": "G1"}),
    "assign_result": Request(lambda values: {"candidate_id": values["candidate_id"], "reason": WHY}),
    "unassign_result": Request(lambda _: {"reason": WHY}),
    "take_unmatched_result": Request(lambda _: {"assignee": "staff:ada"}),
    "note_unmatched_result": Request(lambda _: {"text": "MARK-NOTE", "asked_vendor": True}),
    "note_late_question": Request(
        lambda values: {"late_ids": [item_id("cisco:vue:G1"), values["item_id"]], "how": "mail", "note": WHY}
    ),
    "admit_vendor": Request(lambda _: {"programs": [PROGRAM]}),
    "renew_credential": Request(lambda _: {"kind": "token"}),
    "take_notifications": Request(lambda _: {"id": "N1"}),
    "review_retake": Request(lambda _: {"state": "accepted", "reason": WHY}),
    "list_history": Request(query=lambda _: {"totals": "true"}),
    "open_challenge": Request(
        lambda values: {"result_id": values["result_id"], "ground": "score", "text": "MARK-CHALLENGE"}
    ),
    "answer_challenge": Request(lambda _: {"text": "MARK-ANSWER"}),
    "add_challenge_evidence": Request(lambda _: PDF, media_type="application/pdf"),
    "assign_challenge": Request(lambda _: {"assignee": "staff:ada"}),
    "ask_challenger": Request(lambda _: {"text": "Which question?", "needs_answer": False}),
    "decide_challenge": Request(lambda _: {"decision": "upheld", "reason": WHY}),
    "rule_on_result": Request(lambda _: {"grade": "invalidated", "reason": WHY}),
}


async def _exams(surface: Surface, _: Mapping[str, Program]) -> Seed:
    await surface.events(received(linked()))
    await surface.vendors(
        reported(registration()),
        reported(result()),
        reported(result(result_id="R2", registration_id="G2", taken_at=TAKEN + timedelta(days=1), grade="fail")),
        reported(achievement(title="MARK-ACHIEVEMENT")),
        reported(result("P9", "MARK-UNMATCHED")),
        _refused(b'{"program": "cisco", "data": {"email": "MARK-REFUSED"}}'),
        _refused(b"MARK-REFUSED, and no JSON"),
    )
    values = {"program": PROGRAM, "candidate_id": PERSON, "vendor": "vue", "batch": "spring"}
    values |= {"item_id": item_id("cisco:vue:MARK-UNMATCHED")}
    named = ("UNMATCHED", "REFUSED", "ACHIEVEMENT", "CHALLENGE", "ANSWER", "CODE", "FILE", "ROW", "TERMS", "LISTED")
    marks = frozenset({PERSON, *(f"MARK-{name}" for name in named)})
    await Credentials(surface.base.database, None, surface.base.clock).admit("vue", [PROGRAM], by="client:operator")
    await surface.run("retakes")
    (flag,) = await surface.base.rows("retake_flags")
    (booked,) = await surface.base.rows("registrations")
    values |= {"exam_code": EXAM, "flag_id": flag["_id"], "appointment_id": appointment_id(booked)}
    values |= {"result_id": "cisco:vue:R2"}
    seed = Seed(values, _EXAMS, marks)
    values["challenge_id"] = (await _made(surface, "open_challenge", seed))["challenge_id"]
    values["evidence_id"] = (await _made(surface, "add_challenge_evidence", seed))["evidence_id"]
    await _made(surface, "answer_challenge", seed)
    await _made(surface, "import_vouchers", seed, by_staff=True)
    values["voucher_id"] = (await _made(surface, "find_voucher", seed, by_staff=True))["voucher_id"]
    await _made(surface, "assign_voucher", seed, by_staff=True)
    values["hand_over_id"] = (await _made(surface, "hand_over", seed))["hand_over_id"]
    values["zip"] = result_file(cells(RegistrationID="MARK-ROW", Grade="great")).decode("latin-1")
    values["file_id"] = (await _made(surface, "upload_feed_file", seed, by=operator()))["file_id"]
    await surface.in_background(lambda: surface.base.rows("feed_files", state="done"))
    await _vendor_files(surface, seed)
    return seed


async def _vendor_files(surface: Surface, seed: Seed) -> None:
    """Files to a vendor, and a list from it."""
    person = identity.CandidateRegistered(
        candidate_id=PERSON,
        given_name="Ada",
        family_name="Lovelace",
        email="mark@example.com",
        country="GB",
        registered_at=TAKEN,
    )
    await surface.events(received(person))
    await surface.run("vendor-profiles")
    values, base = seed.values, surface.base
    values["authorization_id"] = (await _made(surface, "grant_authorization", seed, by_staff=True))["authorization_id"]
    vue = load_vendor((VENDORS / "vue.yaml").read_text() + TAKES_FILES, name="vue")
    await Claiming(OutgoingStore(base.database), base.unit_of_work).make_due(PROGRAM, vendor=vue)
    values["vendor_file_id"] = f"{PROGRAM}:vue:authorizations:000001"
    run = await _made(surface, "start_reconciliation", seed, by_staff=True)
    values["reconciliation_id"] = run["reconciliation_id"]
    await surface.run("reconciliation")
    values["finding_id"] = (await base.rows("reconciliation_findings", registration_id="MARK-LISTED"))[0]["_id"]


def _refused(body: bytes) -> Refusal:
    key = "vue.ExamRegistered.v1"
    return Refusal(
        "vue",
        (Reason("data", "schema", "is wrong"),),
        Delivery(body, topology.VENDORS, key, SINGLE, key, None, "vue", {}),
    )


def _person() -> identity.CandidateRegistered:
    return identity.CandidateRegistered(
        candidate_id=PERSON,
        given_name="Ada",
        family_name="Mark-Lovelace",
        email="mark@example.com",
        country="GB",
        registered_at=TAKEN,
    )


# --- Certs -----------------------------------------------------------------------------------------------------------


def _credit_claim(values: Values) -> dict[str, Any]:
    evidence = [values["evidence_id"]] if "evidence_id" in values else []
    claim = {"item": "MARK-CLAIM", "title": "Core", "credits": 10, "completed_on": values["lately"]}
    return {**claim, "evidence": evidence}


def _course_claim(values: Values) -> dict[str, Any]:
    course = {"course": "ENCOR-ILT", "title": "Core", "completed_on": values["lately"], "delivery": "private"}
    return {**course, "evidence": [values["evidence_id"]]}


_CERTS = {
    "accept_agreement": Request(lambda values: {"version": values["agreement"]}),
    "upload_evidence": Request(lambda _: PDF, media_type="application/pdf"),
    "claim_credits": Request(_credit_claim),
    "claim_course": Request(_course_claim),
    "hold_credits": Request(lambda _: {"held_until": None}),
    "take_review": Request(lambda _: {"assignee": "staff:ada"}),
    "preview_review": Request(lambda _: {}),
    "preview_decision": Request(lambda _: {"kind": "suspend", "certification": "CCNA", "reason": WHY}),
    "decide_submission": Request(lambda _: {"decision": "accepted"}),
    "decide_certification": Request(lambda _: {"kind": "suspend", "certification": "CCNA", "reason": WHY}),
    "try_assumptions": Request(lambda _: {"assume": [{"exam": "350-401"}]}),
    "simulate": Request(lambda _: {"cases": [{"id": "x", "program": PROGRAM, "as_of": "2026-01-01", "inputs": []}]}),
    "preview_certifications": Request(query=lambda values: {"from": values["candidate_id"], "into": "C2"}),
    "start_dry_run": Request(lambda values: {"definition": values["definition"]}),
    "verify_file": Request(lambda _: b"hello", media_type="text/plain"),
    "verify_form": Request(lambda _: form_of(b"hello", "b"), media_type="multipart/form-data; boundary=b"),
    "take_badge_event": Request(lambda _: {"id": "e1", "event_type": "badge.created"}),
    "publish_transcript": Request(lambda _: {"label": "MARK-LINK", "exams": ["200-301"]}),
    "edit_transcript": Request(lambda _: {"label": "MARK-LINK", "exams": ["200-301"]}),
    "enter_code": Request(query=lambda values: {"code": values["code"]}),
    "choose_goals": Request(lambda _: {"certifications": ["CCNP-Enterprise"]}),
    "choose_sharing": Request(lambda _: {"directory": False, "name_in_badges": True, "native_name": False}),
}


async def _certs(surface: Surface, programs: Mapping[str, Program]) -> Seed:
    await surface.events(received(passed()), received(linked()), received(_person()))
    now = programs[PROGRAM]
    later = re.sub(r"(?m)^version: \d+$", f"version: {now.version + 1}", now.definition)
    values = {"program": PROGRAM, "candidate_id": PERSON, "day": "2026-01-01", "definition": later}
    values["lately"] = (surface.base.clock.now() - timedelta(days=9)).date().isoformat()
    seed = Seed(values, _CERTS, frozenset({PERSON, "MARK-CLAIM", "MARK-LINK"}))
    values["agreement"] = (await _made(surface, "show_agreement", seed))["version"]
    values["evidence_id"] = (await _made(surface, "upload_evidence", seed))["evidence_id"]
    values["submission_id"] = (await _made(surface, "claim_credits", seed))["submission_id"]
    values["run_id"] = (await _made(surface, "start_dry_run", seed, by_staff=True))["run_id"]
    # Evidence belongs to one claim; the next one brings its own.
    used = values.pop("evidence_id")
    fresh = (await _made(surface, "upload_evidence", seed))["evidence_id"]
    seed.requests = {**_CERTS, "claim_course": Request(lambda given: _course_claim({**given, "evidence_id": fresh}))}
    values["evidence_id"] = used
    shared = await _made(surface, "publish_transcript", seed)
    values |= {"transcript_id": shared["transcript_id"], "code": shared["code"]}
    values["token"] = shared["link"].rpartition("/")[2]
    await surface.run("dry-runs")
    # No request waits for the first drawing of a process on a busy machine.
    await drawing_pool(1).run(render, content_of(now))
    await surface.run("issuer-keys")
    (key,) = await surface.base.rows("issuer_keys", program=PROGRAM)
    values["kid"] = key["_id"]
    await surface.in_background(lambda: surface.base.rows("credentials", signed=True))
    (credential,) = await surface.base.rows("credentials")
    trouble = new_row(PROGRAM, PERSON, "CCNA") | {"trouble": {"kind": "refused", "text": "MARK", "since": TAKEN}}
    await surface.base.database["provider_badges"].insert_one(trouble)
    values |= {"trouble_id": trouble["_id"], "token": "not-the-right-one"}
    values |= {"credential_id": credential["_id"], "name": credential["_id"], "number": "1"}
    values |= {"certification": credential["certification"], "version": str(now.version), "file": "logo.svg"}
    return seed


# --- Fulfillment and notify ------------------------------------------------------------------------------------------


_FULFILLMENT = {
    "claim_offer": Request(lambda _: {"address": ADDRESS}),
    "change_order_address": Request(lambda _: {"address": ADDRESS}),
    "resend_own_order": Request(lambda _: {"address": ADDRESS}),
    "resend_order": Request(lambda _: {}),
    "cancel_order": Request(lambda _: {"reason": WHY}),
    "act_on_order_finding": Request(lambda _: {"action": "dismiss", "reason": WHY}),
    "take_order_list": Request(
        lambda _: b"order_id,status\nMARK-LISTED,accepted\n", lambda _: {"house": "kits"}, media_type="text/csv"
    ),
    "show_address_form": Request(query=lambda _: {"country": "US"}),
    "check_address": Request(lambda _: {"address": ADDRESS | {"lines": ["5 Oak St"]}}),
    "pay": Request(lambda _: {}),
}
PAYMENT_PAGE = """
id: example
name: Example Pay
programs: [cisco]
url: https://pay.example/checkout
client: certrail
secret: example-pay
"""


async def _fulfillment(surface: Surface, _: Mapping[str, Program]) -> Seed:
    await surface.events(known_person(PERSON), received(awarded()), received(awarded(certification="CCNP-Security")))
    values = {"program": PROGRAM, "candidate_id": PERSON}
    seed = Seed(values, _FULFILLMENT, frozenset({PERSON, "CCNA", *ADDRESS["lines"]}))
    surface.seed = seed
    for offer in await surface.base.rows("offers", certification="CCNA"):
        values["offer_id"] = offer["_id"]
        values["order_id"] = (await _made(surface, "claim_offer", seed))["order_id"]
    for offer in await surface.base.rows("offers", certification="CCNP-Security"):
        values["offer_id"] = offer["_id"]
    await surface.run("orders")
    values["list_id"] = (await _made(surface, "take_order_list", seed, by_staff=True))["list_id"]
    values["finding_id"] = (await surface.base.rows("order_findings"))[0]["_id"]
    return seed


_HOOK = {
    "url": "https://93.184.216.34/MARK-HOOK",
    "events": ["certs.CertificationAwarded.v1"],
    "description": "MARK-CRM",
}
_ANNOUNCEMENT = {
    "texts": [{"language": "en", "title": "MARK-ANNOUNCED", "paragraphs": ["Book early."]}],
    "first_day": "2000-01-01",
    "last_day": "2090-01-01",
}
_OWN_WORDS = "Subject: MARK {{ exam }}\nPreview: a\nWhy: b\n\nHello {{ name }}.\n"
_NOTIFY = {
    "list_mails": Request(query=lambda values: {"id": values["message_id"]}),
    "add_hook": Request(lambda _: _HOOK),
    "change_hook": Request(lambda _: {"personal_data": True}),
    "rotate_hook_secret": Request(lambda _: {"old_works_hours": 1}),
    "replay_deliveries": Request(lambda _: {"first": "2026-11-01T00:00:00Z"}),
    "write_announcement": Request(lambda _: _ANNOUNCEMENT),
    "change_announcement": Request(lambda _: _ANNOUNCEMENT),
    "publish_announcement": Request(lambda _: {"mail": True}),
    "withdraw_announcement": Request(lambda _: {"reason": WHY}),
    "write_template_version": Request(lambda _: {"source": _OWN_WORDS, "note": "MARK-NOTE"}),
    "choose_template_version": Request(lambda _: {"version": 1, "instead_of": None}),
    "preview_draft": Request(lambda _: {"source": _OWN_WORDS}),
    "take_mail_report": Request(
        lambda values: dsn(recipient(final="mark@example.com", original=None), mail=values["message_id"]),
        media_type="message/rfc822",
    ),
}


async def _notify(surface: Surface, _: Mapping[str, Program]) -> Seed:
    await surface.events(received(_person()), received(passed()))
    (mail,) = await surface.base.rows("messages")
    link = UnsubscribeLinks(ERASURE_KEY.get_secret_value(), "").url(Mailing(PROGRAM, PERSON, mail["_id"]))
    token = link.rpartition("/")[2]
    values = {"program": PROGRAM, "candidate_id": PERSON, "message_id": mail["_id"], "token": token}
    values |= {"template": "exam_passed", "language": "en", "version": "1"}
    seed = Seed(
        values, _NOTIFY, frozenset({PERSON, mail["_id"], "MARK-ANNOUNCED", "MARK-NOTE", "MARK-HOOK", "MARK-CRM"})
    )
    values["announcement_id"] = (await _made(surface, "write_announcement", seed, by_staff=True))["announcement_id"]
    await _made(surface, "publish_announcement", seed, by_staff=True)
    await _made(surface, "write_template_version", seed, by_staff=True)
    await _made(surface, "take_mail_report", seed, by_staff=True)
    values["hook_id"] = (await _made(surface, "add_hook", seed, by_staff=True))["hook_id"]
    await _made(surface, "ping_hook", seed, by_staff=True)
    return seed


# --- Identity --------------------------------------------------------------------------------------------------------

_ID = {"system": "vue", "external_id": "P3"}

_IDENTITY = {
    "issue_token": Request(
        lambda _: {"grant_type": "client_credentials", "client_id": "operator", "client_secret": "x"}
    ),
    "request_access": Request(lambda values: {"program": PROGRAM, "login": values["candidate_id"]}),
    "activate": Request(lambda _: {"token": "made-up", "password": PASSWORD}),
    "step_up": Request(lambda values: {"code": values["code"]}),
    "change_password": Request(lambda _: {"password": "another horse battery staple"}),
    "ask_for_email_change": Request(lambda _: {"email": "mark@new.example"}),
    "confirm_second_factor": Request(lambda _: {"code": "000000"}),
    "claim_external_id": Request(lambda _: {**_ID, "registration_id": "G9"}),
    "show_external_id": Request(query=lambda _: {"system": "vue", "external_id": "P1"}),
    "change_external_id": Request(lambda values: {**_ID, "to": values["candidate_id"], "reason": WHY}),
    "open_case": Request(lambda _: {**NAME, "given_name": "MARK-NAME"}),
    "answer_case": Request(lambda _: {"text": "MARK-TEXT"}),
    "add_case_evidence": Request(lambda _: PDF, media_type="application/pdf"),
    "assign_case": Request(lambda _: {"assignee": "staff:ada"}),
    "ask_candidate": Request(lambda _: {"text": "Which one?"}),
    "decide_case": Request(lambda _: {"decision": "refuse", "reason": WHY}),
    "ask_for_erasure": Request(lambda _: {"reason": WHY}),
    "hold_erasure": Request(lambda _: {"reason": WHY}),
    "preview_merge": Request(query=lambda values: {"from": values["twin"], "into": values["candidate_id"]}),
    "merge_accounts": Request(lambda values: {"from": values["twin"], "into": values["candidate_id"], "reason": WHY}),
    "dismiss_pair": Request(lambda values: {"one": values["twin"], "other": values["candidate_id"], "reason": WHY}),
    "reverse_merge": Request(lambda _: {"reason": WHY}),
    "change_profile": Request(lambda _: {"job_title": "MARK-TITLE"}),
    "search": Request(query=lambda values: {"q": values["candidate_id"]}),
    "list_audit_seals": Request(query=lambda _: {"of": "exams"}),
    "issue_client_token": Request(
        lambda _: b"grant_type=client_credentials&client_id=operator&client_secret=x",
        media_type="application/x-www-form-urlencoded",
    ),
    "add_system": Request(lambda _: {"description": "Theirs", "scopes": ["exams:read"]}),
    "rotate_secret": Request(lambda _: {"old_works_days": 1}),
    "add_staff": Request(lambda _: {"email": "new@example.com", "name": "New", "roles": ["support"]}),
    "set_roles": Request(lambda _: {"roles": ["reviewer"]}),
    "invite_staff": Request(lambda _: {"forget_second_factor": False}),
    "request_staff_access": Request(lambda _: {"program": PROGRAM, "email": "mark@example.com"}),
    "enrol_staff": Request(lambda _: {"token": "made-up"}),
    "activate_staff": Request(lambda _: {"token": "made-up", "password": PASSWORD, "code": "000000"}),
    "issue_staff_token": Request(lambda _: {"grant_type": "refresh_token", "refresh_token": "made-up"}),
    "issue_ticket": Request(lambda _: {"client_id": "psi"}),
    "exchange_code": Request(
        lambda _: b"grant_type=authorization_code&code=made-up", media_type="application/x-www-form-urlencoded"
    ),
    "find_candidates": Request(query=lambda _: {"program": PROGRAM, "email": "p1@example.com"}),
}


async def _identity(surface: Surface, station: IdentityStation) -> Seed:
    owner = await station.open_account("P1")
    twin, holder, merged = [await station.register(person) for person in ("P2", "P3", "P4")]
    _, tokens = await station.login(owner)
    phone = await enrol(station, owner, tokens["access_token"])
    _, elsewhere = await station.login(owner, code=phone.recovery.pop())
    values = {"program": PROGRAM, "candidate_id": owner, "twin": twin, "session_id": _claims(elsewhere)["sid"]}
    values["code"] = code_at(phone.secret, int(surface.base.clock.now().timestamp()) // STEP_SECONDS + 1)
    values["staff_id"] = (await invite(station, "support", email="mark@example.com")).staff_id
    values["client_id"] = (await add_system(station))["client_id"]
    values["why"] = "asked"
    values["kid"] = "k1"
    marks = {owner, twin, holder, merged, values["staff_id"], values["client_id"], "MARK-NAME", "MARK-TEXT"}
    seed = Seed(values, _IDENTITY, frozenset(marks), session_id=_claims(tokens)["sid"])
    await _made(surface, "claim_external_id", seed)
    values["case_id"] = (await _made(surface, "open_case", seed))["case_id"]
    values["evidence_id"] = (await _made(surface, "add_case_evidence", seed))["evidence_id"]
    await _made(surface, "answer_case", seed)
    seed.requests = {**_IDENTITY, "merge_accounts": Request(lambda _: {"from": merged, "into": holder, "reason": WHY})}
    await _made(surface, "ask_for_export", seed)
    (question,) = questions(station)
    values["export_id"] = question["export_id"]
    await surface.events(*(received(part) for kind in PARTS for part in answer(kind, question, {"a.json": b"[1]"})))
    await surface.run("exports")
    await _made(surface, "ask_for_erasure", seed)
    values["merge_id"] = (await _made(surface, "merge_accounts", seed, by_staff=True))["merge_id"]
    seed.requests = _IDENTITY
    await surface.run("duplicates")
    return seed


def _claims(tokens: Mapping[str, Any]) -> dict[str, Any]:
    part = tokens["access_token"].split(".")[1]
    claims: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


_SEEDS: Mapping[str, Callable[[Surface, Mapping[str, Program]], Awaitable[Seed]]] = {
    "exams": _exams,
    "certs": _certs,
    "fulfillment": _fulfillment,
    "notify": _notify,
}
