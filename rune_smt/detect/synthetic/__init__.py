"""Made-up aerial pictures with exact annotations: coasts, airfields, car parks, sports, rivers, tank farms, streets."""

from .scenes import CRS, KINDS, SyntheticScene, make_scene, make_scenes
from .tables import to_arrow, write_picture

__all__ = ["CRS", "KINDS", "SyntheticScene", "make_scene", "make_scenes", "to_arrow", "write_picture"]
