"""Explanations of an archive: cores, changes, misses counted as image by image; no certificate without its reason."""

import pytest

import rune_smt as rune
from rune_smt.detect.synthetic import make_scenes, to_arrow

QUERIES = (
    "exists>=3 x (ship(x) & exists y (harbor(y) & near(x, y)))",
    "exists x (plane(x) & exists y (helicopter(y) & near(x, y))) & ~(exists z (bridge(z)))",
    "exists<=2 x (vehicle(x)) & exists y (ship(y))",
)


@pytest.fixture(scope="module")
def archive():
    return rune.archive_from_arrow(*to_arrow(make_scenes(40, seed=3)))


@pytest.mark.parametrize("query", QUERIES)
def test_an_offer_brings_back_as_many_images_as_it_says(archive, query):
    found = rune.why_none(archive, query)
    before = set(rune.search(archive, query).ids)
    assert found.explained == found.violated > 0
    assert found.offers
    for offer in found.offers:
        after = rune.search(archive, offer.formula)
        assert offer.images == len(set(after.ids) - before), offer
        assert offer.example in after
    assert [offer.cost for offer in found.offers] == sorted(offer.cost for offer in found.offers)


@pytest.mark.parametrize("query", QUERIES)
def test_every_image_has_one_first_core(archive, query):
    found = rune.why_none(archive, query)
    assert sum(stop.images for stop in found.stops) == found.violated
    first = found.stops[0]
    why = rune.explain(archive, query, first.example, certify=False)
    assert tuple(str(clause["formula"]) for clause in core_of(why)) == first.clauses


def core_of(why):
    import json

    return json.loads(why.render("json"))["cores"][0]["clauses"]


def test_a_sample_says_that_it_is_one(archive):
    found = rune.why_none(archive, QUERIES[0], sample=5)
    assert found.explained == 5 < found.violated
    assert "Explained: 5 of them, evenly sampled; the counts below are of these." in found.render()
    assert found.to_json()["notes"] and found.render().endswith("a detector may have missed it.")


def test_what_a_core_asks_is_said_without_empty_words(archive):
    found = rune.why_none(archive, "exists x (helicopter(x) & exists y (roundabout(y) & near(x, y)))")
    assert {stop.text for stop in found.stops} <= {
        "at least one helicopter", "at least one roundabout", "at least one helicopter near a roundabout",
        "at least one helicopter near a thing", "at least one thing near a roundabout",
        "at least one thing near a thing", "at least one thing",
    }  # fmt: skip


def test_an_explanation_without_its_certificate_says_why(archive, monkeypatch):
    from rune_smt.solver import certificate

    monkeypatch.setattr(certificate, "MAX_STEPS", 0)
    why = rune.explain(archive, QUERIES[0], archive.images["image_id"][0].as_py())
    assert why.certificate is None
    assert why.uncertified == "No certificate is made: its proof takes more than 0 steps."
    assert why.uncertified in why.render("text")
    assert rune.explain(archive, QUERIES[0], why.image_id, certify=False).uncertified == ""
