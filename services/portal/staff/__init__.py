"""The pages for staff: one shell with queues, and beside each open item its evidence and what a decision changes."""
