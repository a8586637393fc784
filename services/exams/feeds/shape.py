"""The section `feeds` of a vendor's definition: how its result files reach us, beside the watched folder and the API.

```yaml
feeds:
  exams: {200-301: cisco}        # whose a code is that several of the vendor's programs have
  sftp:                          # on the server of the section `sftp`
    folder: /outgoing/results
    every_seconds: 300
    after: remove                # or keep, where we may not delete
```
"""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from libs.common.events.types import Code, ProgramId
from libs.common.programs.written import Shape


class SftpFeedShape(Shape):
    """A folder on the vendor's SFTP server that result files lie in."""

    folder: Annotated[str, StringConstraints(pattern=r"^/[^\x00-\x1f\x7f]{0,400}$")]
    every_seconds: Annotated[int, Field(ge=10, le=86_400)] = 300
    after: Literal["remove", "keep"] = "remove"


class FeedsShape(Shape):
    """How a vendor's result files are read and fetched."""

    exams: dict[Code, ProgramId] = Field(default={}, max_length=10_000)
    sftp: SftpFeedShape | None = None
