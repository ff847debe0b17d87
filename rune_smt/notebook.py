"""Results as a notebook shows them: self-contained HTML with at most twelve thumbnails."""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .searching import Match, SearchResult

THUMBNAILS = 12
SIDE = 220  # pixels


def result_html(result: SearchResult) -> str:
    """How the query was read, the counts, and the first matches with their witnesses drawn."""
    counts = result.counts
    cards = "".join(_card(result, match) for match in result[:THUMBNAILS])
    more = len(result) - min(len(result), THUMBNAILS)
    return (
        f"<div><p><b>{escape(result.query.text)}</b><br>read as: {escape(result.query.reading)}<br>"
        f"<code>{escape(str(result.query))}</code></p>"
        f"<p>{counts['satisfied']} match, {counts['violated']} no match, {counts['undecided']} cannot tell, "
        f"of {counts['images']} images</p>"
        f"<div style='display:flex;flex-wrap:wrap;gap:8px'>{cards}</div>"
        + (f"<p>and {more} more</p>" if more else "")
        + "</div>"
    )


def _card(result: SearchResult, match: Match) -> str:
    from .drawing import letters, picture

    scene = result.archive[match.image_id]
    lettered = letters(match.witness)
    image = picture(scene, lettered, size=SIDE)
    named = ", ".join(f"{letter} = {entity}" for letter, entity in lettered.items())
    degree = f", degree {match.degree:.3g}" if result.mode != "threshold" else ""
    return (
        f"<figure style='margin:0;width:{SIDE}px'><img alt='{escape(match.image_id)}' src='{data_uri(image)}'>"
        f"<figcaption>{escape(match.image_id)}{degree}<br><small>{escape(named)}</small></figcaption></figure>"
    )


def data_uri(image: Any, quality: int = 80) -> str:
    """A picture as the text of an `src` attribute."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
