"""One pass a file, each named for what it does; `solver/normalise.py` puts them in order."""
