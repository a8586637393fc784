"""A mail catcher for development: takes every mail by SMTP, shows it in an inbox, sends nothing on.

python -m deploy.mailcatcher --smtp-port 2525 --http-port 8025 --data mail.sqlite
"""

import argparse
import asyncio
import signal
from contextlib import suppress
from pathlib import Path

import uvloop
from aiohttp import web

from deploy.mailcatcher.smtp import serve_smtp
from deploy.mailcatcher.storage import MailStore
from deploy.mailcatcher.web import build_web
from deploy.mailcatcher.writer import MailWriter
from libs.common.clock import SystemClock


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.mailcatcher", description="Catch mail, show it.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--smtp-port", type=int, required=True, help="port that takes mail")
    parser.add_argument("--http-port", type=int, required=True, help="port of the inbox")
    parser.add_argument("--data", type=Path, required=True, help="SQLite file that keeps the mail")
    arguments = parser.parse_args()
    uvloop.run(_serve(arguments.host, arguments.smtp_port, arguments.http_port, arguments.data))


async def _serve(host: str, smtp_port: int, http_port: int, data: Path) -> None:
    writer, store = MailWriter(data), MailStore(data)
    runner = web.AppRunner(build_web(store, writer), access_log=None)
    committing = asyncio.create_task(writer.run())
    try:
        smtp = await serve_smtp(host, smtp_port, writer, SystemClock())
        await runner.setup()
        await web.TCPSite(runner, host, http_port).start()
        print(f"mail to {host}:{smtp_port}, inbox on http://{host}:{http_port}/", flush=True)
        await _until_told_or_failed(committing)
        smtp.close()
    finally:
        await runner.cleanup()
        committing.cancel()
        with suppress(asyncio.CancelledError):
            await committing
        store.close()
        writer.close()


async def _until_told_or_failed(committing: "asyncio.Task[None]") -> None:
    """Wait for SIGTERM or SIGINT; raises what ended the committing task, should it end."""
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    waiting = asyncio.create_task(told.wait())
    done, _ = await asyncio.wait([waiting, committing], return_when=asyncio.FIRST_COMPLETED)
    if committing in done:
        committing.result()


if __name__ == "__main__":
    main()
