"""`python -m rune_smt` is `rune-smt`."""

from rune_smt.cli import main

main()
