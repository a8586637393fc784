"""The HTTP API of what pages load."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import StringConstraints

from libs.common.http.documents import PRIVATE, Document
from libs.common.http.models import Parameters
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.http.routes import PUBLIC, Call, Route
from libs.common.programs import Program
from services.certs.pages.assets import CSS, FONT, FOREVER, STYLE, WOFF2, Asset, brand_asset


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
        stem, _, suffix = call.path.name.rpartition(".")
        name = f"{stem.rpartition('-')[0]}.{suffix}"
        asset = next((one for one in self._assets() if one.name == name), None)
        if asset is None:
            raise Problem(NOT_FOUND)
        # While two versions of us run side by side, a page of one may ask the other for its files. What that one has is
        # better than nothing, and nobody may keep it under this address.
        kept = FOREVER if asset.hashed == call.path.name else PRIVATE
        return AssetFile(media_type=asset.media_type, content=asset.content, cache_control=kept)

    def _assets(self) -> list[Asset]:
        return [STYLE, FONT, *(brand_asset(program) for program in self._programs.values())]
