"""What a vendor's definition may say of its files: checked at the start, with the line of each fault."""

import asyncssh
import pytest

from libs.common.programs.errors import ProgramErrors
from services.exams.vendors.definition import load_vendor

HOST_KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
HEAD = "id: vue\nname: Vue\nprograms: [cisco, juniper]\n"
SFTP = f'sftp: {{host: sftp.example, username: certrail, host_keys: ["{HOST_KEY}"], password: vue-sftp}}\n'
FEEDS = "feeds:\n  exams: {200-301: cisco}\n  sftp: {folder: /out, after: keep}\n"


def test_definition_says_where_files_lie_and_whose_exams_are() -> None:
    vendor = load_vendor(HEAD + SFTP + FEEDS, name="vue.yaml")
    assert vendor.feeds is not None
    assert vendor.feeds.exams == {"200-301": "cisco"}
    assert vendor.feeds.sftp is not None
    assert (vendor.feeds.sftp.folder, vendor.feeds.sftp.after, vendor.feeds.sftp.every_seconds) == ("/out", "keep", 300)
    assert vendor.sftp is not None
    assert (vendor.sftp.port, vendor.sftp.password) == (22, "vue-sftp")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEAD + FEEDS, "needs a section `sftp`"),
        (HEAD + "feeds: {exams: {200-301: other}}\n", "none of the vendor's programs"),
        (HEAD + "feeds: {sftp: {folder: out}}\n", "vue.yaml:4"),
        (HEAD + "feeds: {sftp: {folder: /out, every_seconds: 1}}\n", "feeds.sftp.every_seconds"),
        (HEAD + SFTP.replace("ssh-ed25519", "ssh-rsa"), "sftp.host_keys"),
        (HEAD + SFTP.replace("password: vue-sftp", "port: 22"), "name of a secret"),
    ],
)
def test_faults_are_told_where_they_stand(text: str, said: str) -> None:
    with pytest.raises(ProgramErrors) as errors:
        load_vendor(text, name="vue.yaml")
    assert said in str(errors.value)
