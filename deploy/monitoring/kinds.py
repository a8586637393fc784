"""Panels that dashboards share, and the dashboard that every service has."""

from deploy.monitoring.panels import Dashboard, Panel, Query


def one(title: str, expr: str, legend: str = "", unit: str = "short", says: str = "", *, stat: bool = False) -> Panel:
    return Panel(title, (Query(expr, legend),), unit, says, stat)


def rate(counter: str, by: str, where: str = "") -> str:
    """How fast a counter grows, for each value of its labels."""
    return f"sum by ({by}) (rate({counter}{where}[5m]))"


def quantiles(histogram: str, where: str = "", by: str = "") -> tuple[Query, ...]:
    """The median and the slowest in a hundred."""
    labels, legend = (f"le, {by}", f" {{{{{by}}}}}") if by else ("le", "")
    return tuple(
        Query(f"histogram_quantile({q}, sum by ({labels}) (rate({histogram}_bucket{where}[5m])))", f"{name}{legend}")
        for q, name in ((0.5, "median"), (0.99, "99 %"))
    )


def bus(where: str) -> tuple[Panel, ...]:
    """A service on the bus."""
    return (
        one("Handled", rate("certrail_events_consumed_total", "queue", where), "{{queue}}", "ops"),
        one("Waiting", f"max by (queue) (certrail_queue_messages{where})", "{{queue}}"),
        one(
            "Not seen empty for",
            f"max by (queue) (certrail_queue_behind_seconds{where})",
            "{{queue}}",
            "s",
            "The oldest message waits no longer than this.",
        ),
        one("Retried", rate("certrail_events_retried_total", "queue, step", where), "{{queue}} step {{step}}", "ops"),
        one("Parked", f"max by (queue) (certrail_parked_messages{where})", "{{queue}}"),
        one("Waits for database or broker", f"max by (queue) (certrail_circuit_open{where})", "{{queue}}"),
        one(
            "Events in one transaction",
            f"sum by (queue) (rate(certrail_batch_events_sum{where}[5m])) "
            f"/ sum by (queue) (rate(certrail_batch_events_count{where}[5m]))",
            "{{queue}}",
            says="Near 1 at low load; near CERTRAIL_BATCH_SIZE behind a backlog.",
        ),
        one("Oldest unsent row of the outbox", f"max(certrail_outbox_oldest_seconds{where})", unit="s"),
        one("Rows of the outbox", f"max(certrail_outbox_unsent{where})", "unsent"),
    )


def http(where: str) -> tuple[Panel, ...]:
    """What a service answers."""
    failed = where[:-1] + ',status=~"5.."}'
    return (
        one("Requests", rate("certrail_http_request_seconds_count", "status", where), "{{status}}", "reqps"),
        Panel("Time to answer", quantiles("certrail_http_request_seconds", where), "s"),
        one(
            "Faults",
            rate("certrail_http_request_seconds_count", "route, status", failed),
            "{{route}} {{status}}",
            "reqps",
        ),
    )


def base(where: str) -> tuple[Panel, ...]:
    """A service's database and its time-driven work."""
    return (
        one(
            "Transactions tried again", rate("certrail_transaction_retries_total", "reason", where), "{{reason}}", "ops"
        ),
        one("Jobs", rate("certrail_job_runs_total", "task", where), "{{task}}", "ops"),
        one("Processes up", f"sum(up{where})"),
    )


def service(name: str, title: str, *own: tuple[str, tuple[Panel, ...]]) -> Dashboard:
    where = f'{{service="{name}"}}'
    return Dashboard(name, title, (*own, ("On the bus", bus(where)), ("HTTP", http(where)), ("Base", base(where))))
