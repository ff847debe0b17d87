"""Entities: the table of everything seen, its geometry (the one place where geometry is computed), the archive on disk."""
