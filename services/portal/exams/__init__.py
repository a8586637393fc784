"""Every attempt, and what is waited for."""
