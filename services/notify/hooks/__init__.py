"""Web hooks: systems are told over HTTPS what happens to a program's candidates."""
