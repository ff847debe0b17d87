"""The formula and its words: nodes, readers of every dialect, the printer, vocabularies, English both ways."""
