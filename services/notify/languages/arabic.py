"""Arabic, in the form that is read everywhere, with Latin digits."""

from libs.common import languages
from services.notify.languages.language import Language, Plural

_SMALL: dict[int, Plural] = {0: "zero", 1: "one", 2: "two"}
_FEW = range(3, 11)
_MANY = range(11, 100)


def _plural(count: int) -> Plural:
    if count in _SMALL:
        return _SMALL[count]
    rest = count % 100
    if rest in _FEW:
        return "few"
    return "many" if rest in _MANY else "other"


ARABIC = Language(
    written=languages.ARABIC,
    grades={"pass": "نجاح", "fail": "عدم النجاح", "pending": "قيد المراجعة", "invalidated": "ملغاة"},
    cases={
        "name": "تغيير اسمك",
        "mapping": "معرّف لك لدى جهة شريكة",
        "duplicate": "حساب ثانٍ لك",
        "missing_result": "نتيجة لم تصل",
        "kit": "حزمة أو شحنة",
    },
    other_case="سؤال منك",
    link_withheld="(الرابط موجود في الرسالة نفسها فقط)",
    plural=_plural,
)
