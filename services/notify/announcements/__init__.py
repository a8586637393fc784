"""What a program tells many at once: on their pages, and to those who agreed to news by mail."""
