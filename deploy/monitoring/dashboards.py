"""What the dashboards show. Every target must bear the label `service`, as the files beside this one give it."""

from typing import Final

from deploy.monitoring.kinds import http, one, quantiles, rate, service
from deploy.monitoring.panels import Dashboard, Panel, Query

MAIN_JOB: Final = Dashboard(
    "main-job",
    "from vendor to mail",
    (
        (
            "Is it well?",
            (
                one("Processes down", 'count(up{service=~".+"} == 0) or vector(0)', stat=True),
                one("Parked messages", "sum(max by (queue) (certrail_parked_messages))", stat=True),
                one("Oldest unsent row", "max(certrail_outbox_oldest_seconds)", unit="s", stat=True),
                one("Unmatched results", "sum(max by (program, vendor) (certrail_results_unmatched))", stat=True),
                one(
                    "Late results",
                    'sum(max by (program, vendor) (certrail_results_awaited{state=~"late|overdue"}))',
                    stat=True,
                ),
                one("Mails queued", "max(certrail_mails_queued)", stat=True),
            ),
        ),
        (
            "The way of a result",
            (
                one(
                    "Reported by vendors",
                    rate("certrail_results_reported_total", "verdict"),
                    "{{verdict}}",
                    "ops",
                ),
                one("Handled by services", rate("certrail_events_consumed_total", "queue"), "{{queue}}", "ops"),
                one(
                    "Mails accepted",
                    rate("certrail_mails_total", "template", '{outcome="accepted"}'),
                    "{{template}}",
                    "ops",
                ),
            ),
        ),
        (
            "Where it waits",
            (
                one("In queues", "max by (queue) (certrail_queue_messages)", "{{queue}}"),
                one("Queues not seen empty for", "max by (queue) (certrail_queue_behind_seconds)", "{{queue}}", "s"),
                one("In outboxes", "max by (service) (certrail_outbox_oldest_seconds)", "{{service}}", "s"),
            ),
        ),
        (
            "How long it takes",
            (
                Panel("From the last event to the mail server", quantiles("certrail_mail_seconds"), "s"),
                Panel("Answers of services", quantiles("certrail_http_request_seconds", by="service"), "s"),
                one("Published", rate("certrail_messages_published_total", "exchange"), "{{exchange}}", "ops"),
            ),
        ),
    ),
)

VENDORS: Final = Dashboard(
    "vendors",
    "vendors and fulfilment houses",
    (
        (
            "Results",
            (
                one("Unmatched", "max by (program, vendor) (certrail_results_unmatched)", "{{program}} {{vendor}}"),
                one(
                    "Oldest unmatched",
                    "max by (program, vendor) (certrail_results_unmatched_oldest_seconds)",
                    "{{program}} {{vendor}}",
                    "s",
                ),
                one(
                    "Awaited",
                    "max by (program, vendor, state) (certrail_results_awaited)",
                    "{{program}} {{vendor}} {{state}}",
                ),
                one(
                    "Oldest late",
                    "max by (program, vendor) (certrail_results_late_oldest_seconds)",
                    "{{program}} {{vendor}}",
                    "s",
                ),
                one(
                    "Notifications",
                    rate("certrail_notifications_total", "vendor, verdict"),
                    "{{vendor}} {{verdict}}",
                    "ops",
                ),
                one(
                    "Handed over to vendors",
                    rate("certrail_hand_overs_total", "vendor, purpose"),
                    "{{vendor}} {{purpose}}",
                    "ops",
                ),
            ),
        ),
        (
            "Files from vendors",
            (
                one("Rows", rate("certrail_feed_rows_total", "vendor, outcome"), "{{vendor}} {{outcome}}", "ops"),
                one("Files", rate("certrail_feed_files_total", "vendor, outcome"), "{{vendor}} {{outcome}}", "ops"),
                one("Cannot be read", "max by (source) (certrail_feed_fault)", "{{source}}"),
            ),
        ),
        (
            "Files to vendors",
            (
                one("Lines", rate("certrail_vendor_lines_total", "vendor, kind"), "{{vendor}} {{kind}}", "ops"),
                one(
                    "Answers",
                    rate("certrail_vendor_answers_total", "vendor, kind, answer"),
                    "{{vendor}} {{kind}} {{answer}}",
                    "ops",
                ),
                Panel(
                    "Trouble in the last hour",
                    (
                        Query("sum by (vendor) (increase(certrail_vendor_outages_total[1h]))", "{{vendor}} away"),
                        Query("sum by (vendor) (increase(certrail_vendor_silences_total[1h]))", "{{vendor}} silent"),
                    ),
                ),
            ),
        ),
        (
            "Fulfilment houses",
            (
                one("Orders", rate("certrail_orders_sent_total", "house, what"), "{{house}} {{what}}", "ops"),
                one("Reports", rate("certrail_shipment_reports_total", "house, status"), "{{house}} {{status}}", "ops"),
                one("Silent", "max by (program, house) (certrail_house_silent)", "{{program}} {{house}}"),
            ),
        ),
        (
            "Stock and badges",
            (
                one("Vouchers left", "min by (program, batch) (certrail_vouchers_free)", "{{program}} {{batch}}"),
                one("Badge provider paused", "max by (program) (certrail_badge_provider_open)", "{{program}}"),
                one(
                    "Badge requests",
                    rate("certrail_badge_requests_total", "act, outcome"),
                    "{{act}} {{outcome}}",
                    "ops",
                ),
            ),
        ),
    ),
)

MAIL: Final = Dashboard(
    "mail",
    "mail",
    (
        (
            "Sending",
            (
                one("By what became of them", rate("certrail_mails_total", "outcome"), "{{outcome}}", "ops"),
                one(
                    "By template",
                    rate("certrail_mails_total", "template", '{outcome="accepted"}'),
                    "{{template}}",
                    "ops",
                ),
                Panel("From the event to the mail server", quantiles("certrail_mail_seconds"), "s"),
            ),
        ),
        (
            "Waiting",
            (
                one("Queued", "max(certrail_mails_queued)"),
                one("Overdue for", "max(certrail_mails_overdue_seconds)", unit="s"),
                one("In hand", "sum(certrail_mails_in_hand)"),
            ),
        ),
        (
            "Trouble",
            (
                Panel(
                    "Mail server",
                    (
                        Query("sum(rate(certrail_smtp_connections_total[5m]))", "connections made"),
                        Query("sum(rate(certrail_smtp_connection_faults_total[5m]))", "not made"),
                    ),
                    "ops",
                ),
                one("Came back", rate("certrail_mail_reports_total", "kind"), "{{kind}}", "ops"),
                Panel(
                    "Repeated or late",
                    (
                        Query("sum(rate(certrail_mails_doubtful_total[5m]))", "may have come twice"),
                        Query("sum(rate(certrail_mail_claims_lapsed_total[5m]))", "claims lapsed"),
                        Query("sum(rate(certrail_mails_polled_total[5m]))", "found in the database"),
                    ),
                    "ops",
                ),
            ),
        ),
        (
            "Web hooks",
            (
                one("Tries", rate("certrail_hook_tries_total", "outcome"), "{{outcome}}", "ops"),
                Panel("From the event to the receiver", quantiles("certrail_hook_seconds"), "s"),
                one("Suppressed addresses", rate("certrail_mail_suppressions_total", "reason"), "{{reason}}", "ops"),
            ),
        ),
    ),
)

IDENTITY: Final = service(
    "identity",
    "identity",
    (
        "Keys and certificates",
        (
            one(
                "The key of access tokens signs for",
                "time() - max(certrail_signing_key_since_timestamp_seconds)",
                unit="s",
            ),
            one(
                "Certificates of servers last for",
                "min by (server) (certrail_tls_certificate_expiry_timestamp_seconds) - time()",
                "{{server}}",
                "s",
            ),
            one("Registrations of erased people", rate("certrail_late_registrations_total", "service"), unit="ops"),
        ),
    ),
)
EXAMS: Final = service(
    "exams",
    "exams",
    (
        "Results",
        (
            one("Reported", rate("certrail_results_reported_total", "verdict"), "{{verdict}}", "ops"),
            one("Unmatched", "max by (program, vendor) (certrail_results_unmatched)", "{{program}} {{vendor}}"),
            one("Vouchers used", rate("certrail_vouchers_used_total", "vendor"), "{{vendor}}", "ops"),
        ),
    ),
)
CERTS: Final = service(
    "certs",
    "certs",
    (
        "Credentials and drawings",
        (
            one("Credentials", rate("certrail_credentials_total", "change"), "{{change}}", "ops"),
            Panel("Signing", quantiles("certrail_signing_seconds"), "s"),
            Panel("Drawing", quantiles("certrail_drawing_seconds"), "s"),
            one("Definition in force", "min by (program) (certrail_program_version)", "{{program}}"),
            one("Badges refused for good", rate("certrail_badges_refused_total", "program"), "{{program}}", "ops"),
            one(
                "Another issuer key follows in",
                "max by (program) (certrail_issuer_key_expiry_timestamp_seconds) - time()",
                "{{program}}",
                "s",
            ),
        ),
    ),
)
FULFILLMENT: Final = service(
    "fulfillment",
    "fulfillment",
    (
        "Orders and payments",
        (
            one("Orders", rate("certrail_orders_sent_total", "house, what"), "{{house}} {{what}}", "ops"),
            one("Payments", rate("certrail_payment_notices_total", "kind, verdict"), "{{kind}} {{verdict}}", "ops"),
            one(
                "Differences with houses",
                rate("certrail_order_findings_total", "house, kind"),
                "{{house}} {{kind}}",
                "ops",
            ),
        ),
    ),
)
NOTIFY: Final = service(
    "notify",
    "notify",
    (
        "Gathered mails and news",
        (
            one("Gathered", rate("certrail_mails_gathered_total", "bundle, outcome"), "{{bundle}} {{outcome}}", "ops"),
            one("News", rate("certrail_news_written_total", "program"), "{{program}}", "ops"),
            one(
                "Failed templates",
                rate("certrail_mail_templates_failed_total", "program, template"),
                "{{program}} {{template}}",
                "ops",
            ),
        ),
    ),
)
_PORTAL = '{service="portal"}'
PORTAL: Final = Dashboard(
    "portal",
    "portal",
    (
        ("Pages", http(_PORTAL)),
        (
            "By page",
            (
                Panel(
                    "Slowest pages",
                    (
                        Query(
                            "topk(10, histogram_quantile(0.99, sum by (le, route) "
                            f"(rate(certrail_http_request_seconds_bucket{_PORTAL}[5m]))))",
                            "{{route}}",
                        ),
                    ),
                    "s",
                ),
                one("Processes up", f"sum(up{_PORTAL})"),
            ),
        ),
    ),
)

DASHBOARDS: Final = (MAIN_JOB, VENDORS, MAIL, IDENTITY, EXAMS, CERTS, FULFILLMENT, NOTIFY, PORTAL)
