"""Z3 beside the engine that searched: every verdict that is returned, and a seeded sample of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .errors import DisagreementError, LimitError
from .verdict import VIOLATED, Verdict

if TYPE_CHECKING:
    from .entities.archive import Archive
    from .grammar.nodes import Formula
    from .grammar.vocabulary import Vocabulary

SAMPLE = 100  # of the violated images: what was missed would show among them
SEED = 1


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What Z3 confirmed.

    returned   satisfied and undecided verdicts; `others` violated ones, drawn with `seed` from `others_of`
    too_large  images that Z3 was not asked about: the query written out over them has too many instances
    """

    returned: int
    others: int
    others_of: int
    seed: int
    too_large: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """For people."""
        said = f"Z3 confirmed all {self.returned} verdicts that are returned"
        if self.others_of:
            said += f", and {self.others} of the {self.others_of} others (drawn with seed {self.seed})"
        if self.too_large:
            named = ", ".join(self.too_large[:5]) + (", ..." if len(self.too_large) > 5 else "")
            said += f"; {len(self.too_large)} images are too large for it: {named}"
        return f"{said}."


def confirm(
    archive: Archive,
    formula: Formula,
    vocabulary: Vocabulary,
    min_score: float,
    verdicts: NDArray[np.int8],
    engine: str,
    *,
    sample: int = SAMPLE,
    seed: int = SEED,
) -> Confirmation:
    """Has Z3 decide the returned images and a sample of the others.

    formula   closed, definitions expanded
    raises    DisagreementError with a program that shows it, at the first image where Z3 finds another verdict
    """
    returned = np.flatnonzero(verdicts != VIOLATED)
    others = np.flatnonzero(verdicts == VIOLATED)
    drawn = np.random.default_rng(seed).choice(others, min(sample, len(others)), replace=False)
    too_large: list[str] = []
    counts = [
        _confirmed(archive, formula, vocabulary, min_score, verdicts, engine, sorted(rows.tolist()), too_large)
        for rows in (returned, drawn)
    ]
    return Confirmation(counts[0], counts[1], len(others), seed, tuple(too_large))


def _confirmed(
    archive: Archive, formula: Formula, vocabulary: Vocabulary, min_score: float, verdicts: NDArray[np.int8],
    engine: str, rows: Sequence[int], too_large: list[str],
) -> int:  # fmt: skip
    from .solver.atoms import Facts
    from .solver.reproducer import reproducer
    from .solver.world import World
    from .solver.z3_engine import decide

    facts = [Facts(part.table, vocabulary) for part in archive.parts]
    confirmed = 0
    for index in rows:
        scene = archive.scene(index)
        try:
            found = decide(formula, World(scene, vocabulary, min_score, facts=facts[archive.places.part[index]]))
        except LimitError:
            too_large.append(scene.image_id)
            continue
        if found != verdicts[index]:
            message = (
                f"Two engines disagree on image {scene.image_id!r}: {engine} says "
                f"{Verdict(int(verdicts[index])).word}, z3 says {found.word}."
            )
            raise DisagreementError(
                message,
                hint="Run this to see it again:\n\n" + reproducer(formula, scene, vocabulary, min_score, message),
            )
        confirmed += 1
    return confirmed
