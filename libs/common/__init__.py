"""What all services share: the bus, the outbox and inbox, HTTP, settings, telemetry, the published events."""
