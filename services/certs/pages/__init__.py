"""Pages for people without an account: one frame, one style sheet, no script."""
