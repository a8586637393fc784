"""Web hooks: where the program's systems are told what happens."""
