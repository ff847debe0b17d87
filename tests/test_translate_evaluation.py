"""The translation benchmark: figures worked out by hand, and who is right."""

import json
from pathlib import Path

import pytest

from rune_smt.errors import DataError, QueryError
from rune_smt.evaluate.denotation import same_denotation
from rune_smt.evaluate.translation import evaluate, kind_of, name_f1, read_cases
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import load_vocabulary
from rune_smt.translate.translator import Translation, translator

DOTA = load_vocabulary("dota-v1.5")
DEVELOPMENT = Path(__file__).parent.parent / "grammar" / "english.tsv"
SHIP, PLANE = "exists x1 (ship(x1))", "exists x1 (plane(x1))"


@pytest.mark.parametrize(
    "one, other, right, how",
    [
        (SHIP, "exists>=1 x1 (ship(x1))", True, "proved"),
        ("exists x (ship(x) & exists y (harbor(y) & near(x, y)))",
         "exists y (harbor(y) & exists x (ship(x) & near(y, x)))", True, "proved"),
        (SHIP, PLANE, False, "scenes"),
        ("~(exists x1 (plane(x1) & exists x2 (ship(x2) & touches(x1, x2))))", "true", False, "shown"),
    ],
)  # fmt: skip
def test_meaning_the_same(one, other, right, how):
    assert same_denotation(read(one), read(other), DOTA) == (right, how)


def test_scenes_are_made_for_other_vocabularies_too():
    flood = load_vocabulary("flood")
    dry, wet = read("exists x (building(x) & ~flooded(x))"), read("exists x (building(x) & flooded(x))")
    assert not same_denotation(dry, wet, flood)[0]
    ruined = read('exists x (building(x) & damage(x) = "destroyed")')
    assert same_denotation(ruined, read('exists x (building(x) & damage(x) >= "destroyed")'), flood)[0]


@pytest.mark.parametrize(
    "gold, formula, f1",
    [
        (SHIP, SHIP, 1.0),
        (SHIP, PLANE, 0.0),
        ("exists x (ship(x) & large(x))", SHIP, 2 / 3),
        ("exists x (ship(x) & exists y (ship(y) & near(x, y)))", "exists x (ship(x) & near(x, x))", 4 / 5),
        ("true", "true", 1.0),
    ],
)
def test_names_in_common(gold, formula, f1):
    assert name_f1(read(gold), read(formula)) == pytest.approx(f1)


@pytest.mark.parametrize(
    "formula, kind",
    [
        ("2 * count x (ship(x)) > count x (plane(x))", "sets compared"),
        ("forall x (ship(x) -> exists>=2 y (near(x, y)))", "every"),
        ("exists>=2 x (ship(x))", "how many"),
        ("exists x (exists y (distance(x, y) < 5 m))", "measures"),
        ("exists x (ship(x) & ~(exists y (y != x & near(x, y))))", "no and or"),
        ("exists x (ship(x) & exists y (y != x & near(x, y)))", "relations"),
        ("exists x (ship(x) & large(x))", "things"),
    ],
)
def test_kinds_of_queries(formula, kind):
    assert kind_of(read(formula)) == kind


class Table:
    """A translator that answers from a table; what it lacks it does not understand."""

    name = "table"

    def __init__(self, answers):
        self.answers = answers

    def __call__(self, text, vocabulary, /, *, lenient=False):
        if text not in self.answers:
            raise QueryError("What?")
        formula, unusable = self.answers[text]
        return Translation(read(formula), unusable=unusable)


def written(path, *rows, heading="vocabulary\tenglish\tformula"):
    path.write_text("\n".join([heading, *rows]) + "\n", encoding="utf-8")
    return path


def test_the_figures(tmp_path):
    path = written(
        tmp_path / "set.tsv",
        f"dota-v1.5\tships\t{SHIP}",
        f"dota-v1.5\tboats\t{SHIP}",
        f"dota-v1.5\tplanes\t{PLANE}",
        "dota-v1.5\ttwo ships\texists>=2 x1 (ship(x1))",
    )
    answers = {"ships": (SHIP, 0), "boats": ("exists>=1 x1 (ship(x1))", 2), "planes": (SHIP, 0)}
    report = evaluate(Table(answers), read_cases(path))
    rows = {row["kind"]: row for row in report.rows()}
    assert list(rows) == ["how many", "things", "all"]
    everything = rows["all"]
    assert everything["queries"] == 4
    assert everything["denotation"] == 2 / 4
    assert everything["exact"] == 1 / 4
    assert everything["f1"] == pytest.approx((1 + 1 + 0 + 0) / 4)
    assert everything["no_formula"] == 1 / 4
    assert everything["repaired"] == 1 / 4
    assert rows["how many"]["no_formula"] == 1
    assert rows["things"]["denotation"] == pytest.approx(2 / 3)
    assert [each.how for each in report.outcomes] == ["proved", "proved", "scenes", ""]


def test_a_few_queries_are_spread_over_the_file():
    every = read_cases(DEVELOPMENT)
    few = read_cases(DEVELOPMENT, 10)
    assert len(few) == 10
    assert few[0] == every[0]
    assert every.index(few[-1]) > len(every) * 0.85


def test_controlled_english_on_some_of_the_development_set():
    report = evaluate(translator("english"), read_cases(DEVELOPMENT, 20))
    assert report.rows()[-1]["denotation"] >= 0.95


@pytest.mark.parametrize(
    "rows, heading, message",
    [
        ((), "vocabulary\tenglish\tformula", "no queries"),
        (("a\tb",), "english\tformula", "no column 'vocabulary'"),
        (("dota-v1.5\tships\t",), "vocabulary\tenglish\tformula", "set.tsv:2: a field is empty"),
        (("dota-v1.5\tships\texists x1 (shp(x1))",), "vocabulary\tenglish\tformula", "set.tsv:2: No class"),
    ],
)
def test_a_file_that_is_no_set(tmp_path, rows, heading, message):
    with pytest.raises(DataError, match=message):
        read_cases(written(tmp_path / "set.tsv", *rows, heading=heading))


def test_the_command(tmp_path):
    from typer.testing import CliRunner

    from rune_smt.cli.app import app

    path = written(tmp_path / "set.tsv", f"dota-v1.5\tships\t{SHIP}", f"dota-v1.5\tflibbets\t{PLANE}")
    out = tmp_path / "out.jsonl"
    arguments = ["evaluate", "translation", "--set", str(path), "--with", "english", "--out", str(out), "--json"]
    document = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert document["rows"][-1]["denotation"] == 0.5
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [line["right"] for line in lines] == [True, False]
    assert "flibbets" in lines[1]["error"]
    said = CliRunner().invoke(app, arguments[:-1]).stdout
    assert "english" in said and "50 %" in said
