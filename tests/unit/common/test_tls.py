"""Addresses of database and broker with what TLS takes."""

from pathlib import Path

import pytest
from aiormq import Connection
from pydantic import BaseModel, ValidationError
from pymongo.uri_parser import parse_uri

from libs.common.tls import ServerAddress, broker_address, database_address

CA, CLIENT = Path("/run/tls/ca's & more.pem"), Path("/run/tls/client.pem")
PLAIN_BROKER = "amqp://certs:p%40ss@broker:5672/"
PLAIN_DATABASE = "mongodb://certs:p%40ss@a:1,b:2/certrail_certs?replicaSet=rs0&authSource=certrail_certs"


async def test_the_driver_of_the_broker_finds_the_files_and_checks() -> None:
    url = broker_address("amqps://certs:p%40ss@broker:5671/", CA, CLIENT)
    connection = Connection(url)
    certs = connection.ssl_certs
    assert (certs.cafile, certs.cert, certs.key, certs.verify) == (str(CA), str(CLIENT), str(CLIENT), True)
    assert connection.url.password == "p@ss"


def test_the_driver_of_the_database_finds_the_files_and_checks() -> None:
    for said in ("tls=true", "ssl=true", "TLS=True"):
        url = database_address(f"{PLAIN_DATABASE}&{said}", CA, CLIENT)
        found = parse_uri(url, validate=False)
        options = {name.lower(): value for name, value in found["options"].items()}
        assert (options["tlscafile"], options["tlscertificatekeyfile"]) == (str(CA), str(CLIENT))
        assert (found["password"], found["database"], options["replicaset"]) == ("p@ss", "certrail_certs", "rs0")


@pytest.mark.parametrize("address", [PLAIN_BROKER, "amqp://a:b@c/?cafile=/x"])
def test_a_broker_without_tls_keeps_its_address(address: str) -> None:
    assert broker_address(address, CA, CLIENT) == address


@pytest.mark.parametrize("address", [PLAIN_DATABASE, f"{PLAIN_DATABASE}&tls=false"])
def test_a_database_without_tls_keeps_its_address(address: str) -> None:
    assert database_address(address, CA, CLIENT) == address


def test_files_that_an_address_names_itself_stand() -> None:
    assert "%2Fother.pem" in broker_address("amqps://a:b@c/?cafile=/other.pem", CA, None)
    assert str(CA) not in broker_address("amqps://a:b@c/?cafile=/other.pem", CA, None)
    assert "tlsCAFile=%2Fother.pem" in database_address("mongodb://a:b@c/d?tls=true&tlsCAFile=/other.pem", CA, None)


def test_without_files_the_systems_authorities_count() -> None:
    assert broker_address("amqps://a:b@c/", None, None) == "amqps://a:b@c/"
    assert database_address("mongodb+srv://a:b@c/d", None, None) == "mongodb+srv://a:b@c/d"


class Settings(BaseModel):
    url: ServerAddress


@pytest.mark.parametrize(
    "option",
    [
        "no_verify_ssl=1",
        "no_verify_ssl=false",
        "tlsInsecure=true",
        "tlsAllowInvalidCertificates=true",
        "tlsallowinvalidhostnames=true",
    ],
)
def test_an_address_that_would_take_anybody_for_the_server_is_refused_by_name(option: str) -> None:
    with pytest.raises(ValidationError, match=option.split("=", maxsplit=1)[0]) as refused:
        Settings.model_validate({"url": f"amqps://certs:hidden-word@broker/?{option}"})
    assert "hidden-word" not in str(refused.value.errors(include_input=False, include_url=False))
