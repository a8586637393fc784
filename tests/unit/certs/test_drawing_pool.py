"""Processes that draw start before somebody waits for them, and do not outlive the service, however it ends."""

import subprocess
import sys

import psutil

from services.certs.certificates.pool import DrawingPool

SERVICE = """
import asyncio, os, time
from services.certs.certificates.pool import DrawingPool

if __name__ == "__main__":
    print(asyncio.run(DrawingPool(1).run(os.getpid)), flush=True)
    time.sleep(600)
"""


def test_they_end_when_the_service_is_killed(tmp_path) -> None:
    script = tmp_path / "service.py"
    script.write_text(SERVICE)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        drawing = psutil.Process(int(service.stdout.readline()))
        service.kill()
    drawing.wait(timeout=60)
    assert not drawing.is_running()


def test_a_process_that_is_asked_for_beforehand_starts_once() -> None:
    pool, before = DrawingPool(1), _children()
    try:
        pool.warm()
        started = _children() - before
        assert started
        pool.warm()
        assert _children() - before == started
    finally:
        pool.close()


def _children() -> set[int]:
    return {each.pid for each in psutil.Process().children()}
