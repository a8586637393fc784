"""Caught mail in one SQLite file, keyed by Message-ID: a mail that comes again is counted, not kept twice."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.mailcatcher.headers import Headers

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE,
    received_at TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL,
    subject TEXT NOT NULL,
    size INTEGER NOT NULL,
    deliveries INTEGER NOT NULL,
    search TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS repeated ON messages (id) WHERE deliveries > 1;
CREATE TABLE IF NOT EXISTS bodies (id INTEGER PRIMARY KEY REFERENCES messages, raw BLOB NOT NULL);
"""
_INSERT = """
INSERT INTO messages (message_id, received_at, sender, recipients, subject, size, deliveries, search)
VALUES (:message_id, :received_at, :sender, :recipients, :subject, :size, 1, :search)
ON CONFLICT (message_id) DO UPDATE SET deliveries = deliveries + 1
RETURNING id, deliveries
"""
_STATS = """
SELECT coalesce(sum(deliveries), 0), count(*), count(*) FILTER (WHERE deliveries > 1) FROM messages
"""
_COLUMNS = "id, message_id, received_at, sender, recipients, subject, size, deliveries"
_LIST = f"""
SELECT {_COLUMNS} FROM messages WHERE id < :before AND instr(search, :query) > 0 ORDER BY id DESC LIMIT :limit
"""  # noqa: S608 the columns are the constant above

NEWEST = 2**62
"""Above every id: where a list that starts with the newest begins."""


@dataclass(frozen=True)
class Delivery:
    """One mail as it came over SMTP."""

    received_at: str
    recipients: tuple[str, ...]
    raw: bytes
    headers: Headers


@dataclass(frozen=True)
class Summary:
    """One line of the inbox."""

    id: int
    message_id: str
    received_at: str
    sender: str
    recipients: str
    subject: str
    size: int
    deliveries: int


@dataclass(frozen=True)
class Stats:
    """How many mails were accepted, how many different ones, and how many of those more than once."""

    deliveries: int
    messages: int
    repeated: int


class MailStore:
    """The SQLite file. One object per thread; writers and readers do not block each other (WAL)."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(file, isolation_level=None, timeout=10)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def add(self, deliveries: Iterable[Delivery]) -> None:
        """Keep mails in one transaction."""
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            for delivery in deliveries:
                self._add(connection, delivery)

    def list(self, *, query: str = "", before: int = NEWEST, limit: int = 50) -> list[Summary]:
        """Newest first, older than the id `before`, with `query` in subject, an address or Message-ID."""
        found = {"query": query.casefold(), "before": before, "limit": limit}
        return [Summary(*row) for row in self._connection.execute(_LIST, found)]

    def get(self, mail: int) -> tuple[Summary, bytes] | None:
        """One mail with its raw content, or None."""
        row = self._connection.execute(
            f"SELECT {_COLUMNS}, raw FROM messages JOIN bodies USING (id) WHERE id = ?",  # noqa: S608 constant
            (mail,),
        ).fetchone()
        return (Summary(*row[:-1]), row[-1]) if row else None

    def stats(self) -> Stats:
        row = self._connection.execute(_STATS).fetchone()
        return Stats(*row)

    def clear(self) -> None:
        """Forget every mail."""
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("DELETE FROM bodies")
            connection.execute("DELETE FROM messages")

    @staticmethod
    def _add(connection: sqlite3.Connection, delivery: Delivery) -> None:
        headers, recipients = delivery.headers, ", ".join(delivery.recipients)
        searchable = f"{headers.subject}\n{headers.sender}\n{recipients}\n{headers.message_id}"
        row = {
            "message_id": headers.message_id,
            "received_at": delivery.received_at,
            "sender": headers.sender,
            "recipients": recipients,
            "subject": headers.subject,
            "size": len(delivery.raw),
            "search": searchable.casefold(),
        }
        ((mail, deliveries),) = connection.execute(_INSERT, row).fetchall()
        if deliveries == 1:
            connection.execute("INSERT INTO bodies (id, raw) VALUES (?, ?)", (mail, delivery.raw))
