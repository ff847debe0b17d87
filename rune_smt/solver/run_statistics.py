"""What a run of the array engine did: how many images class counts decided, and what each component took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .plan import AnyStep


@dataclass(slots=True)
class ComponentRun:
    """How a closed part of the query was decided.

    images     of how many it was asked, by_counts of which class counts decided, satisfied with what answer
    bindings   made for the others; seconds taken for all
    """

    text: str
    images: int = 0
    by_counts: int = 0
    satisfied: int = 0
    bindings: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Statistics:
    """What a run did: how many images class counts decided, how many bindings the rest needed, and each component."""

    images: int = 0
    by_counts: int = 0
    counts_seconds: float = 0.0
    bindings: int = 0
    components: dict[str, ComponentRun] = field(default_factory=dict)
    plan: AnyStep | None = None

    def blank(self) -> Statistics:
        """The same components, nothing run yet."""
        return Statistics(components={key: ComponentRun(run.text) for key, run in self.components.items()})

    def add(self, other: Statistics) -> None:
        """Takes in what a part of the run did."""
        self.bindings += other.bindings
        for key, run in other.components.items():
            mine = self.components[key]
            for name in ("images", "by_counts", "satisfied", "bindings", "seconds"):
                setattr(mine, name, getattr(mine, name) + getattr(run, name))
