"""Entities: the table of everything seen, its geometry (computed nowhere else), and the archive on disk."""
