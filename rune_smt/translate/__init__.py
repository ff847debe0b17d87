"""From what a person writes to a formula: controlled English by default, language models where one is asked for."""
