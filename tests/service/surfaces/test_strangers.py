"""Every operation of every OpenAPI document, asked by everybody whom it does not concern.

What the tests go through is read from the documents, so a new route is tested by being there; its seed says what it is
asked with, and the test fails until it does.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from libs.common.http.principal import Principal
from tests.service.surfaces.surface import (
    OTHER_PROGRAM,
    Operation,
    Surface,
    candidate,
    operator,
    staff,
    without_scopes,
)

REFUSED = {401, 403, 404}
FREE_FOR_ALL_OF_THE_PROGRAM = {"show_agreement", "list_employers", "show_address_form", "list_vendor_names"}
"""What the candidates of a program may each see: it is about none of them."""
ORDER = ("GET", "PATCH", "POST", "PUT", "DELETE")
"""The owner asks in this order, so that nothing is gone before it was asked for."""
TOLD_WHY_NOT = {
    "confirm_second_factor": 422,
    "claim_course": 422,
    "withdraw": 409,
    "withdraw_case": 409,
    "withdraw_challenge": 409,
    "retry_feed_file": 409,
    "send_vendor_profile_again": 409,
    "send_authorization_again": 409,
    "reissue_certificate": 409,
    "pay": 409,
    "resend_own_order": 409,
    "resend_order": 409,
    "cancel_own_order": 409,
    "cancel_order": 409,
    "send_order_again": 409,
    "change_order_address": 409,
    "resend_message": 409,
    "show_me": 404,
}
"""The owner is let in, and told why it cannot be: it is confirmed already; this program renews nothing by courses; what
was to be withdrawn has just been decided; neither the file nor anything by the vendor was refused; the certificate
bears the present name; the order costs nothing, and is with its fulfilment house, or was called off just before;
nothing is sent to the address; whoever asks as staff here was never invited."""
LAST = (
    "",
    *("decide_case", "decide_challenge"),
    *("withdraw_case", "withdraw_challenge", "withdraw_announcement"),
    "change_password",
    "end_sessions",
    "end_candidate_sessions",
)
"""After these a case is closed, something is withdrawn, or the owner logged out, here or elsewhere."""
FIRST = ("preview_review", "take_review", "preview_decision")
"""What would follow is asked while nothing is decided, and work is begun."""
OWN_AFFAIR = {"start_dry_run", "simulate", "upload_evidence", "add_staff", "add_system", "import_vouchers"}
OWN_AFFAIR |= {"start_reconciliation", "write_announcement", "write_template_version", "add_hook"}
"""What staff may well do in their own program with what the seed sends. Evidence may come before anything is known of a
candidate, so there it lies, in their program."""
OBJECT = re.compile(r"\{(?!program\}|candidate_id\}|day\}|template\}|language\})")
BOOKKEEPING = {"idempotency", "jobs", "policies"}
"""Policies are kept when they are first looked at."""


def guarded(surface: Surface) -> list[Operation]:
    return [operation for operation in surface.operations() if operation.scopes is not None]


async def everything(surface: Surface) -> dict[str, Any]:
    names = await surface.base.database.list_collection_names()
    return {name: await surface.base.rows(name) for name in names if name not in BOOKKEEPING}


def strangers(surface: Surface, operation: Operation) -> Iterator[tuple[str, Principal]]:
    """Holders of tokens that are valid, and good for something else."""
    owner = surface.seed.values["candidate_id"]
    if operation.id not in FREE_FOR_ALL_OF_THE_PROGRAM:
        yield "another candidate", candidate("C-other", surface.base)
    if "{program}" in operation.path:  # elsewhere the caller means themselves, and an ID is of one program
        yield "a candidate of the same id in another program", candidate(owner, surface.base, program=OTHER_PROGRAM)
    yield "staff of another program", staff(OTHER_PROGRAM)
    if operation.scopes:
        yield "the owner without the scope", without_scopes(surface.owner())
        yield "staff without the scope", without_scopes(staff())


async def test_nobody_reaches_what_is_anothers(surface: Surface) -> None:
    before = await everything(surface)
    for operation in guarded(surface):
        for who, principal in strangers(surface, operation):
            status, body = await surface.ask(operation, principal)
            told = f"{operation.method} {operation.path} by {who}: {status} {body[:300]}"
            assert status in REFUSED or (status < 300 and "{" not in operation.path), told
            assert not [mark for mark in surface.seed.marks if mark in body], told
    assert await everything(surface) == before


async def test_token_of_a_program_opens_nothing_under_another_programs_path(surface: Surface) -> None:
    before = await everything(surface)
    for operation in guarded(surface):
        if "{program}" in operation.path:
            for principal in (surface.owner(), staff()):
                status, body = await surface.ask(operation, principal, program=OTHER_PROGRAM)
                assert status in REFUSED, f"{operation.method} {operation.path}: {status} {body[:300]}"
    assert await everything(surface) == before


async def test_staff_of_another_program_reach_nothing_of_ours_under_their_own_path(surface: Surface) -> None:
    before = await everything(surface)
    ours = surface.seed.marks - {surface.seed.values["candidate_id"]}  # which they have named themselves
    for operation in guarded(surface):
        if "{program}" not in operation.path or operation.id in OWN_AFFAIR:
            continue
        for principal in (staff(OTHER_PROGRAM), candidate("C-other", surface.base, program=OTHER_PROGRAM)):
            status, body = await surface.ask(operation, principal, program=OTHER_PROGRAM)
            told = f"{operation.method} {operation.path}: {status} {body[:300]}"
            assert status in REFUSED | {422} or OBJECT.search(operation.path) is None, told
            # Their own log says what they have asked for, which here was ours.
            assert operation.id == "list_audit_records" or not [mark for mark in ours if mark in body], told
    assert await everything(surface) == before


async def test_nothing_guarded_answers_without_a_valid_token(surface: Surface) -> None:
    expired = surface.token(surface.owner())
    surface.base.clock.advance(timedelta(minutes=16))
    forged = surface.token(surface.owner())[:-8] + "AAAAAAAA"
    for operation in guarded(surface):
        for token in (None, expired, forged):
            status, _ = await surface.ask(operation, token)
            assert status == 401, f"{operation.method} {operation.path}"


async def test_whom_it_concerns_is_answered(surface: Surface) -> None:
    """Without this the other tests could pass because nothing is there at all."""
    for operation in sorted(guarded(surface), key=_turn):
        callers = [surface.owner(), staff()] if operation.is_for_candidates else [staff(), operator()]
        answers = [await surface.ask(operation, caller) for caller in callers]
        told = TOLD_WHY_NOT.get(operation.id)
        assert any(status < 300 or status == told for status, _ in answers), (
            f"{operation.method} {operation.path}: {[(status, body[:200]) for status, body in answers]}"
        )


def _turn(operation: Operation) -> tuple[Any, ...]:
    last = LAST.index(operation.id) if operation.id in LAST else -int(operation.id in FIRST)
    return last, ORDER.index(operation.method), -operation.path.count("{"), operation.path
