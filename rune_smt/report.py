"""The page of search results: one self-contained HTML file that works without JavaScript and without a network.

What is shown comes in as the data classes below, so that the page knows nothing of engines: `demo.py` and the command
line fill them. Pictures are embedded as JPEG and made smaller until the page keeps its size. Every text is escaped.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from .drawing import colour_of

if TYPE_CHECKING:
    from PIL import Image

LARGEST_PAGE = 9_500_000  # bytes
ATTEMPTS = ((400, 80), (400, 68), (360, 60), (300, 52), (240, 45), (180, 38))  # longer side in pixels, JPEG quality
NAMES_LISTED = 200  # image names behind "and N more"


@dataclass(frozen=True, slots=True)
class Legend:
    """What a letter on a picture stands for: A = ship 17."""

    letter: str
    text: str
    index: int  # place in the alphabet, which gives the colour


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture with its evidence drawn on it, what a person who cannot see it is told, and its letters."""

    image: Image.Image | None
    alt: str
    legend: tuple[Legend, ...] = ()


@dataclass(frozen=True, slots=True)
class MatchCard:
    """An image that matches; `note` says what its name does not, such as a degree."""

    image_id: str
    shot: Shot
    note: str = ""


@dataclass(frozen=True, slots=True)
class MissCard:
    """An image that nearly matches; `sentence` gives the number on which it turns."""

    image_id: str
    shot: Shot
    sentence: str


@dataclass(frozen=True, slots=True)
class MissGroup:
    """Images that one and the same repair would bring back.

    repair  a sentence without its full stop: "if 'near' allowed 143 px instead of 96"
    count   how many images it would bring back, of which `cards` shows some
    """

    repair: str
    count: int
    cards: tuple[MissCard, ...]


@dataclass(frozen=True, slots=True)
class CoreCount:
    """A minimal set of clauses that cannot hold together, and how many images it stops.

    text     what fails already when nothing else is asked, in English
    clauses  as formulas; none where no clause is to blame
    """

    text: str
    clauses: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class UndecidedGroup:
    """Images that cannot be told for want of the same things."""

    missing: tuple[str, ...]
    image_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """One miss explained in full.

    cores    each a tuple of clauses in English
    nearest  sentences with the numbers that failed
    repairs  what would make it match, one sentence each
    notes    what else there is to say: how stable the verdict is, what the certificate holds
    """

    image_id: str
    shot: Shot
    cores: tuple[tuple[str, ...], ...]
    nearest: tuple[str, ...] = ()
    repairs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuerySection:
    """One query and everything found for it."""

    text: str
    reading: str
    formula: str  # canonical text
    match: int
    no_match: int
    cannot_tell: int
    matches: tuple[MatchCard, ...] = ()
    match_ids: tuple[str, ...] = ()  # all of them, shown or not
    miss_groups: tuple[MissGroup, ...] = ()
    cores: tuple[CoreCount, ...] = ()
    undecided: tuple[UndecidedGroup, ...] = ()
    explained: tuple[Explained, ...] = ()
    left_out: tuple[str, ...] = ()
    elapsed_ms: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The whole page."""

    title: str
    lead: str
    sections: tuple[QuerySection, ...]
    trusted: str
    verified: str
    facts: tuple[tuple[str, str], ...] = ()  # name and value: images, entities, vocabulary, engine, time
    footer: str = ""


def write_page(report: Report, path: str | Path, limit: int = LARGEST_PAGE) -> int:
    """Write the page as UTF-8; its size in bytes. Folders on the way are made."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    data = page(report, limit).encode()
    target.write_bytes(data)
    return len(data)


def page(report: Report, limit: int = LARGEST_PAGE) -> str:
    """The HTML of a report, at most `limit` bytes: pictures are made smaller, and at last left out, to keep it."""
    text = ""
    for side, quality in ATTEMPTS:
        text = _document(report, _Pictures(side, quality))
        if len(text.encode()) <= limit:
            return text
    return _document(report, _Pictures(0, 0))


def unicode_formula(canonical: str) -> str:
    """The canonical text with the signs of a logic book: ∃x₁ (ship(x₁) ∧ ¬∃x₂ (harbor(x₂) ∧ near(x₁, x₂)))."""
    return "".join(_SIGNS.get(token, _subscript(token)) for token in _TOKEN.findall(canonical))


_SIGNS = {
    "forall ": "∀", "exists ": "∃", "exists>=": "∃≥", "exists<=": "∃≤", "exists=": "∃=", "~": "¬", "&": "∧", "|": "∨",
    "<->": "↔", "->": "→", ">=": "≥", "<=": "≤", "!=": "≠", "*": "·",
}  # fmt: skip
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|forall |exists(?: |>=|<=|=)|<->|->|>=|<=|!=|\w+|.', re.DOTALL)
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def _subscript(token: str) -> str:
    return "x" + token[1:].translate(_SUBSCRIPTS) if re.fullmatch(r"x\d+", token) else token


# --- parts of the page ------------------------------------------------------------------------------------------------


class _Pictures:
    """Embeds pictures at one size and quality; the same image object is encoded once."""

    def __init__(self, side: int, quality: int):
        self.side = side
        self.quality = quality
        self._made: dict[int, str] = {}

    def html(self, shot: Shot) -> str:
        """The picture as an element, or its description where there is none."""
        if shot.image is None or self.side == 0:
            return f'<div class="nopicture"><p>{escape(shot.alt)}</p></div>'
        uri = self._made.get(id(shot.image))
        if uri is None:
            uri = self._made[id(shot.image)] = self._uri(shot.image)
        width, height = self._size(shot.image)
        return f'<img src="{uri}" width="{width}" height="{height}" alt="{escape(shot.alt)}">'

    def _size(self, image: Image.Image) -> tuple[int, int]:
        scale = min(1.0, self.side / max(image.size))
        return max(1, round(image.width * scale)), max(1, round(image.height * scale))

    def _uri(self, image: Image.Image) -> str:
        small = image if image.size == self._size(image) else image.resize(self._size(image))
        buffer = io.BytesIO()
        small.convert("RGB").save(buffer, "JPEG", quality=self.quality, optimize=True)
        return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def _document(report: Report, pictures: _Pictures) -> str:
    sections = "\n".join(_section(i, section, pictures) for i, section in enumerate(report.sections, 1))
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in report.facts)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(report.title)}</title>
<style>{_style()}</style>
</head>
<body>
<header>
<h1>{escape(report.title)}</h1>
<p class="lead">{escape(report.lead)}</p>
{f'<dl class="facts">{facts}</dl>' if facts else ""}
</header>
{_contents(report.sections)}
<main>
{sections}
</main>
<footer>
<h2>What was trusted, what was verified</h2>
<p><b>Trusted.</b> {escape(report.trusted)}</p>
<p><b>Verified.</b> {escape(report.verified)}</p>
{f'<p class="small">{escape(report.footer)}</p>' if report.footer else ""}
</footer>
</body>
</html>
"""


def _style() -> str:
    from importlib.resources import files

    return files("rune_smt").joinpath("report.css").read_text(encoding="utf-8")


def _contents(sections: Sequence[QuerySection]) -> str:
    if len(sections) < 2:
        return ""
    rows = "".join(
        f'<li><a href="#q{i}"><span class="said">{escape(s.text)}</span>{_bar(s)}'
        f'<span class="count">{s.match} {_plural(s.match, "match", "matches")}</span></a></li>'
        for i, s in enumerate(sections, 1)
    )
    return f'<nav aria-label="Queries"><h2>The queries</h2><ol>{rows}</ol></nav>'


def _section(number: int, section: QuerySection, pictures: _Pictures) -> str:
    return f"""<section id="q{number}" aria-labelledby="q{number}-title">
<p class="eyebrow">Query {number}</p>
<h2 id="q{number}-title">{escape(section.text)}</h2>
{_reading(section)}
{_counts(section)}
{"".join(f'<p class="small">{escape(note)}</p>' for note in section.notes)}
{"".join(_parts(section, pictures))}
</section>"""


def _parts(section: QuerySection, pictures: _Pictures) -> Iterator[str]:
    yield _matches(section, pictures)
    if section.miss_groups:
        yield _misses(section, pictures)
    if section.explained:
        yield "".join(_explained(item, pictures) for item in section.explained)
    if section.cores:
        yield _cores(section)
    if section.undecided:
        yield _undecided(section)


def _reading(section: QuerySection) -> str:
    pretty = unicode_formula(section.formula)
    left_out = ""
    if section.left_out:
        words = ", ".join(f"“{escape(word)}”" for word in section.left_out)
        left_out = f"<div><dt>Left out</dt><dd>{words}: not understood, and not asked for</dd></div>"
    return f"""<dl class="reading">
<div><dt>Read as</dt><dd>{escape(section.reading)}</dd></div>
<div><dt>Formula</dt><dd><span class="formula">{_coloured(pretty)}</span>
<details><summary>Canonical text</summary><code>{escape(section.formula)}</code></details></dd></div>
{left_out}</dl>"""


def _coloured(pretty: str) -> str:
    """The formula with its quantifiers and connectives set apart."""
    return re.sub(r"[∀∃¬∧∨→↔]", lambda sign: f"<b>{sign.group()}</b>", escape(pretty))


def _counts(section: QuerySection) -> str:
    timing = (
        f'<li class="time">answered in {_duration(section.elapsed_ms)}</li>' if section.elapsed_ms is not None else ""
    )
    return f"""{_bar(section)}
<ul class="counts">
<li class="yes"><b>{section.match}</b> match</li>
<li class="no"><b>{section.no_match}</b> no match</li>
<li class="unknown"><b>{section.cannot_tell}</b> cannot tell</li>
{timing}</ul>"""


def _duration(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{max(1, round(milliseconds))} ms"


def _bar(section: QuerySection) -> str:
    total = max(1, section.match + section.no_match + section.cannot_tell)
    parts = "".join(
        f'<i class="{name}" style="width:{100 * count / total:.3f}%"></i>'
        for name, count in (("yes", section.match), ("no", section.no_match), ("unknown", section.cannot_tell))
        if count
    )
    said = f"{section.match} match, {section.no_match} no match, {section.cannot_tell} cannot tell"
    return f'<div class="bar" role="img" aria-label="{said}">{parts}</div>'


def _matches(section: QuerySection, pictures: _Pictures) -> str:
    if not section.match:
        return "<h3>Matches</h3><p>No image matches.</p>"
    cards = "".join(
        _card(card.image_id, card.shot, escape(card.note), pictures, "matchcard") for card in section.matches
    )
    more = section.match - len(section.matches)
    shown = {card.image_id for card in section.matches}
    rest = [name for name in section.match_ids if name not in shown]
    return f"<h3>Matches</h3><div class=grid>{cards}</div>{_more(more, rest)}"


def _more(count: int, names: Sequence[str]) -> str:
    if count <= 0:
        return ""
    if not names:
        return f'<p class="small">and {count} more</p>'
    listed = ", ".join(escape(name) for name in names[:NAMES_LISTED])
    tail = f" and {len(names) - NAMES_LISTED} others" if len(names) > NAMES_LISTED else ""
    return f'<details class="more"><summary>and {count} more</summary><p class="names">{listed}{tail}</p></details>'


def _card(image_id: str, shot: Shot, caption: str, pictures: _Pictures, kind: str) -> str:
    text = f"<p>{caption}</p>" if caption else ""
    return f"""<figure class="{kind}">{pictures.html(shot)}
<figcaption><span class="name">{escape(image_id)}</span>{text}{_legend(shot.legend)}</figcaption></figure>"""


def _legend(legend: Sequence[Legend]) -> str:
    if not legend:
        return ""
    items = "".join(
        f'<li><span class="chip" style="background:rgb{colour_of(item.index)}">{escape(item.letter)}</span>'
        f'<span class="sr"> = </span>{escape(item.text)}</li>'
        for item in legend
    )
    return f'<ul class="legend">{items}</ul>'


def _misses(section: QuerySection, pictures: _Pictures) -> str:
    groups = []
    for i, group in enumerate(section.miss_groups):
        cards = "".join(
            _card(card.image_id, card.shot, escape(card.sentence), pictures, "misscard") for card in group.cards
        )
        head = (
            f"<h4>{escape(_capital(group.repair))}</h4>"
            f'<p class="brings">brings back {group.count} {_plural(group.count, "image", "images")}</p>'
        )
        if i == 0:
            groups.append(f'<div class="group">{head}<div class=grid>{cards}</div></div>')
        else:
            groups.append(
                f'<details class="group"{" open" if i < 3 else ""}><summary>{head}</summary>'
                f"<div class=grid>{cards}</div></details>"
            )
    return f"<h3>Near misses, by what would bring them back</h3>{''.join(groups)}"


def _explained(item: Explained, pictures: _Pictures) -> str:
    cores = "".join(f"<li>{_and(core)}</li>" for core in item.cores)
    blocks = ""
    if cores:
        title = "These cannot hold together" if len(item.cores) == 1 else "Each of these sets cannot hold together"
        blocks += f"<h4 class=label>{title}</h4><ul>{cores}</ul>"
    for title, lines in (("What failed", item.nearest), ("What would make it match", item.repairs)):
        if lines:
            blocks += f"<h4 class=label>{title}</h4><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
    notes = "".join(f'<p class="small">{escape(note)}</p>' for note in item.notes)
    return f"""<article class="explained"><h3>Why not {escape(item.image_id)}?</h3><div class="two">
<figure>{pictures.html(item.shot)}<figcaption>{_legend(item.shot.legend)}</figcaption></figure>
<div>{blocks}{notes}</div></div></article>"""


def _cores(section: QuerySection) -> str:
    largest = max(core.count for core in section.cores)
    rows = "".join(
        f"<tr><th scope=row>{escape(core.text)}"
        f"<code>{escape(unicode_formula(', '.join(core.clauses))) or 'no clause is to blame'}</code></th>"
        f'<td class="n">{core.count}</td><td class="meter" aria-hidden="true">'
        f'<i style="width:{100 * core.count / largest:.2f}%"></i></td></tr>'
        for core in section.cores
    )
    return f"""<details class="why" open><summary><h3>Why the others do not match</h3></summary>
<table><caption>The smallest part of the query that fails already, its clauses, and the images it stops</caption>
<thead><tr><th scope=col>Fails already at</th><th scope=col>Images</th><td></td></tr></thead>
<tbody>{rows}</tbody></table></details>"""


def _and(clauses: Sequence[str]) -> str:
    if not clauses:
        return "<i>no clause is to blame</i>"
    return ' <span class="amp">and</span> '.join(f"<q>{escape(clause)}</q>" for clause in clauses)


def _undecided(section: QuerySection) -> str:
    rows = "".join(
        f"<li><b>{len(group.image_ids)} {_plural(len(group.image_ids), 'image', 'images')}</b> "
        f"{_plural(len(group.image_ids), 'lacks', 'lack')}: {escape(_listing(group.missing))}"
        f"<details><summary>which</summary>"
        f"<p class=names>{', '.join(map(escape, group.image_ids[:NAMES_LISTED]))}</p></details></li>"
        for group in section.undecided
    )
    return f"<h3>Cannot tell</h3><ul class=missing>{rows}</ul>"


def _listing(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words) or "what is asked for"


def _plural(count: int, one: str, many: str) -> str:
    return one if count == 1 else many


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
