"""Every mail says what it said, word by word, in every language and form."""

from tests.unit.notify.snapshots import FOLDER, snapshots


def test_mails_say_what_they_said() -> None:
    now = dict(snapshots())
    kept = {str(file.relative_to(FOLDER)): file.read_text() for file in FOLDER.rglob("*.*")}
    changed = sorted(name for name in now.keys() | kept.keys() if now.get(name) != kept.get(name))
    assert not changed, "look at what changed; `make snapshots` writes it down"
