"""Spanish."""

from libs.common import languages
from services.notify.languages.language import Language, Plural

_MILLION = 1_000_000


def _plural(count: int) -> Plural:
    if count == 1:
        return "one"
    return "many" if count and count % _MILLION == 0 else "other"


SPANISH = Language(
    written=languages.SPANISH,
    grades={"pass": "aprobado", "fail": "no aprobado", "pending": "en revisión", "invalidated": "anulado"},
    cases={
        "name": "un cambio de tu nombre",
        "mapping": "un identificador de una empresa asociada",
        "duplicate": "una segunda cuenta tuya",
        "missing_result": "un resultado que falta",
        "kit": "un kit o un envío",
    },
    other_case="una consulta tuya",
    link_withheld="(el enlace está solo en el correo)",
    plural=_plural,
)
