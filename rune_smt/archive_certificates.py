"""Certificates for a whole result: a folder with one for each image, and all of them checked against the archive."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .errors import CertificateError, DataError, LimitError, QueryError
from .progress import track
from .query import vocabulary_of
from .verdict import VIOLATED, Verdict

if TYPE_CHECKING:
    from .entities.archive import Archive
    from .searching import SearchResult

SUFFIX = ".certificate.json"
SAME = ("query", "min_score", "mode", "kind")  # what all certificates of one result have in common
LISTED = 10  # names that a message holds


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: how many certificates, and the images without one with the reason."""

    directory: Path
    certificates: int
    without: Mapping[str, str]

    @property
    def text(self) -> str:
        """For people."""
        said = f"Wrote {self.certificates} certificates to {self.directory}."
        if self.without:
            names = _listed(self.without)
            said += f" {len(self.without)} verdicts have none ({names}): {next(iter(self.without.values()))}"
        return said


def write_certificates(
    result: SearchResult, directory: str | Path, *, violated: bool = False, progress: bool = True
) -> Written:
    """A certificate for every satisfied and undecided image of a result, one file each; with `violated` for all images.

    A verdict whose proof is larger than the stated size gets none, and is named. Certificates of this kind that the
    folder holds already are replaced.
    raises QueryError in another mode than threshold, DataError where the folder cannot be written
    """
    import numpy as np

    from .solver.atoms import Facts
    from .solver.certificate import make_certificate
    from .solver.world import World

    if result.mode != "threshold":
        raise QueryError(f"Certificates exist for mode threshold only, not for mode {result.mode}.")
    archive, folder = result.archive, Path(directory)
    vocabulary = vocabulary_of(archive)
    facts = [Facts(part.table, vocabulary) for part in archive.parts]
    chosen = np.arange(len(result.verdicts)) if violated else np.flatnonzero(result.verdicts != VIOLATED)
    without: dict[str, str] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob(f"*{SUFFIX}"):
            old.unlink()
        for index in track(chosen.tolist(), "certifying", progress):
            scene = archive.scene(index)
            world = World(scene, vocabulary, result.min_score, facts=facts[archive.places.part[index]])
            try:
                certificate = make_certificate(
                    result.query.formula, world, Verdict(int(result.verdicts[index])), text=result.query.text,
                    translator=result.query.translator or None, assumed=archive.assumptions,
                )  # fmt: skip
            except LimitError as error:
                without[scene.image_id] = error.message
                continue
            path = folder / file_name(scene.image_id)
            path.write_text(json.dumps(certificate, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{folder}: cannot be written: {error.strerror}") from None
    return Written(folder, len(chosen) - len(without), without)


def file_name(image_id: str) -> str:
    """The file of an image's certificate: its name all but letters, digits, '_', '.', '-', '~' escaped."""
    return quote(image_id, safe="") + SUFFIX


@dataclass(frozen=True)
class Checked:
    """What the checker found of a folder of certificates.

    verdicts    image id -> verdict, of those that are full and valid proofs
    failed      file -> why it is not: the step that fails, a second certificate of an image, another query
    lacking     images of the archive without a valid certificate
    borderline  how many atoms were accepted as stated
    """

    verdicts: Mapping[str, str]
    failed: Mapping[str, str]
    lacking: tuple[str, ...] = field(repr=False)
    borderline: int = 0
    query: str = ""
    min_score: float | None = None

    @property
    def ok(self) -> bool:
        """Whether every certificate holds and no image lacks one."""
        return not self.failed and not self.lacking

    @property
    def text(self) -> str:
        """For people."""
        counts = Counter(self.verdicts.values())
        each = ", ".join(f"{counts[word]} {word}" for word in ("satisfied", "violated", "undecided") if counts[word])
        said = f"{len(self.verdicts)} certificates hold" + (f": {each}." if each else ".")
        if self.query:
            said += f"\nAll of: {self.query}, min_score {self.min_score:g}."
        if self.borderline:
            said += f"\n{self.borderline} borderline atoms were accepted as stated."
        if self.failed:
            said += f"\n{len(self.failed)} fail: {_listed(self.failed)}."
        if self.lacking:
            images = len(self.verdicts) + len(self.lacking)
            said += f"\nNo valid certificate for {len(self.lacking)} of {images} images: {_listed(self.lacking)}."
        return said

    def to_json(self) -> dict[str, Any]:
        """All of it as data."""
        return {
            "ok": self.ok,
            "query": self.query,
            "min_score": self.min_score,
            "verdicts": dict(self.verdicts),
            "failed": dict(self.failed),
            "lacking": list(self.lacking),
            "borderline": self.borderline,
        }


def verify_all(directory: str | Path, archive: Archive, *, progress: bool = True) -> Checked:
    """Replays every certificate of a folder with the independent checker, and says which images lack one.

    All have to be of one query and min_score, and of different images: so together they are a whole answer.
    raises DataError where the folder cannot be read or holds no certificate
    """
    from .verification import verify

    folder = Path(directory)
    if not folder.is_dir():
        raise DataError(f"{folder}: is no folder of certificates.")
    files = sorted(folder.glob(f"*{SUFFIX}"))
    if not files:
        raise DataError(f"{folder}: holds no certificate (*{SUFFIX}).")
    verdicts: dict[str, str] = {}
    failed: dict[str, str] = {}
    borderline, common = 0, None
    for path in track(files, "checking", progress):
        try:
            certificate = read_certificate(path)
            report = verify(certificate, archive)
        except (CertificateError, DataError, QueryError) as error:
            failed[path.name] = error.message
            continue
        image_id = certificate["image_id"]
        about = {name: certificate[name] for name in SAME}
        if common is None:
            common = about
        if image_id in verdicts:
            failed[path.name] = f"Image '{image_id}' has another certificate already."
        elif about["kind"] != "verdict":
            failed[path.name] = "It is the certificate of a core, not of a verdict."
        elif about != common:
            other = next(name for name in SAME if about[name] != common[name])
            failed[path.name] = f"Its {other} is {about[other]}, that of {files[0].name} is {common[other]}."
        else:
            verdicts[image_id] = certificate["verdict"]
            borderline += len(report.borderline)
    lacking = tuple(name for name in archive.image_table.image_id if name not in verdicts)
    query, least = (common["query"], common["min_score"]) if common else ("", None)
    return Checked(verdicts, failed, lacking, borderline, query, least)


def read_certificate(path: Path) -> dict[str, Any]:
    """The JSON object in a file. raises DataError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise DataError(f"{path}: is no certificate: {error}") from None
    if not isinstance(document, dict):
        raise DataError(f"{path}: is no certificate: a JSON object is expected.")
    return document


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:LISTED]) + (", ..." if len(every) > LISTED else "")
