"""Keys follow one another without a moment in which a token fails, whenever rotations happen."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from libs.common.http.jwks import FRESH
from libs.common.http.tokens import LEEWAY_SECONDS
from services.identity.domain.key_schedule import KEPT, LEAD, KeyTimes, is_published, retires_at, signing, state
from services.identity.login.tokens import TOKEN_LASTS
from services.identity.signing.keys import REREAD

START = datetime(2026, 11, 22, tzinfo=UTC)


def test_times_cover_what_services_remember() -> None:
    assert timedelta(minutes=15) <= LEAD
    assert LEAD > FRESH + REREAD
    assert TOKEN_LASTS + timedelta(seconds=LEEWAY_SECONDS) + REREAD < KEPT


@st.composite
def chains(draw: st.DrawFn) -> list[KeyTimes]:
    """Keys as rotations make them: each published once the one before signs."""
    published, keys = START, [KeyTimes("k0", START, START)]
    for number in range(1, draw(st.integers(1, 5))):
        wait = draw(st.integers(0, 3600))
        published = max(published, keys[-1].signs_from) + timedelta(seconds=wait)
        keys.append(KeyTimes(f"k{number}", published, published + LEAD))
    return keys


@given(chains(), st.integers(0, 30_000))
def test_the_signing_key_was_published_long_before_and_stays_until_its_tokens_end(
    keys: list[KeyTimes], seconds: int
) -> None:
    now = START + timedelta(seconds=seconds)
    known = [key for key in keys if key.published_at <= now]
    current = signing(known, now)
    assert current is not None
    assert current.kid == "k0" or now - current.published_at >= LEAD
    for later in (now, now + TOKEN_LASTS, now + TOKEN_LASTS + timedelta(seconds=LEEWAY_SECONDS)):
        known_then = [key for key in keys if key.published_at <= later]
        assert is_published(current, known_then, later)
    assert [key for key in known if state(key, known, now) == "current"] == [current]


@given(chains())
def test_every_key_but_the_last_ends(keys: list[KeyTimes]) -> None:
    *followed, last = keys
    assert retires_at(last, keys) is None
    for key, successor in zip(followed, keys[1:], strict=True):
        end = retires_at(key, keys)
        assert end == successor.signs_from + KEPT
        assert not is_published(key, keys, end)
