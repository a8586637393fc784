"""Signing in with a program's own identity provider (OpenID Connect Core 1.0)."""
