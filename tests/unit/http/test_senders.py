"""Who a request comes from, and whose word for it counts."""

import pytest

from libs.common.http.senders import read_networks, sender

PROXIES = read_networks("127.0.0.0/8, 10.0.0.0/8 ::1/128")


@pytest.mark.parametrize(
    ("remote", "forwarded", "expected"),
    [
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.1.2.3", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("198.51.100.9", "203.0.113.7", "198.51.100.9"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "<script>", "unknown"),
        ("::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (None, "203.0.113.7", "unknown"),
    ],
)
def test_sender(remote: str | None, forwarded: str, expected: str) -> None:
    assert sender(remote, {"X-Forwarded-For": forwarded}, PROXIES) == expected


def test_networks_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError):
        read_networks("127.0.0.1/99")
