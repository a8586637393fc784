"""What a monitoring needs to watch Certrail: dashboards for Grafana, alerts and targets for Prometheus."""
