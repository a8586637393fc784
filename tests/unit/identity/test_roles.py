"""What roles allow: nothing beyond the table, and for an auditor nothing that changes anything."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.gateway.reference.apis import documented_apis
from libs.common.http.scopes import (
    AUDIT_READ,
    CANDIDATE,
    KEYS_MANAGE,
    OPERATOR,
    PRIVACY_MANAGE,
    PRIVACY_REQUEST,
    READING,
    STAFF_MANAGE,
    SYSTEM,
)
from services.identity.staff.roles import SCOPES, Role, checked, scopes_of

CALCULATIONS = {"check_address", "try_assumptions", "give_reason"}
"""Routes that are no GET and change nothing: they calculate, or say why somebody looks, which only the audit log keeps,
as it keeps the look itself."""

some_roles = st.sets(st.sampled_from(Role))


@given(some_roles)
def test_roles_allow_what_each_allows_and_no_more(roles: set[Role]) -> None:
    assert scopes_of(roles) == {scope for role in roles for scope in SCOPES[role]}


@given(st.text())
def test_a_role_that_there_is_not_allows_nothing(name: str) -> None:
    if name in {role.value for role in Role}:
        return
    with pytest.raises(ValueError):
        scopes_of([name])


@given(st.lists(st.sampled_from(Role), min_size=1))
def test_an_auditor_has_no_other_role(roles: list[Role]) -> None:
    if Role.AUDITOR in roles and len(set(roles)) > 1:
        with pytest.raises(ValueError):
            checked(roles)
    else:
        assert set(checked(roles)) == set(roles)


def test_the_table_is_within_what_there_is() -> None:
    assert set(SCOPES) == set(Role)
    for role, scopes in SCOPES.items():
        assert READING <= scopes < OPERATOR
        assert not scopes & (KEYS_MANAGE | (CANDIDATE - READING - PRIVACY_REQUEST)), (
            "no role speaks as a candidate or touches keys"
        )
        # The routes of exports and erasures ask for both, but of candidates themselves.
        assert (scopes >= PRIVACY_REQUEST) == (scopes >= PRIVACY_MANAGE)
        assert (scopes >= STAFF_MANAGE) == (role is Role.MANAGER)
        assert (scopes >= AUDIT_READ) == (role is Role.AUDITOR)
    assert not SYSTEM & (STAFF_MANAGE | KEYS_MANAGE | AUDIT_READ)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SUPPORT])
def test_whoever_only_reads_reaches_no_route_that_changes_anything(role: Role) -> None:
    reached = [
        route for api in documented_apis() for route in api.routes if route.scopes and route.scopes <= SCOPES[role]
    ]
    assert len(reached) > 20
    assert {route.operation_id for route in reached if route.method != "GET"} <= CALCULATIONS
