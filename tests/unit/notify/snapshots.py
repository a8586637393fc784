"""What every mail says, kept beside the tests so that a change of words or of layout is seen as what it is.

`make snapshots` writes them anew; look at the difference before you commit it.
"""

from collections.abc import Iterator
from pathlib import Path

from libs.common.programs import load_programs
from services.notify.domain.mails import Template
from services.notify.editions.checking import Checker
from services.notify.forms import builtin, builtin_forms
from services.notify.languages import LANGUAGES
from services.notify.rendering import Renderer, Written
from services.notify.samples import SAMPLES

FOLDER = Path(__file__).parent / "snapshots"
_PROGRAMS = Path(__file__).resolve().parents[3] / "deploy" / "programs"
_WHOLE = Template.EXAM_PASSED


def snapshots() -> Iterator[tuple[str, str]]:
    """Every mail in every language that it is written in: the name of its file, and what it says."""
    checker = Checker(Renderer(load_programs(_PROGRAMS), "https://certs.example"))
    for language in LANGUAGES.values():
        for template in (one for one in Template if builtin(language, one) is not None):
            forms = builtin_forms(language.code, template)
            assert forms is not None
            mails = [checker.sample(forms, "cisco", template, facts) for facts in SAMPLES[template]]
            yield f"{language.code}/{template}.txt", "\n".join(map(_said, range(len(mails)), mails))
            if template is _WHOLE:
                yield f"{language.code}/layout.txt", mails[0].text
                yield f"{language.code}/layout.html", mails[0].html + "\n"


def _said(number: int, mail: Written) -> str:
    """A mail without what all mails have: their frame and their foot."""
    preview = mail.html.partition('style="display:none">')[2].partition("</div>")[0]
    text = mail.text.partition("\n--\n")[0].strip("\n")
    html = mail.html.partition("</h1>\n")[2].partition("</main>")[0]
    return f"===== sample {number}\nSubject: {mail.subject}\nPreview: {preview}\n\n{text}\n\n----- as HTML\n{html}"


def renew() -> None:
    for old in FOLDER.rglob("*.*"):
        old.unlink()
    for name, said in snapshots():
        file = FOLDER / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(said)


if __name__ == "__main__":
    renew()
