"""The mail catcher as its own process: mail in by SMTP, inbox and figures out by HTTP."""

import asyncio
import smtplib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio

from deploy.local.ports import free_ports, is_listening
from deploy.local.processes import ServerProcess, spawn, until
from deploy.local.settings import LOOPBACK, PROJECT


@dataclass
class Catcher:
    folder: Path
    smtp_port: int
    http_port: int
    process: ServerProcess

    @classmethod
    async def start(cls, folder: Path) -> "Catcher":
        smtp_port, http_port = free_ports(2)
        command = [sys.executable, "-m", "deploy.mailcatcher", "--data", str(folder / "mail.sqlite")]
        process = spawn(
            [*command, "--smtp-port", str(smtp_port), "--http-port", str(http_port)],
            log=folder / "catcher.log",
            environment={"PYTHONPATH": str(PROJECT)},
            folder=folder,
        )
        await until(lambda: is_listening(http_port), patience=20)
        return cls(folder, smtp_port, http_port, process)

    async def send(self, *mails: EmailMessage | bytes) -> None:
        def deliver() -> None:
            with smtplib.SMTP(LOOPBACK, self.smtp_port) as smtp:
                for mail in mails:
                    content = mail if isinstance(mail, bytes) else mail.as_bytes(policy=SMTP)
                    smtp.sendmail("from@certrail.example", ["to@candidate.example"], content)

        await asyncio.to_thread(deliver)

    async def json(self, path: str) -> Any:
        async with aiohttp.ClientSession() as session, session.get(self.url(path)) as response:
            response.raise_for_status()
            return await response.json()

    async def page(self, path: str) -> tuple[int, str, str]:
        """Status, content security policy and text."""
        async with aiohttp.ClientSession() as session, session.get(self.url(path)) as response:
            return response.status, response.headers.get("Content-Security-Policy", ""), await response.text()

    def url(self, path: str) -> str:
        return f"http://{LOOPBACK}:{self.http_port}{path}"


@pytest_asyncio.fixture(loop_scope="session")
async def catcher(tmp_path: Path) -> AsyncIterator[Catcher]:
    running = await Catcher.start(tmp_path)
    yield running
    await running.process.terminate(patience=10)


def mail(message_id: str, subject: str = "Your result", text: str = "Hello") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@certrail.example", "to@candidate.example", subject
    message["Message-ID"] = message_id
    message.set_content(text)
    return message


async def test_second_delivery_of_a_message_id_is_counted_and_not_shown(catcher: Catcher) -> None:
    await catcher.send(mail("<1@x>"), mail("<2@x>"), mail("<1@x>"))
    assert await catcher.json("/api/stats") == {"deliveries": 3, "messages": 2, "repeated": 1}
    listed = (await catcher.json("/api/messages"))["messages"]
    assert [(entry["message_id"], entry["deliveries"]) for entry in listed] == [("<2@x>", 1), ("<1@x>", 2)]


async def test_mail_survives_a_kill_right_after_its_acceptance(catcher: Catcher) -> None:
    await catcher.send(*(mail(f"<{number}@x>") for number in range(20)))
    await catcher.process.kill()
    again = await Catcher.start(catcher.folder)
    try:
        assert (await again.json("/api/stats"))["messages"] == 20
    finally:
        await again.process.terminate(patience=10)


async def test_inbox_pages_and_searches_in_every_script(catcher: Catcher) -> None:
    await catcher.send(*(mail(f"<{number}@x>", f"Größe {number}") for number in range(5)), mail("<n@x>", "王芳"))
    first = await catcher.json("/api/messages?limit=4&q=GRÖSSE")
    rest = await catcher.json(f"/api/messages?limit=4&q=GRÖSSE&before={first['next_before']}")
    assert [entry["subject"] for entry in first["messages"]] == [f"Größe {number}" for number in (4, 3, 2, 1)]
    assert ([entry["subject"] for entry in rest["messages"]], rest["next_before"]) == (["Größe 0"], None)
    assert [entry["message_id"] for entry in (await catcher.json("/api/messages?q=王"))["messages"]] == ["<n@x>"]


async def test_page_escapes_a_mail_and_its_html_is_sandboxed(catcher: Catcher) -> None:
    hostile = mail("<1@x>", "<script>alert(1)</script>")
    hostile.add_alternative('<p><a href="https://certrail.example/a?b=1&amp;c=2">go</a></p>', subtype="html")
    await catcher.send(hostile)
    status, _, page = await catcher.page("/messages/1")
    assert status == 200
    assert "<script>" not in page
    assert 'href="https://certrail.example/a?b=1&amp;c=2"' in page
    status, policy, html = await catcher.page("/messages/1/html")
    assert (status, "sandbox" in policy, "default-src 'none'" in policy) == (200, True, True)
    assert html.startswith("<p>")


async def test_lines_that_begin_with_dots_arrive_as_written(catcher: Catcher) -> None:
    await catcher.send(mail("<1@x>", text=".one\n..two\n.\nend\n"))
    assert (await catcher.json("/api/messages/1"))["text"].split("\r\n") == [".one", "..two", ".", "end", ""]


async def test_broken_mail_is_kept_and_harms_no_other(catcher: Catcher) -> None:
    await catcher.send(b"", b"no headers", b"Subject: =?nope?q?x?=\r\n\r\n\xff\xfe", mail("<good@x>"))
    assert (await catcher.json("/api/stats"))["messages"] == 4
    for number in range(1, 5):
        status, _, _ = await catcher.page(f"/messages/{number}")
        assert status == 200


async def test_unknown_message_and_malformed_query_are_refused_by_name(catcher: Catcher) -> None:
    assert (await catcher.page("/messages/99"))[0] == 404
    status, _, text = await catcher.page("/api/messages?limit=0")
    assert status == 400
    assert "limit" in text
