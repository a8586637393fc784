"""What comes back of mails: those that bounced, those that were complained of, and whom nothing is sent to for it."""
