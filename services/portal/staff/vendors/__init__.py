"""What vendors send and are sent: messages that were refused or could not be handled, files, lists compared."""
