"""What the pages load."""

from collections.abc import Mapping

from aiohttp import web

from libs.common.http.documents import PRIVATE
from libs.common.pages.assets import FOREVER
from libs.common.programs import Program
from services.portal.web.look import SHELF


class AssetFiles:
    """The handler of `/assets/`."""

    def __init__(self, programs: Mapping[str, Program]) -> None:
        self._programs = programs

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/assets/{name}", self.show)]

    async def show(self, request: web.Request) -> web.Response:
        found = SHELF.find(request.match_info["name"], self._programs.values())
        if found is None:
            raise web.HTTPNotFound
        asset, exact = found
        kept = FOREVER if exact else PRIVATE
        return web.Response(body=asset.content, headers={"Content-Type": asset.media_type, "Cache-Control": kept})
