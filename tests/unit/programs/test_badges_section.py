"""The section that has badges kept by a provider."""

from datetime import timedelta
from pathlib import Path

import pytest

from libs.common.programs import ProgramErrors, load_definition
from libs.common.programs.badges import BadgeProvider

CISCO = (Path(__file__).parents[3] / "deploy" / "programs" / "cisco.yaml").read_text(encoding="utf-8")
PROVIDER = {
    "kind": "credly",
    "url": "https://api.credly.example/v1/",
    "organization": "org-1",
    "secret": "credly-token",
    "templates": "{CCNA: template-1, CCNP-Enterprise: template-2}",
}


def load(**changes: str | None):
    written = {name: value for name, value in (PROVIDER | changes).items() if value is not None}
    inner = ", ".join(f"{name}: {value}" for name, value in written.items())
    return load_definition(f"{CISCO}\nbadges: {{provider: {{{inner}}}}}\n", name="cisco.yaml")


def test_without_the_section_badges_are_ours_alone() -> None:
    assert load_definition(CISCO, name="cisco.yaml").badge_provider is None
    assert load_definition(f"{CISCO}\nbadges: {{}}\n", name="cisco.yaml").badge_provider is None


def test_a_provider_is_read_with_its_defaults() -> None:
    found = load().badge_provider
    assert found == BadgeProvider(
        url="https://api.credly.example/v1",
        organization="org-1",
        secret="credly-token",
        webhook_secret=None,
        vendor="credly",
        templates=found.templates,
        rate=60,
        poll=timedelta(hours=1),
        notify=True,
    )
    assert dict(found.templates) == {"CCNA": "template-1", "CCNP-Enterprise": "template-2"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kind": "acclaim"}, "kind"),
        ({"url": "http://api.credly.example/v1"}, "https"),
        ({"url": "https://user:secret@api.credly.example"}, "no user"),
        ({"url": '"https://api.credly.example/v1?a=b"'}, "no query"),
        ({"organization": "../other"}, "organization"),
        ({"secret": "../other"}, "secret"),
        ({"secret": None}, "secret"),
        ({"templates": "{}"}, "templates"),
        ({"templates": "{CCXX: template-1}"}, "there is no certification 'CCXX'"),
        ({"templates": "{CCNA: one, CCNP-Enterprise: one}"}, "'CCNA' has the same template"),
        ({"templates": '{CCNA: "a/b"}'}, "templates"),
        ({"rate": "0"}, "rate"),
        ({"poll_minutes": "0"}, "poll_minutes"),
        ({"token": "abc"}, "token"),
    ],
)
def test_what_could_not_work_is_refused(changes: dict[str, str | None], told: str) -> None:
    with pytest.raises(ProgramErrors) as refused:
        load(**changes)
    assert told in str(refused.value)
