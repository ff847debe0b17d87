"""Made-up aerial pictures with exact annotations: coasts, airfields, car parks, sports, rivers, tank farms, streets.

`make_scenes` makes them in memory, `write_set` as a set on disk; FLOODS are kinds with the classes of the vocabulary
flood.
"""

from .dials import Dials
from .scenes import CRS, FLOODS, KINDS, SyntheticScene, make_scene, make_scenes
from .sets import FORMATS, SetReport, write_set
from .tables import to_arrow, write_picture

__all__ = [
    "CRS",
    "FLOODS",
    "FORMATS",
    "KINDS",
    "Dials",
    "SetReport",
    "SyntheticScene",
    "make_scene",
    "make_scenes",
    "to_arrow",
    "write_picture",
    "write_set",
]
