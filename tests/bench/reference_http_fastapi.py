"""HTTP reference (e): the same on FastAPI and uvicorn (uvloop, httptools), the token check as a dependency."""

from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException

from tests.bench.http_case import (
    Holdings,
    HttpReference,
    HttpReferenceSettings,
    RefusedError,
    TokenCheck,
    open_database,
)


class OnFastApi(HttpReference):
    name = "fastapi"
    module = "tests.bench.reference_http_fastapi"


def build_app(settings: HttpReferenceSettings) -> FastAPI:
    check = TokenCheck(settings.jwk)
    database = open_database(settings)
    app = FastAPI()

    async def candidate(authorization: Annotated[str | None, Header()] = None) -> str:
        try:
            return check.subject(authorization)
        except RefusedError:
            raise HTTPException(401) from None

    @app.get("/certifications")
    async def certifications(candidate_id: Annotated[str, Depends(candidate)]) -> Holdings:
        document = await database["holdings"].find_one({"_id": candidate_id})
        if document is None:
            raise HTTPException(404)
        return Holdings.model_validate(document)

    return app


def main() -> None:
    settings = HttpReferenceSettings()
    uvicorn.run(
        build_app(settings),
        host="127.0.0.1",
        port=settings.api_port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
