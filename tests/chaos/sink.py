"""Asks the mail sink what it has accepted."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

from deploy.local.settings import LOOPBACK
from tests.e2e.stage import Stage


@dataclass(frozen=True)
class Accepted:
    """One mail that the sink has accepted, each time it did."""

    message_id: str
    recipient: str

    @property
    def letter(self) -> str:
        """What stands before the domain of the Message-ID: the mail's own id."""
        return self.message_id.strip("<>").partition("@")[0]


async def accepted(stage: Stage, prefix: str) -> list[Accepted]:
    """The mails to addresses that begin with `prefix`, in order, repetitions included."""
    path = stage.folder / "mails.json"
    reader, writer = await asyncio.open_connection(LOOPBACK, stage.mail_port)
    writer.write(f"dump {path}\n".encode())
    await reader.readline()
    writer.close()
    await writer.wait_closed()
    return await asyncio.to_thread(_read, path, prefix.lower())


async def counted(stage: Stage) -> int:
    """How many mails the sink has accepted."""
    reader, writer = await asyncio.open_connection(LOOPBACK, stage.mail_port)
    writer.write(b"count\n")
    answer = json.loads(await reader.readline())
    writer.close()
    await writer.wait_closed()
    total: int = answer["total"]
    return total


def _read(path: Path, prefix: str) -> list[Accepted]:
    mails = (Accepted(message_id, recipient) for message_id, recipient, _ in json.loads(path.read_text()))
    return [mail for mail in mails if mail.recipient.startswith(prefix)]
