"""The login side: ways in, passwords, sessions, second factor."""
