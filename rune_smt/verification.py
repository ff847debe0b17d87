"""`verify` of the public API: the checker beside the scene of an archive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import CertificateError

if TYPE_CHECKING:
    from .checker import Report
    from .entities.archive import Archive


def verify(certificate: Mapping[str, Any], archive: Archive) -> Report:
    """Replays a certificate against the entities of an archive, by `rune_smt.checker` and nothing else.

    certificate  as `make_certificate` gives it, or as JSON has it
    returns      the report of a full and valid proof; its `borderline` lists the atoms accepted as stated
    raises       CertificateError whose `step` names where it fails, or where it is no full proof;
                 QueryError where the archive has no image of that name
    """
    from .checker import check

    image_id = certificate.get("image_id") if isinstance(certificate, Mapping) else None
    if not isinstance(image_id, str):
        raise CertificateError("The certificate names no image.", step="image_id")
    report = check(dict(certificate), archive[image_id].to_json())
    if not report.ok:
        hint = "It was made for other entities, or was changed since." if report.outcome == "failed" else None
        raise CertificateError(
            f"The certificate of image '{image_id}' is {report.outcome} at step {report.step}: {report.message}",
            step=report.step,
            hint=hint,
        )
    return report
