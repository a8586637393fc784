"""How a program's candidates sign in: what may be written, and what is refused with its place."""

import pytest

from libs.common.programs import OpenIdProvider, ProgramErrors, SignIn, load_definition
from libs.common.programs.sign_in_shape import is_safe_url
from tests.unit.programs.test_loader import BODY, FIRST_LINE, HEAD

PROVIDER = "name: Acme ID, issuer: 'https://id.acme.example/', client_id: certrail, system: acmeid"


def sign_in(section: str) -> SignIn:
    return load_definition(f"{HEAD}{section}\n{BODY}", name="acme.yaml").sign_in


def test_program_without_the_section_takes_passwords_and_nothing_else() -> None:
    assert sign_in("") == SignIn(local_passwords=True, openid=None)


def test_provider_is_read_with_its_defaults() -> None:
    assert sign_in(f"sign_in: {{local_passwords: false, openid: {{{PROVIDER}}}}}") == SignIn(
        local_passwords=False,
        openid=OpenIdProvider(
            "Acme ID", "https://id.acme.example/", "certrail", "acmeid", ("openid", "email"), frozenset()
        ),
    )


def test_second_factor_and_scopes_are_the_programs_to_name() -> None:
    provider = sign_in(f"sign_in: {{openid: {{{PROVIDER}, scopes: [openid, openid], second_factor: [mfa]}}}}").openid
    assert provider is not None
    assert (provider.scopes, provider.second_factor) == (("openid",), frozenset({"mfa"}))


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ("{local_passwords: false}", "sign_in: without local passwords there must be 'openid'"),
        (f"{{openid: {{{PROVIDER}, scopes: [email]}}}}", "sign_in.openid: scopes must contain 'openid'"),
        (f"{{openid: {{{PROVIDER}, secret: x}}}}", "sign_in.openid.secret: unknown key"),
        (
            "{openid: {name: A, issuer: 'http://id.acme.example', client_id: c, system: acmeid}}",
            "sign_in.openid.issuer: must be an https URL (http only for an address of this machine)",
        ),
        (
            "{openid: {name: A, issuer: 'https://id.acme.example/?a', client_id: c, system: acmeid}}",
            "sign_in.openid.issuer: must have no query and no fragment",
        ),
        ("{openid: {name: A, issuer: 'https://a.example', client_id: c}}", "sign_in.openid.system: is missing"),
    ],
)
def test_fault_is_told_with_its_place(section: str, told: str) -> None:
    with pytest.raises(ProgramErrors) as caught:
        sign_in(f"sign_in: {section}")
    assert str(caught.value) == f"acme.yaml:{FIRST_LINE}: {told}"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://id.example", True),
        ("http://127.0.0.1:8080/realm", True),
        ("http://[::1]:8080", True),
        ("http://localhost:8080", True),
        ("http://id.example", False),
        ("http://127.0.0.1.example", False),
        ("http://127.0.0.1@id.example", False),
        ("https://", False),
        ("https://[", False),
        ("ftp://127.0.0.1", False),
        ("", False),
    ],
)
def test_url_is_safe_by_https_or_on_this_machine(url: str, safe: bool) -> None:
    assert is_safe_url(url) is safe
