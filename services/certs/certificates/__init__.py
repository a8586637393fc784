"""Certificates: what stands on them, how they are drawn, and which of them exist."""
