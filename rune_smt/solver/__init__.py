"""Answers: the meaning (`holds`), passes, decomposition, the Z3 and array engines, cores, repairs, certificates."""
