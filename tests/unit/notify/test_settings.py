"""How notify reaches its mail server."""

from typing import Any

import pytest
from pydantic import ValidationError

from services.notify.settings import NotifySettings, SmtpTls


def settings(**fields: Any) -> NotifySettings:
    return NotifySettings(
        mongo_url="mongodb://x", amqp_url="amqp://x", programs_dir=".", erasure_key="e" * 32, **fields
    )


@pytest.mark.parametrize(
    ("host", "protection"),
    [
        ("127.0.0.1", SmtpTls.NONE),
        ("::1", SmtpTls.NONE),
        ("localhost", SmtpTls.NONE),
        ("mail.example", SmtpTls.STARTTLS),
        ("10.0.0.5", SmtpTls.STARTTLS),
    ],
)
def test_connection_is_protected_unless_it_stays_on_the_machine(host: str, protection: SmtpTls) -> None:
    assert settings(smtp_host=host).smtp_protection is protection
    assert settings(smtp_host=host, smtp_tls="tls").smtp_protection is SmtpTls.TLS


def test_password_does_not_cross_the_network_in_the_clear() -> None:
    account = {"smtp_user": "u", "smtp_password": "p", "smtp_tls": "none"}
    with pytest.raises(ValidationError, match="smtp_password"):
        settings(smtp_host="mail.example", **account)
    assert settings(smtp_host="localhost", **account).smtp_user == "u"


def test_account_without_a_password_is_refused() -> None:
    with pytest.raises(ValidationError, match="smtp_password"):
        settings(smtp_user="u")
