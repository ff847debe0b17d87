"""The formula and the words: nodes, readers of every dialect, the canonical printer, vocabularies, English both ways."""
