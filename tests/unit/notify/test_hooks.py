"""The rules of web hooks: when a message is sent again, where one may go, and what of an event is told."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.events import all_events
from libs.common.events.asyncapi import event_schema
from libs.common.events.subscribers import personal_fields, subscribable, told
from libs.common.http.senders import read_networks
from services.notify.hooks.retries import GIVE_UP_AFTER, PAUSES, UNWELL, fault_of, next_try, rest, wish_of
from services.notify.hooks.targets import BadTargetError, Targets, is_public

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)

# --- When ------------------------------------------------------------------------------------------------------------


@given(st.integers(1, 100), st.timedeltas(timedelta(), timedelta(days=10)), st.timedeltas(timedelta(), timedelta(30)))
def test_message_is_tried_for_days_with_growing_pauses(tries: int, age: timedelta, wish: timedelta) -> None:
    due = next_try(tries, NOON - age, NOON, wish)
    assert (due is None) == (age >= GIVE_UP_AFTER)
    if due is not None:
        later = next_try(tries + 1, NOON - age, NOON, wish)
        assert later is not None
        assert NOON + PAUSES[0] <= due <= later
        assert due - NOON <= max(PAUSES[-1], timedelta(days=1))
        assert due - NOON >= min(wish, timedelta(days=1))


def test_message_that_is_never_taken_is_tried_about_a_dozen_times_and_more_in_five_days() -> None:
    now, tries = NOON, 0
    while (due := next_try(tries := tries + 1, NOON, now)) is not None:
        now = due
    assert 12 <= tries <= 20
    assert GIVE_UP_AFTER <= now - NOON <= GIVE_UP_AFTER + PAUSES[-1]


@given(st.integers(0, 1_000_000))
def test_receiver_rests_longer_the_longer_it_fails_and_never_for_long(failures: int) -> None:
    assert rest(failures) <= rest(failures + 1) <= timedelta(minutes=5)
    assert bool(rest(failures)) == (failures >= UNWELL)


@pytest.mark.parametrize(("status", "taken"), [(200, True), (204, True), (299, True), (301, False), (308, False)])
def test_only_statuses_of_success_are_acceptance(status: int, *, taken: bool) -> None:
    assert (fault_of(status) is None) == taken


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120), ("0", 0), ("9" * 400, 86_400), (None, None), ("Wed, 21 Oct 2026 07:28:00 GMT", None), ("-1", None)],
)
def test_wish_to_wait_is_read_where_it_is_in_seconds(header: str | None, seconds: int | None) -> None:
    assert wish_of(header) == (None if seconds is None else timedelta(seconds=seconds))


# --- Where -----------------------------------------------------------------------------------------------------------

PUBLIC = ("8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111", "2a00:1450:4001:81b::200e")
PRIVATE = (
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.0.170", "198.18.0.1", "203.0.113.1", "192.88.99.1"),
    *("224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "100::1", "2001:db8::1", "5f00::1"),
    # IPv4 in the clothes of IPv6: mapped, compatible, 6to4, Teredo, NAT64.
    *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "2002:7f00:1::1", "2001:0:7f00:1::1"),
    *("64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "3fff::1"),
)


@pytest.mark.parametrize("address", PUBLIC)
def test_address_on_the_internet_may_be_reached(address: str) -> None:
    assert is_public(ip_address(address))
    assert Targets().allows(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_address_behind_doors_may_not(address: str) -> None:
    assert not is_public(ip_address(address))
    assert not Targets().allows(address)


def test_private_network_may_be_reached_where_the_operator_says_so_and_no_other() -> None:
    targets = Targets(read_networks("10.1.0.0/16"))
    assert targets.allows("10.1.2.3")
    assert not targets.allows("10.2.0.1")
    assert not targets.allows("fe80::1%eth0")
    assert not targets.allows("nonsense")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://127.0.0.1/hook", "private"),
        ("https://[::1]/hook", "private"),
        ("https://[::ffff:10.0.0.1]/hook", "private"),
        ("https://169.254.169.254/latest/meta-data", "private"),
        ("https://localhost/hook", "private"),
        ("https://2130706433/hook", "private"),
        ("https://0x7f.1/hook", "private"),
        ("http://8.8.8.8/hook", "https"),
        ("http://10.0.0.1/hook", "https"),
        ("ftp://8.8.8.8/hook", "https"),
        ("https://user:secret@8.8.8.8/", "user"),
        ("https://8.8.8.8/#part", "fragment"),
        ("https:///hook", "https"),
        ("https://8.8.8.8:99999/", "address"),
        ("https://nothing.invalid/hook", "looked up"),
        ("https://" + "a" * 300 + ".example/", "looked up"),
    ],
)
async def test_address_that_no_hook_can_have_is_refused(url: str, why: str) -> None:
    with pytest.raises(BadTargetError, match=why):
        await Targets().check(url)


async def test_public_address_is_taken_and_a_permitted_private_one_without_tls() -> None:
    await Targets().check("https://93.184.216.34:8443/hooks?for=cisco")
    await Targets(read_networks("127.0.0.0/8")).check("http://127.0.0.1:8080/hook")


# --- What ------------------------------------------------------------------------------------------------------------


def full(schema: dict[str, Any], node: dict[str, Any], path: str = "") -> Any:
    """A value with everything in it that a schema knows; plain values are their own path, and say what they are."""
    if "$ref" in node:
        return full(schema, schema["$defs"][node["$ref"].rpartition("/")[2]], path)
    if "anyOf" in node:
        return full(schema, node["anyOf"][0], path)
    if "items" in node:
        return [full(schema, node["items"], path)]
    if "properties" in node:
        found = {}
        for name, field in node["properties"].items():
            kinds = [field, field.get("items", {}), *field.get("anyOf", ())]
            mark = "SECRET " if any("x-secret" in each for each in kinds) else ""
            mark += "PERSONAL " if any("x-personal-data" in each for each in kinds) else ""
            found[name] = full(schema, field, f"{path} {mark}{name}")
        return found
    return path


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    if isinstance(value, list):
        return [leaf for each in value for leaf in leaves(each)]
    return [value]


@pytest.mark.parametrize("key", sorted(subscribable()))
def test_subscriber_is_told_what_the_event_language_lets_them_know(key: str) -> None:
    schema = event_schema(all_events()[key])
    data = full(schema, schema["properties"]["data"]) | {"unheard_of": "from a newer publisher"}
    everything = [leaf for leaf in leaves(data) if "newer" not in leaf]
    open_ones = [leaf for leaf in everything if "PERSONAL" not in leaf]
    assert leaves(told(key, data, personal=False)) == open_ones
    assert leaves(told(key, data, personal=True)) == [leaf for leaf in everything if "SECRET" not in leaf]
    assert bool(personal_fields(key)) == any("PERSONAL" in leaf and "SECRET" not in leaf for leaf in everything)


def test_what_opens_an_account_or_a_seal_is_nothing_to_subscribe_to() -> None:
    open_ones = set(subscribable())
    assert {"certs.CertificationAwarded.v1", "identity.CandidateErased.v1", "exams.ExamPassed.v1"} <= open_ones
    assert (
        not {"identity.AccessRequested.v1", "identity.StaffInvited.v1", "identity.EmailChangeRequested.v1"} & open_ones
    )
    assert not [key for key in open_ones if "PersonalData" in key or "AuditSealed" in key or key.startswith("vendor")]
    fields = {name for model in subscribable().values() for name in model.model_fields}
    assert not fields & {"token", "secret", "password", "public_key"}, "mark it SECRET in the event language"


def test_news_of_an_erasure_does_not_say_who_is_behind_a_pseudonym() -> None:
    data = {"candidate_id": "C1", "accounts": [{"candidate_id": "C1", "pseudonym": "erased-1"}], "again": False}
    assert told("identity.CandidateErased.v1", data, personal=True) == {**data, "accounts": [{"candidate_id": "C1"}]}
