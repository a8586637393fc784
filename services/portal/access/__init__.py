"""The ways in and out: sign in, recover, first login, sign out."""
