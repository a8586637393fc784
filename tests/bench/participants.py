"""Who takes part, and which figures are set against which."""

from importlib import import_module
from importlib.util import find_spec

from tests.bench.pipeline import HttpTarget, Pipeline
from tests.bench.reference_batched import Batched, BatchedAiosmtplib
from tests.bench.reference_faststream import OnFastStream
from tests.bench.reference_http_aiohttp import BareAiohttp
from tests.bench.reference_http_fastapi import OnFastApi
from tests.bench.reference_naive import Naive

PRODUCT_MODULE = "tests.bench.product"
"""Holds `PIPELINES` and `HTTP_TARGETS`, sequences of the product's own participants."""


def pipelines() -> list[Pipeline]:
    """The product first, then the references."""
    return [*_product("PIPELINES"), Naive(), OnFastStream(), BatchedAiosmtplib(), Batched()]


def http_targets() -> list[HttpTarget]:
    return [*_product("HTTP_TARGETS"), BareAiohttp(), OnFastApi()]


def _product(attribute: str) -> list[Pipeline] | list[HttpTarget]:
    if find_spec(PRODUCT_MODULE) is None:
        return []
    return list(getattr(import_module(PRODUCT_MODULE), attribute))
