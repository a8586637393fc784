"""One certificate drawn in a warm process, as the service has it drawn: the way there and back is in the figure."""

import time
from dataclasses import replace
from datetime import date
from statistics import median

from deploy.local.platform import PROGRAMS
from libs.common.programs import load_program
from services.certs.certificates.content import Content
from services.certs.certificates.pool import DrawingPool
from services.certs.certificates.rendering import render
from services.certs.drawing import artwork
from tests.bench.report import table

WARM_UP = 5

NAMES = {"Latin": None, "and Han": "田中 さくら", "and Arabic": "محمد علي", "and Devanagari": "श्रीनिवास कृष्णमूर्ति"}


async def certificate_table(count: int) -> str:
    """Milliseconds a certificate, every one with another name, by the script that stands beside Latin letters."""
    pool = DrawingPool(1)
    rows = []
    try:
        for script, native in NAMES.items():
            content = replace(_content(), native_name=native)
            times: list[float] = []
            size = 0
            for number in range(WARM_UP + count):
                began = time.perf_counter()
                size = len(await pool.run(render, replace(content, name=f"Ada Lovelace {number}")))
                times.append((time.perf_counter() - began) * 1000)
            times = sorted(times[WARM_UP:])
            rows.append(
                [script, f"{median(times):,.0f}", f"{times[int(len(times) * 0.95)]:,.0f}", f"{size / 1000:,.0f}"]
            )
    finally:
        pool.close()
    return table("One certificate (PDF/A-3a, one warm process)", ("name", "median ms", "p95 ms", "KB"), rows)


def _content() -> Content:
    program = load_program(PROGRAMS / "cisco.yaml")
    return Content(
        program=program.name,
        colour=program.branding.colour,
        artwork=artwork(program),
        name="",
        native_name=None,
        country="GB",
        statement=program.certificate.statement,
        title="Cisco Certified Network Professional Enterprise",
        earned_on=date(2024, 3, 14),
        expires_on=date(2027, 3, 14),
        issued_on=date(2026, 11, 22),
        signatory="Rosa Feld",
        signatory_title="Head of Certification",
        code="7K2M-9QXT-4HPW",
        address="https://certrail.example/check/7K2M9QXT4HPW",
        credential=b"{}" * 1_600,
    )
