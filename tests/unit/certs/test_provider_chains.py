"""What is done next with a provider: one standing badge a credential, whatever is lost on the way."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from services.certs.provider.chains import (
    STANDING,
    Badge,
    Chain,
    Link,
    Seen,
    Step,
    again,
    answered,
    assumed,
    credential_of,
    done,
    held,
    key_of,
    observed,
    plan,
    taken,
)

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
FIRST, SECOND = (str(UUID(int=number, version=4)) for number in (1, 2))


def link(credential_id: str = FIRST, **more) -> Link:
    day = date(2026, 1, 1) if credential_id == FIRST else date(2026, 2, 1)
    return Link(
        **({"credential_id": credential_id, "version": 1, "valid": True, "earned_on": day, "ends": None} | more)
    )


def badge(credential_id: str = FIRST, badge_id: str = "b1", state="accepted", **more) -> Badge:
    return Badge(badge_id, key_of(credential_id, 1), state, NOW, said=more.pop("said", "as it is"), **more)


def test_a_key_names_its_credential_and_nothing_else_does() -> None:
    assert credential_of(key_of(FIRST, 7)) == FIRST
    for other in (None, "", FIRST, f"{FIRST}.0", f"{FIRST}.", f"x{FIRST}.1", "candidate-7", f"{FIRST}.1\n"):
        assert credential_of(other) is None


def test_a_credential_without_badge_is_issued_one() -> None:
    assert plan(Chain((link(),)), "new", TODAY) == Step("issue", key_of(FIRST, 1), FIRST, None, "new")


def test_nothing_is_sent_of_what_has_run_out_or_may_not_be_sent_now() -> None:
    assert plan(Chain((link(ends=TODAY - timedelta(1)),)), "new", TODAY) is None
    assert plan(Chain((link(ends=TODAY),)), "new", TODAY) is not None
    assert plan(Chain((link(),)), None, TODAY) is None
    assert plan(Chain((link(valid=False),)), "new", TODAY) is None


def test_a_renewal_replaces_the_badge_before_it() -> None:
    chain = Chain((link(badge=badge()), link(SECOND)), editions=1)
    step = plan(chain, "new", TODAY)
    assert step == Step("replace", key_of(SECOND, 2), SECOND, "b1", "new")
    after = done(taken(chain, step), step, Seen("b2", step.key, "pending", NOW))
    assert [one.badge and one.badge.badge_id for one in after.links] == [None, "b2"]
    assert plan(after, "new", TODAY) is None
    assert observed(after, Seen("b1", key_of(FIRST, 1), "accepted", NOW)) == after  # it was replaced


def test_a_corrected_credential_replaces_its_own_badge() -> None:
    chain = Chain((link(badge=badge(said="old")),), editions=1)
    assert plan(chain, "new", TODAY) == Step("replace", key_of(FIRST, 2), FIRST, "b1", "new")
    assert plan(chain, "old", TODAY) is None


def test_a_badge_its_person_has_rejected_is_left_alone() -> None:
    chain = Chain((link(badge=badge(state="rejected", said="old")),))
    assert plan(chain, "new", TODAY) is None
    assert chain.trouble is None


def test_a_revoked_credential_loses_its_badge_before_an_earlier_one_gets_its_own_back() -> None:
    chain = Chain((link(past=("b1",)), link(SECOND, valid=False, badge=badge(SECOND, "b2"))), editions=2)
    step = plan(chain, "new", TODAY)
    assert step == Step("revoke", key_of(SECOND, 1), SECOND, "b2")
    after = done(taken(chain, step), step, Seen("b2", step.key, "revoked", NOW))
    assert plan(after, "new", TODAY) == Step("issue", key_of(FIRST, 3), FIRST, None, "new")


def test_of_somebody_erased_everything_is_revoked_and_nothing_sent() -> None:
    chain = Chain((link(badge=badge()),), erased=True)
    assert plan(chain, "new", TODAY) == Step("revoke", key_of(FIRST, 1), FIRST, "b1")
    assert plan(Chain((link(),), erased=True), "new", TODAY) is None


def test_a_step_in_hand_is_asked_about_and_never_sent_again_unasked() -> None:
    chain = Chain((link(),))
    step = plan(chain, "new", TODAY)
    assert step is not None
    asked = plan(taken(chain, step), "other", TODAY)
    assert asked == Step("ask", step.key, FIRST)
    none = answered(taken(chain, step), step.key, [], NOW)
    assert plan(none, "new", TODAY) == replace(step, key=key_of(FIRST, 2))
    there = answered(taken(chain, step), step.key, [Seen("b1", step.key, "pending", NOW)], NOW)
    assert plan(there, "new", TODAY) is None


def test_what_the_provider_has_twice_is_revoked_once() -> None:
    chain = Chain((link(badge=badge()),))
    twice = observed(chain, Seen("b9", key_of(FIRST, 1), "pending", NOW))
    assert plan(twice, "as it is", TODAY) == Step("revoke", key_of(FIRST, 1), FIRST, "b9")
    assert plan(observed(twice, Seen("b9", key_of(FIRST, 1), "revoked", NOW)), "as it is", TODAY) is None


def test_a_badge_that_was_found_is_taken_for_ours_and_for_right() -> None:
    found = observed(Chain((link(),)), Seen("b1", key_of(FIRST, 1), "accepted", NOW))
    assert plan(found, "as it is", TODAY) is None
    assert plan(assumed(found, "as it is"), "as it is", TODAY) is None
    assert plan(assumed(found, "as it is"), "new", TODAY) == Step("replace", key_of(FIRST, 1), FIRST, "b1", "new")


def test_strangers_badges_change_nothing() -> None:
    chain = Chain((link(),))
    for key in (None, "somebody-else", key_of(SECOND, 1)):
        assert observed(chain, Seen("b1", key, "accepted", NOW)) == chain


def test_a_badge_revoked_or_lost_there_waits_for_a_person() -> None:
    for state, trouble in (("revoked", "revoked_there"), ("missing", "missing_there")):
        chain = observed(Chain((link(badge=badge()),), editions=1), Seen("b1", None, state, NOW))
        assert (plan(chain, "new", TODAY), chain.trouble) == (None, trouble)
        assert plan(again(chain), "new", TODAY) == Step("issue", key_of(FIRST, 2), FIRST, None, "new")


def test_what_is_heard_late_does_not_undo_what_was_heard_before() -> None:
    chain = Chain((link(badge=badge(state="pending")),))
    later, latest = NOW + timedelta(1), NOW + timedelta(2)
    accepted, rejected = Seen("b1", None, "accepted", later), Seen("b1", None, "rejected", latest)
    assert observed(observed(chain, accepted), rejected) == observed(observed(chain, rejected), accepted)
    revoked = observed(chain, Seen("b1", None, "revoked", later))
    assert observed(revoked, Seen("b1", None, "accepted", latest)) == revoked


# Properties: a provider that does what it is told, or not, and answers, or not.


@dataclass
class Provider:
    """A provider in a few lines: badges by id."""

    badges: dict[str, Seen] = field(default_factory=dict)
    made: int = 0

    def do(self, step: Step) -> Seen | None:
        """Returns None for a request that it refuses."""
        if step.act == "revoke":
            badge = self.badges.get(step.badge_id or "")
            if badge is None:
                return None
            self.badges[badge.badge_id] = replace(badge, state="revoked")
            return self.badges[badge.badge_id]
        if step.act == "replace":
            if step.badge_id not in self.badges:
                return None
            del self.badges[step.badge_id]
        self.made += 1
        made = Seen(f"b{self.made}", step.key, "pending", NOW)
        self.badges[made.badge_id] = made
        return made

    def by(self, key: str) -> list[Seen]:
        return [one for one in self.badges.values() if one.key == key]

    def standing(self) -> list[str | None]:
        return sorted(str(credential_of(one.key)) for one in self.badges.values() if one.state in STANDING)


IDS = [str(UUID(int=number, version=4)) for number in range(1, 5)]
Changes = st.lists(
    st.tuples(
        st.sampled_from(IDS), st.booleans(), st.sampled_from(["done", "unheard", "lost", "stop", "stop"]), st.booleans()
    ),
    max_size=25,
)


def turn(chain: Chain, provider: Provider, fate: str, said: str) -> Chain:
    """One step, of which the answer may be lost, or the request."""
    step = plan(chain, said, TODAY)
    if step is None or fate == "stop":
        return chain
    if step.act == "ask":
        return chain if fate == "lost" else answered(chain, step.key, provider.by(step.key), NOW)
    chain = taken(chain, step)
    if fate == "lost":
        return chain
    seen = provider.do(step)
    if fate == "unheard" or seen is None:
        return chain
    return done(chain, step, seen)


@settings(max_examples=400)
@given(Changes)
def test_at_no_time_does_a_credential_have_two_badges_and_in_the_end_the_right_one_stands(changes) -> None:
    chain, provider, versions = Chain(), Provider(), dict.fromkeys(IDS, 0)
    said = "0"
    for number, (which, valid, fate, look) in enumerate(changes):
        versions[which] += 1
        day = date(2026, 1, 1 + IDS.index(which))
        known = chain.link(which)
        still = valid and (known is None or known.valid)  # a revocation is for good
        chain = held(chain, [Link(which, versions[which], still, day, None)])
        said = str(number)
        chain = turn(chain, provider, fate, said)
        if look:
            for seen in list(provider.badges.values()):
                chain = observed(chain, seen)
        standing = provider.standing()
        assert len(standing) == len(set(standing))
    for _ in range(4 * len(IDS) + 4):
        chain = turn(chain, provider, "done", said)
    assert plan(chain, said, TODAY) is None
    wanted = chain.wanted
    assert chain.trouble is None
    assert provider.standing() == ([wanted.credential_id] if wanted else [])
    assert chain.hand is None
    assert wanted is None or (wanted.badge is not None and wanted.badge.said == said)


@settings(max_examples=200)
@given(Changes)
def test_of_somebody_erased_nothing_stands_in_the_end(changes) -> None:
    chain, provider = Chain(), Provider()
    for number, (which, _, fate, _) in enumerate(changes):
        chain = held(chain, [Link(which, number, True, date(2026, 1, 1 + IDS.index(which)), None)])  # noqa: FBT003
        chain = turn(chain, provider, fate, str(number))
    chain = replace(chain, erased=True)
    for _ in range(4 * len(IDS) + 4):
        chain = turn(chain, provider, "done", "x")
    assert (provider.standing(), plan(chain, "x", TODAY)) == ([], None)
