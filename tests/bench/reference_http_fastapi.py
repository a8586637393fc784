"""HTTP reference (e): the same on FastAPI and uvicorn (uvloop, httptools), the token check as a dependency."""

from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException

from tests.bench.http_case import (
    Certifications,
    HttpReference,
    HttpReferenceSettings,
    RefusedError,
    TokenCheck,
    open_database,
    read_certifications,
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
    async def certifications(candidate_id: Annotated[str, Depends(candidate)]) -> Certifications:
        found = await read_certifications(database, candidate_id)
        if found is None:
            raise HTTPException(404)
        return found

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
