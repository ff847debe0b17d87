"""Hypothesis strategies for formulas and scenes, and the laws as assertions for users' own translators and engines."""
