"""Archives of many parts on a Ray cluster: `index` and `search` mapped over parts. See README.md here."""

from .ray_cluster import Cluster, PartFound, connected

__all__ = ["Cluster", "PartFound", "connected"]
