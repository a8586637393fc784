"""Each alert fires when it must and keeps quiet when it may, by the word of Prometheus' own tool."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.monitoring import targets
from tests.contract.test_monitoring import RULES
from tests.promtool import needs_promtool, promtool

MINUTES, HOURS = 1, 60
DAY_SECONDS = 86_400
Series = dict[str, str]
"""Values of series, minute by minute, as promtool writes them: `0+10x5` is 0, 10, … 50."""


@dataclass(frozen=True)
class Case:
    """One alert, once with what must raise it and once with what must not.

    Attributes:
        at: when to look, in minutes from the first value; a second later the alert is firing or never will be.
        fires: how many of it fire at once.
    """

    alert: str
    at: int
    raising: Series
    quiet: Series
    fires: int = 1


def of(service: str, **labels: str) -> str:
    """Labels of a series of one of our processes."""
    every = {"service": service, "instance": f"{service}:9080", **labels}
    return "{" + ",".join(f'{name}="{value}"' for name, value in every.items()) + "}"


def steady(value: float) -> str:
    return f"{value:g}x400"


def ending_in(days: float, name: str) -> Series:
    """A moment so many days after the first value, which promtool has at 1970."""
    return {name: steady(days * DAY_SECONDS)}


def since(days: float, name: str) -> Series:
    return ending_in(-days, name)


EXAMS, CERTS, NOTIFY = of("exams"), of("certs"), of("notify")
VUE = of("exams", program="cisco", vendor="vue")
EVENTS = of("exams", queue="exams.events")
OK, FAULT = of("exams", status="200"), of("exams", status="503")
HTTP = "certrail_http_request_seconds_count"
REFUSED, ACCEPTED = of("notify", template="x", outcome="refused"), of("notify", template="x", outcome="accepted")
CISCO = of("certs", program="cisco")
COMPLAINED = of("notify", kind="complained")


def awaited(state: str) -> str:
    return of("exams", program="cisco", vendor="vue", state=state)


CASES = [
    Case("ProcessDown", 5, {f"up{EXAMS}": steady(0), f"up{CERTS}": steady(1)}, {f"up{EXAMS}": "1x2 0 1x20"}),
    Case(
        "SweepStandsStill",
        30,
        {f"certrail_job_runs_total{of('exams', task='unmatched')}": "9x60"},
        {
            f"certrail_job_runs_total{of('exams', task='unmatched')}": "9x60",
            f"certrail_job_runs_total{of('exams', task='results-watch')}": "0+1x60",
        },
    ),
    Case(
        "RequestsFail",
        15,
        {f"{HTTP}{OK}": "0+90x30", f"{HTTP}{FAULT}": "0+10x30"},
        {f"{HTTP}{OK}": "0+99x30", f"{HTTP}{FAULT}": "0+1x30"},
    ),
    Case(
        "DefinitionsDisagree",
        15,
        {
            f"certrail_program_version{CISCO}": steady(4),
            f"certrail_program_version{of('exams', program='cisco')}": "3x60",
        },
        {
            f"certrail_program_version{CISCO}": steady(4),
            f"certrail_program_version{of('exams', program='cisco')}": "3x8 4x60",
        },
    ),
    Case("CircuitOpen", 3, {f"certrail_circuit_open{EVENTS}": "1x20"}, {f"certrail_circuit_open{EVENTS}": "1 0x20"}),
    Case(
        "OutboxStuck",
        5,
        {f"certrail_outbox_oldest_seconds{EXAMS}": "0+60x9"},
        {f"certrail_outbox_oldest_seconds{EXAMS}": "59x9"},
    ),
    Case(
        "OutboxRowsParked",
        3,
        {f"certrail_outbox_parked_rows{EXAMS}": "1x9"},
        {f"certrail_outbox_parked_rows{EXAMS}": "0x9"},
    ),
    Case(
        "MessagesParked",
        3,
        {f"certrail_parked_messages{of('certs', queue='certs.parked')}": "2x9"},
        {f"certrail_parked_messages{of('certs', queue='certs.parked')}": "0x9"},
    ),
    Case(
        "QueueBehind",
        10,
        {f"certrail_queue_behind_seconds{EVENTS}": "0+60x20"},
        {f"certrail_queue_behind_seconds{EVENTS}": "300x20"},
    ),
    Case(
        "ResultsOverdue",
        45,
        {f"certrail_results_awaited{awaited('overdue')}": "1x90"},
        {
            f"certrail_results_awaited{awaited('late')}": "7x90",
            f"certrail_results_late_oldest_seconds{VUE}": "80000x90",
        },
    ),
    Case(
        "ResultsOverdue",
        45,
        {f"certrail_results_late_oldest_seconds{VUE}": "90000x90"},
        {f"certrail_results_awaited{awaited('expected')}": "7x90"},
    ),
    Case(
        "UnmatchedTooLong",
        90,
        {f"certrail_results_unmatched_oldest_seconds{VUE}": "260000x99"},
        {f"certrail_results_unmatched_oldest_seconds{VUE}": "259000x99"},
    ),
    Case(
        "FeedUnreadable",
        90,
        {f"certrail_feed_fault{of('exams', source='sftp:vue')}": "1x99"},
        {f"certrail_feed_fault{of('exams', source='sftp:vue')}": "1x50 0x99"},
    ),
    Case(
        "FeedFileRefused",
        70,
        {f"certrail_feed_files_total{of('exams', vendor='vue', outcome='refused')}": "_x65 1x99"},
        {
            f"certrail_feed_files_total{of('exams', vendor='vue', outcome='refused')}": "3x99",
            f"certrail_feed_files_total{of('exams', vendor='vue', outcome='done')}": "0+1x99",
        },
    ),
    Case(
        "VendorSilent",
        70,
        {f"certrail_vendor_silences_total{of('exams', vendor='vue', kind='orders')}": "_x65 1x99"},
        {f"certrail_vendor_outages_total{of('exams', vendor='vue')}": "1x60 2x99"},
    ),
    Case(
        "VendorSilent",
        70,
        {f"certrail_vendor_outages_total{of('exams', vendor='vue')}": "0+1x99"},
        {f"certrail_vendor_silences_total{of('exams', vendor='vue', kind='orders')}": "4x99"},
    ),
    Case(
        "HouseSilent",
        90,
        {f"certrail_house_silent{of('fulfillment', program='cisco', house='kits')}": "1x99"},
        {f"certrail_house_silent{of('fulfillment', program='cisco', house='kits')}": "0x99"},
    ),
    Case(
        "MoneyToGiveBack",
        70,
        {f"certrail_payment_notices_total{of('fulfillment', page='pay', verdict='flagged')}": "1x65 2x99"},
        {f"certrail_payment_notices_total{of('fulfillment', page='pay', verdict='taken')}": "0+1x99"},
    ),
    Case(
        "VouchersRunOut",
        15,
        {f"certrail_vouchers_free{of('exams', program='cisco', batch='spring')}": "9x99"},
        {f"certrail_vouchers_free{of('exams', program='cisco', batch='spring')}": "10x99"},
    ),
    Case(
        "BadgeProviderFailing",
        90,
        {f"certrail_badge_provider_open{CISCO}": "1x99"},
        {f"certrail_badge_provider_open{CISCO}": "1x30 0 1x99"},
    ),
    Case(
        "BadgesRefused",
        70,
        {f"certrail_badges_refused_total{CISCO}": "_x65 1x99"},
        {f"certrail_badges_refused_total{CISCO}": "2x99"},
    ),
    Case(
        "MailsStuck",
        10,
        {f"certrail_mails_overdue_seconds{NOTIFY}": "0+60x20"},
        {f"certrail_mails_overdue_seconds{NOTIFY}": "200x20"},
    ),
    Case(
        "MailServerUnreachable",
        20,
        {f"certrail_smtp_connection_faults_total{NOTIFY}": "0+6x30"},
        {f"certrail_smtp_connection_faults_total{NOTIFY}": "0 6x30"},
    ),
    Case(
        "MailsRefused",
        110,
        {f"certrail_mails_total{ACCEPTED}": "0+90x120", f"certrail_mails_total{REFUSED}": "0+10x120"},
        {f"certrail_mails_total{ACCEPTED}": "0+990x120", f"certrail_mails_total{REFUSED}": "0+10x120"},
    ),
    Case(
        "MailComplaints",
        200,
        {f"certrail_mails_total{ACCEPTED}": "0+100x300", f"certrail_mail_reports_total{COMPLAINED}": "0+1x300"},
        {f"certrail_mails_total{ACCEPTED}": "0+2000x300", f"certrail_mail_reports_total{COMPLAINED}": "0+1x300"},
    ),
    Case(
        "MailTemplateFailed",
        70,
        {f"certrail_mail_templates_failed_total{of('notify', program='cisco', template='exam_passed')}": "_x65 1x99"},
        {f"certrail_mail_templates_failed_total{of('notify', program='cisco', template='exam_passed')}": "1x99"},
    ),
    Case(
        "HookSwitchedOff",
        70,
        {f"certrail_hooks_switched_off_total{of('notify', program='cisco', because='gone')}": "_x65 1x99"},
        {f"certrail_hooks_switched_off_total{of('notify', program='cisco', because='gone')}": "1x99"},
    ),
    Case(
        "CertificateEnds",
        90,
        ending_in(
            13, f"certrail_tls_certificate_expiry_timestamp_seconds{of('identity', server='certrail.example:443')}"
        ),
        ending_in(
            15, f"certrail_tls_certificate_expiry_timestamp_seconds{of('identity', server='certrail.example:443')}"
        ),
    ),
    Case(
        "IssuerKeyNotFollowed",
        90,
        since(2, f"certrail_issuer_key_expiry_timestamp_seconds{CISCO}"),
        {  # the process that had the job before has not looked since
            **since(2, f"certrail_issuer_key_expiry_timestamp_seconds{CISCO}"),
            f"certrail_issuer_key_expiry_timestamp_seconds{of('certs', instance='other', program='cisco')}": "9e6x400",
        },
    ),
    Case(
        "SigningKeyOld",
        90,
        since(366, f"certrail_signing_key_since_timestamp_seconds{of('identity')}"),
        since(300, f"certrail_signing_key_since_timestamp_seconds{of('identity')}"),
    ),
    Case(
        "FieldsNotResealed",
        90,
        ending_in(1 / 144, f"certrail_reseal_round_timestamp_seconds{EXAMS}"),
        ending_in(1 / 18, f"certrail_reseal_round_timestamp_seconds{EXAMS}"),
    ),
    Case(
        "SecurityContactEnds",
        90,
        ending_in(29, f"certrail_security_contact_expiry_timestamp_seconds{of('portal')}"),
        ending_in(40, f"certrail_security_contact_expiry_timestamp_seconds{of('portal')}"),
    ),
]


def as_tests(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """The cases as few tests of promtool, for each costs a store of its own: in one no two share a metric."""
    tests: list[dict[str, Any]] = []
    for fires in (True, False):
        groups: list[list[Case]] = []
        for case in cases:
            fitting = (group for group in groups if not metrics_of(group) & metrics_of([case]))
            group = next(fitting, None)
            if group is None:
                groups.append([case])
            else:
                group.append(case)
        tests += [_test(group, fires=fires) for group in groups]
    return tests


def metrics_of(cases: Sequence[Case]) -> set[str]:
    return {name.partition("{")[0] for case in cases for name in (*case.raising, *case.quiet)}


def _test(cases: Sequence[Case], *, fires: bool) -> dict[str, Any]:
    chosen = [(case, case.raising if fires else case.quiet) for case in cases]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for _, series in chosen for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{case.alert}",alertstate="firing"}}) or vector(0)',
                "eval_time": f"{case.at}m",
                "exp_samples": [{"labels": "{}", "value": case.fires if fires else 0}],
            }
            for case, _ in chosen
        ],
    }


def test_every_alert_is_tried() -> None:
    assert {case.alert for case in CASES} == set(RULES)


@needs_promtool
def test_every_alert_fires_when_it_must_and_only_then(tmp_path: Path) -> None:
    file = tmp_path / "alerts.test.yaml"
    content = {"rule_files": [str(targets.ALERTS)], "evaluation_interval": "1m", "tests": as_tests(CASES)}
    file.write_text(yaml.safe_dump(content))
    status, said = promtool("test", "rules", file)
    assert status == 0, said


@needs_promtool
@pytest.mark.parametrize("what", ["config", "rules"])
def test_prometheus_takes_the_files_as_they_are(what: str) -> None:
    status, said = promtool("check", what, targets.FILE if what == "config" else targets.ALERTS)
    assert status == 0, said


@needs_promtool
def test_an_alert_that_does_not_fire_is_noticed(tmp_path: Path) -> None:
    """The tool's own answer, so that a test of nothing cannot pass for one of all."""
    rule = Case("OutboxStuck", 5, {f"certrail_outbox_oldest_seconds{EXAMS}": "0x9"}, {})
    file = tmp_path / "alerts.test.yaml"
    content = {"rule_files": [str(targets.ALERTS)], "evaluation_interval": "1m", "tests": as_tests([rule])[:1]}
    file.write_text(yaml.safe_dump(content))
    assert promtool("test", "rules", file)[0] != 0
