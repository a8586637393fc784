"""The queues of results: whose they are, why they are late, and whether they stand."""
