"""rune-smt."""
