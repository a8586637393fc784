"""The section `registrations` of a vendor's definition: where the vendor puts its lists of registrations.

```yaml
registrations:
  folder: /out
  file: registrations-{program}-{from}-{to}.txt     # the period, first and last day
```
"""

from pydantic import model_validator

from libs.common.programs.written import Shape
from libs.common.vendor_files.definition import Folder, Pattern
from libs.common.vendor_files.names import NamePattern


class RegistrationsShape(Shape):
    """The section `registrations`."""

    folder: Folder
    file: Pattern

    @model_validator(mode="after")
    def _names_the_period(self) -> "RegistrationsShape":
        if not {"program", "from", "to"} <= NamePattern(self.file).places:
            raise ValueError("`file` needs the places {program}, {from} and {to}")
        return self
