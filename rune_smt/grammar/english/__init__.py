"""English to formula without a model: a grammar, its meaning by composition, and stated rules of usage."""

from .reading import Reading, looks_like_formula, read_english

__all__ = ["Reading", "looks_like_formula", "read_english"]
