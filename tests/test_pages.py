"""From explanations to near misses: the mildest repair is chosen, images share its words, and far ones are left out."""

from pathlib import Path
from typing import Any

import pytest

from rune_smt.demo import QUERIES, run_demo
from rune_smt.pages import Miss, _limit_words, _nearest_first
from rune_smt.query import translate


def nearest(actual: float, limit: float, *, clause: str = "near(x1, x2)", unit: str = "x") -> dict[str, Any]:
    return {
        "clause": clause, "quantity": "gap", "unit": "px", "actual": actual, "limit": limit, "limit_now": 1.0,
        "limit_needed": actual / limit, "limit_unit": unit, "entities": [3, 5], "text": "ship 3 and harbor 5 are apart",
    }  # fmt: skip


def miss(
    *repairs: dict[str, Any], near: list[dict[str, Any]] | None = None, cores: list[list[str]] | None = None
) -> Miss:
    told = [
        {"clauses": [{"formula": f, "reading": f"said {f}", "span": None} for f in core], "text": "these"}
        for core in cores or []
    ]
    return Miss("P1", {"cores": told, "nearest": near or [], "repairs": list(repairs)})


def drop(*clauses: str) -> dict[str, Any]:
    return {"kind": "drop", "text": f"without {' and '.join(clauses)}", "changes": {"clauses": list(clauses)}}


def number(old: int, new: int) -> dict[str, Any]:
    return {"kind": "number", "text": f"at least {new} instead of {old}", "changes": {"from": old, "to": new}}


REMOVE = {"kind": "remove", "text": "without small vehicle 17", "changes": {"entity": 17}}


def words(found: Miss) -> str | None:
    return None if found.repair is None else found.repair[2]


def test_the_mildest_repair_is_chosen() -> None:
    everything = miss(drop("~near(x1, x2)"), REMOVE, number(10, 8), near=[nearest(143, 96)])
    assert everything.repair is not None and everything.repair[1] == ("limit", "near(x1, x2)")
    assert words(miss(drop("~near(x1, x2)"), REMOVE, number(10, 8))) == "with at least 8 instead of 10"
    assert words(miss(drop("~near(x1, x2)"), REMOVE)) == "without one small vehicle"
    assert words(miss(drop("~near(x1, x2)"), cores=[["~near(x1, x2)"]])) == "without “said ~near(x1, x2)”"


@pytest.mark.parametrize(
    "far_off",
    [
        miss(near=[nearest(900, 96)]),
        miss(number(10, 0)),
        miss(number(10, 1)),
        miss(drop("ship(x1)")),
        miss(drop("~ship(x1)", "near(x1, x2)")),
        miss(),
    ],
)
def test_what_is_far_off_is_no_near_miss(far_off: Miss) -> None:
    assert far_off.repair is None


def test_images_that_miss_by_least_come_first() -> None:
    close, closer, dropped = miss(near=[nearest(143, 96)]), miss(near=[nearest(100, 96)]), miss(REMOVE)
    assert _nearest_first([dropped, close, closer]) == [closer, close, dropped]


def test_a_limit_is_told_in_its_own_words() -> None:
    assert _limit_words(nearest(144, 96)) == "if “near” reached 1.5 times the smaller one's diagonal instead of 1"
    known = {**nearest(30, 20, clause="distance(x1, x2) <= 10 m"), "metres": {"actual": 15.0, "limit": 10.0}}
    assert _limit_words(known) == "if the query asked for 15 m instead of 10 m"
    assert _limit_words(nearest(30, 20, clause="distance(x1, x2) <= 20 m", unit="m")) == (
        "if the query asked for 30 px instead of 20 px"
    )


@pytest.mark.parametrize("text", QUERIES)
def test_the_questions_are_understood(text: str) -> None:
    assert translate(text, "dota-v1.5").left_out == ()


def test_the_demonstration_leaves_a_page_that_stands_alone(tmp_path: Path) -> None:
    page = run_demo(tmp_path / "out", images=28, progress=False)
    html = page.read_text(encoding="utf-8")
    assert page == tmp_path / "out" / "index.html"
    assert len(html.encode()) < 10_000_000
    assert "<script" not in html and "http" not in html
    assert all(html.count(text) >= 2 for text in QUERIES)
    assert html.count("data:image/jpeg;base64,") > 12
    assert "Near misses" in html and "Why the others do not match" in html
    assert (tmp_path / "out" / "demo.rune" / "archive.json").exists()
    assert len(list((tmp_path / "out" / "pictures").glob("*.jpg"))) == 28
