"""The HTTP API of what pages load."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import StringConstraints

from libs.common.http.documents import PRIVATE, Document
from libs.common.http.models import Parameters
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import PUBLIC, Call, Route
from libs.common.pages.assets import CSS, FOREVER, WOFF2
from libs.common.programs import Program
from services.certs.pages.assets import SHELF


class AssetPath(Parameters):
    name: Annotated[str, StringConstraints(max_length=100, pattern=r"^[a-z0-9-]+\.[a-z0-9]+$")]


class AssetFile(Document):
    media_types: ClassVar = (CSS, WOFF2)


class AssetsApi:
    """The handler of the route below."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self._programs = programs

    def routes(self) -> tuple[Route[Any, Any, Any, Any], ...]:
        return (
            Route(
                method="GET",
                path="/public/assets/{name}",
                handler=self.show_asset,
                summary="A style sheet or a font of the public pages",
                parameters=AssetPath,
                response=AssetFile,
                scopes=PUBLIC,
                errors=(NOT_FOUND,),
            ),
        )

    async def show_asset(self, call: Call[AssetPath]) -> AssetFile:
        found = SHELF.find(call.path.name, self._programs.values())
        if found is None:
            raise Problem(NOT_FOUND)
        asset, exact = found
        return AssetFile(
            media_type=asset.media_type, content=asset.content, cache_control=FOREVER if exact else PRIVATE
        )
