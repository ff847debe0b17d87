"""The page of results: one file, no script, no network, under its size, every text escaped and every picture told."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rune_smt.report import (
    CoreCount,
    Explained,
    Legend,
    MatchCard,
    MissCard,
    MissGroup,
    QuerySection,
    Report,
    Shot,
    UndecidedGroup,
    page,
    unicode_formula,
    write_page,
)

NASTY = '<script>alert("x")</script> & \'quoted\' "text"'
VOID = {"meta", "img", "br", "link", "input"}


class Outline(HTMLParser):
    """Checks that tags nest, and gathers what the tests ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))

    def handle_endtag(self, tag) -> None:
        assert self.open and self.open.pop() == tag, f"</{tag}> closes another element"


def read(html: str) -> Outline:
    outline = Outline()
    outline.feed(html)
    outline.close()
    assert outline.open == []
    return outline


def noise(side: int = 480, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 255, (side, side, 3), dtype=np.uint8))


def section(text: str = NASTY, image: Image.Image | None = None) -> QuerySection:
    shot = Shot(image, f"alt {text}", (Legend("A", f"ship 17 {text}", 0),))
    return QuerySection(
        text=text,
        reading=text,
        formula="exists x1 (ship(x1) & ~(exists x2 (harbor(x2) & near(x1, x2))))",
        match=12,
        no_match=80,
        cannot_tell=3,
        matches=(MatchCard(text, shot, text),),
        match_ids=tuple(f"P{i:04d}" for i in range(12)),
        miss_groups=(MissGroup(text, 4, (MissCard(text, shot, text),)), MissGroup("without it", 1, ())),
        cores=(CoreCount(text, (text, "ship(x1)"), 70), CoreCount("too few", (), 10)),
        undecided=(UndecidedGroup(("gsd", "image size"), (text, "P2")),),
        explained=(Explained(text, shot, ((text,),), (text,), (text,), (text,)),),
        left_out=(text,),
        elapsed_ms=12.3,
        notes=(text,),
    )


def report(*sections: QuerySection) -> Report:
    return Report(NASTY, NASTY, sections, trusted=NASTY, verified=NASTY, facts=((NASTY, NASTY),), footer=NASTY)


def test_every_text_is_escaped_and_tags_nest() -> None:
    html = page(report(section(), section("plain")))
    outline = read(html)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 20
    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in outline.tags}


def test_nothing_comes_from_elsewhere() -> None:
    html = page(report(section(image=noise())))
    for tag, attributes in read(html).tags:
        for name in ("src", "href", "srcset", "action", "data"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/jpeg;base64,", "#")), (tag, name)
        assert not any(name.startswith("on") for name in attributes)
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style and "@import" not in style and "http" not in style


def test_headings_descend_one_level_at_a_time_and_pictures_are_told() -> None:
    outline = read(page(report(section("one", noise()), section("two", noise()))))
    assert outline.headings[0] == 1 and outline.headings.count(1) == 1
    for before, after in zip(outline.headings, outline.headings[1:], strict=False):
        assert after <= before + 1
    images = [attributes for tag, attributes in outline.tags if tag == "img"]
    assert images and all(a["alt"] and a["width"] and a["height"] for a in images)
    ids = [a["id"] for _, a in outline.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for tag, a in outline.tags if tag == "a" and a["href"]} <= set(ids)


@pytest.mark.parametrize("limit", [900_000, 300_000, 60_000])
def test_the_page_keeps_its_size(limit: int) -> None:
    sections = tuple(section(f"query {i}", noise(seed=i)) for i in range(4))
    html = page(report(*sections), limit)
    assert len(html.encode()) <= limit
    assert html.count("query 3") > 3


def test_a_picture_that_is_not_there_is_described() -> None:
    assert '<div class="nopicture"><p>alt plain</p></div>' in page(report(section("plain")))


def test_light_dark_and_print_are_provided_for() -> None:
    html = page(report(section("plain")))
    for wanted in (
        "prefers-color-scheme:dark",
        "@media print",
        'lang="en"',
        'name="viewport"',
        "prefers-reduced-motion",
    ):
        assert wanted in html.replace("prefers-color-scheme: dark", "prefers-color-scheme:dark")


def test_the_counts_are_said_in_words_beside_the_bar() -> None:
    html = page(report(section("plain")))
    assert 'aria-label="12 match, 80 no match, 3 cannot tell"' in html
    assert "<b>12</b> match" in html and "<b>80</b> no match" in html and "<b>3</b> cannot tell" in html
    assert "and 11 more" in html and "P0011" in html
    assert "brings back 4 images" in html and "brings back 1 image<" in html


def test_a_query_without_any_match_says_so() -> None:
    empty = QuerySection("q", "r", "true", match=0, no_match=0, cannot_tell=0)
    assert "No image matches." in page(report(empty))


def test_the_file_is_written_with_its_folders(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "index.html"
    size = write_page(report(section("plain")), target)
    assert target.stat().st_size == size > 5000


@pytest.mark.parametrize(
    ("canonical", "pretty"),
    [
        (
            "exists x1 (ship(x1) & ~(exists x2 (harbor(x2) & near(x1, x2))))",
            "∃x₁ (ship(x₁) ∧ ¬(∃x₂ (harbor(x₂) ∧ near(x₁, x₂))))",
        ),
        ("exists>=3 x1 (plane(x1)) | ~~true", "∃≥3 x₁ (plane(x₁)) ∨ ¬¬true"),
        ("forall x10 (a(x10) -> b(x10) <-> x10 != x2)", "∀x₁₀ (a(x₁₀) → b(x₁₀) ↔ x₁₀ ≠ x₂)"),
        ("2 * count x1 (max1(x1)) >= 5 m", "2 · count x₁ (max1(x₁)) ≥ 5 m"),
        ('damage(x1) = "a & b -> c"', 'damage(x₁) = "a & b -> c"'),
    ],
)  # fmt: skip
def test_the_pretty_formula_changes_signs_alone(canonical: str, pretty: str) -> None:
    assert unicode_formula(canonical) == pretty
