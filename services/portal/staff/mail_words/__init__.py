"""The words of mails, and their versions."""
