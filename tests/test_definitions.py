"""Definitions and links: expansion without capture, where its nodes come from, and every refusal with its full text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rune_smt.errors import DataError, LimitError
from rune_smt.grammar.definitions import MAX_EXPANDED, expand_definitions
from rune_smt.grammar.dimensions import check
from rune_smt.grammar.nodes import Apply, Compare, Formula, Variable, depth, free_variables, size, walk
from rune_smt.grammar.printer import canonical
from rune_smt.grammar.reader import read
from rune_smt.grammar.vocabulary import Vocabulary

CLASSES = """name = "own"
[classes.road]
[classes.ship]
synonyms = ["boat"]
"""

FORMULAS = (
    CLASSES
    + """
[definitions]
"lonely_boat(x)" = "boat(x) & isolated(x)"
"isolated(x)" = "~(exists y (y != x & near(x, y)))"
"next_in_line(a, b)" = "left_of(a, b) & ~(exists x (left_of(a, x) & left_of(x, b)))"
"crowded(x)" = "count y (near(y, x)) > 2 & cover x1 (near(x1, x)) > 5 %"
[links]
connected = "road(x) & road(y) & distance(x, y) <= 5 px"
"""
)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return Vocabulary.from_toml(FORMULAS, "own.toml")


def expanded(text: str, vocabulary: Vocabulary) -> str:
    return canonical(expand_definitions(check(read(text), vocabulary, text), vocabulary))


# --- expansion --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exists x (isolated(x))", "exists x1 (~(exists x2 (x2 != x1 & near(x1, x2))))"),
        ("exists y (isolated(y))", "exists x1 (~(exists x2 (x2 != x1 & near(x1, x2))))"),  # y is not captured
        ("forall y (lonely_boat(y))", "forall x1 (ship(x1) & ~(exists x2 (x2 != x1 & near(x1, x2))))"),
        (
            "exists x (exists a (next_in_line(x, a)))",
            "exists x1 (exists x2 (left_of(x1, x2) & ~(exists x3 (left_of(x1, x3) & left_of(x3, x2)))))",
        ),
        (
            "exists b (exists a (next_in_line(b, a)))",  # both parameters' names exchanged
            "exists x1 (exists x2 (left_of(x1, x2) & ~(exists x3 (left_of(x1, x3) & left_of(x3, x2)))))",
        ),
        (
            "exists x (next_in_line(x, x))",
            "exists x1 (left_of(x1, x1) & ~(exists x2 (left_of(x1, x2) & left_of(x2, x1))))",
        ),
        (
            "count y (crowded(y)) > 1",
            "count x1 (count x2 (near(x2, x1)) > 2 & cover x3 (near(x3, x1)) > 5 %) > 1",
        ),
        (
            "exists x (exists y (connected(x, y) & ship(x)))",  # a link stays
            "exists x1 (exists x2 (connected(x1, x2) & ship(x1)))",
        ),
    ],
)
def test_expansion(text: str, expected: str, vocabulary: Vocabulary) -> None:
    assert expanded(text, vocabulary) == expected


def test_nodes_know_the_use_they_come_from(vocabulary: Vocabulary) -> None:
    """Of definitions that use each other, the use that stands in the query."""
    text = "exists y (road(y) & lonely_boat(y) & area(y) > 5)"
    formula = check(read(text), vocabulary, text)
    use = next(node for node in walk(formula) if isinstance(node, Apply) and node.name == "lonely_boat")
    origins = {}
    for node in walk(expand_definitions(formula, vocabulary)):
        if isinstance(node, Apply | Compare):
            origins[canonical(node) if node.origin or isinstance(node, Compare) else node.name] = node.origin
            if node.origin is not None:
                assert node.span == use.span
    assert [name for name, origin in origins.items() if origin is None] == ["road", "area(y) > 5", "area"]
    assert {origin for origin in origins.values() if origin is not None} == {use}
    assert text[slice(*(use.span or (0, 0)))] == "lonely_boat(y)"


def test_a_formula_without_definitions_is_left_as_it_is(vocabulary: Vocabulary) -> None:
    formula = read("exists x (ship(x))")
    assert expand_definitions(formula, vocabulary) is formula


def chain(length: int, step: str) -> str:
    lines = [f'"d{i}(x)" = "{step.format(f"d{i + 1}(x)")}"' for i in range(length)]
    return CLASSES + "[definitions]\n" + "\n".join([*lines, f'"d{length}(x)" = "ship(x)"'])


def test_deep_definitions_expand() -> None:
    vocabulary = Vocabulary.from_toml(chain(190, "~{}"))
    assert depth(expand_definitions(read("exists x (d0(x))"), vocabulary)) == 193


def test_an_expansion_too_large_is_refused_before_it_is_made() -> None:
    vocabulary = Vocabulary.from_toml(chain(12, "{0} & ship(x) | ~{0}"))
    with pytest.raises(LimitError) as caught:
        expand_definitions(read("exists x (d0(x) & d0(x) & d0(x) & d0(x) & d0(x))"), vocabulary)
    assert str(caught.value) == (
        "With its definitions written out the formula has 143337 nodes in 28 levels; at most 100000 in 200 are handled."
    )


NAMES = st.sampled_from(["x", "y", "z", "a", "b"])


@given(outer=NAMES, inner=NAMES, bound=NAMES, first=NAMES, second=NAMES)
def test_expansion_is_substitution(outer: str, inner: str, bound: str, first: str, second: str) -> None:
    """Whatever the names: the parameters of d become its arguments, and its own bound variable stays its own."""
    params = ("p", "q")
    source = CLASSES + f'[definitions]\n"d(p, q)" = "exists {bound} (between({bound}, p, q))"'
    vocabulary = Vocabulary.from_toml(source)
    made = expand_definitions(Apply("d", (Variable(first), Variable(second))), vocabulary)
    assert free_variables(made) == {first, second}
    unused = "fresh"
    by_hand = read(f"exists {unused} (between({unused}, {first}, {second}))", open_vocabulary=True)
    assert canonical(made) == canonical(by_hand)
    assert params == vocabulary.definitions["d"].params


@given(uses=st.lists(st.sampled_from(["isolated(x)", "crowded(x)", "lonely_boat(x)"]), min_size=2, max_size=5))
def test_after_expansion_no_definition_is_left(uses: list[str]) -> None:
    vocabulary = Vocabulary.from_toml(FORMULAS)
    made: Formula = expand_definitions(read(f"exists x ({' | '.join(uses)})"), vocabulary)
    assert not any(isinstance(node, Apply) and node.name in vocabulary.definitions for node in walk(made))
    assert expand_definitions(made, vocabulary) is made
    assert size(made) < MAX_EXPANDED


# --- refusals ---------------------------------------------------------------------------------------------------------

REFUSALS = {
    '[definitions]\n"a(x)" = "b(x)"\n"b(x)" = "~c(x)"\n"c(x)" = "ship(x) & a(x)"':
        "own.toml: definitions.\"a(x)\": 'a' uses itself: a uses b uses c uses a.",
    '[definitions]\n"a(x)" = "~a(x)"':
        "own.toml: definitions.\"a(x)\": 'a' uses itself: a uses a.",
    '[definitions]\n"a(x)" = "ship(x) & near(x, z)"':
        'own.toml: definitions."a(x)": Variable \'z\' is free and no parameter: the parameters are x.\n'
        "  ship(x) & near(x, z)\n"
        "                    ^",
    '[definitions]\n"a(x)" = "ship(x) & near(x, road)"':
        'own.toml: definitions."a(x)": \'road\' is a class, not a variable.\n'
        "  ship(x) & near(x, road)\n"
        "                    ^^^^\n"
        "Write: exists y (road(y) & near(x, y))",
    '[definitions]\n"a(x, y)" = "ship(x)"':
        "own.toml: definitions.\"a(x, y)\": Parameter 'y' does not occur free in the formula.",
    '[definitions]\n"a(x, x)" = "ship(x)"':
        'own.toml: definitions."a(x, x)": its parameters are not different.',
    '[definitions]\n"a(true)" = "ship(x)"':
        "own.toml: definitions.\"a(true)\": 'true' is no name of a parameter.",
    '[definitions]\n"a" = "ship(x)"':
        'own.toml: definitions.a: expected a name with its parameters, such as "isolated(x)".',
    '[definitions]\n"a(x)" = 3':
        'own.toml: definitions."a(x)": expected a text, got a number.',
    '[definitions]\n"near(x)" = "ship(x)"':
        "own.toml: definitions.\"near(x)\": the name 'near' is taken: it is already a word of the language.",
    '[definitions]\n"count(x)" = "ship(x)"':
        "own.toml: definitions.\"count(x)\": the name 'count' is taken: it is already a reserved word.",
    '[definitions]\n"road(x)" = "ship(x)"':
        "own.toml: definitions.\"road(x)\": the name 'road' is taken: it is already a class.",
    '[definitions]\n"boat(x)" = "ship(x)"':
        "own.toml: definitions.\"boat(x)\": the name 'boat' is taken: it also means 'ship'.",
    '[definitions]\n"a(x)" = "ship(x)"\n"a(x, y)" = "near(x, y)"':
        "own.toml: definitions.\"a(x, y)\": the name 'a' is taken: it is already there.",
    '[definitions]\n"a(x)" = "ship(x)"\n[links]\na = "near(x, y)"':
        "own.toml: links.a: the name 'a' is taken: it is already there.",
    '[definitions]\n"Big Ship(x)" = "ship(x)"':
        'own.toml: definitions."Big Ship(x)": expected a name with its parameters, such as "isolated(x)".',
    '[definitions]\n"Big(x)" = "ship(x)"':
        "own.toml: definitions.\"Big(x)\": 'Big' is no name: small letters, digits and _, a letter first.",
    '[definitions]\n"a(x)" = "shp(x)"':
        'own.toml: definitions."a(x)": No class or attribute \'shp\' in vocabulary own.\n'
        "  shp(x)\n"
        "  ^^^\n"
        "Nearest: ship.",
    '[definitions]\n"a(x)" = "area(x) > 5 m"':
        'own.toml: definitions."a(x)": An area and a length cannot be compared.\n'
        "  area(x) > 5 m\n"
        "  ^^^^^^^^^^^^^\n"
        "Units of an area: px2, m2, ha, km2.",
    '[links]\na = "ship(x) & near(x, y)"\nb = "a(x, y)"':
        "own.toml: links.b: a link's formula uses no link, this one uses 'a'.",
    '[links]\na = "ship(x) & a(x, y)"':
        "own.toml: links.a: a link's formula uses no link, this one uses 'a'.",
    '[definitions]\n"d(x)" = "exists y (a(x, y))"\n[links]\na = "near(x, y)"\nb = "d(x) & near(x, y)"':
        "own.toml: links.b: a link's formula uses no link, this one uses 'a'.",
    '[links]\na = "ship(x)"':
        "own.toml: links.a: Parameter 'y' does not occur free in the formula.",
    '[links]\n"a(x)" = "ship(x)"':
        'own.toml: links."a(x)": a link has two parameters, got 1.',
}  # fmt: skip


@pytest.mark.parametrize("toml", REFUSALS, ids=[toml.splitlines()[-1][:50] for toml in REFUSALS])
def test_refusal(toml: str) -> None:
    with pytest.raises(DataError) as caught:
        Vocabulary.from_toml(CLASSES + toml, "own.toml")
    assert str(caught.value) == REFUSALS[toml]


def test_what_is_no_formula_is_refused_with_file_and_key() -> None:
    with pytest.raises(DataError, match=r'^own\.toml: definitions\."a\(x\)": '):
        Vocabulary.from_toml(CLASSES + '[definitions]\n"a(x)" = "ship(x"', "own.toml")


def test_too_large_already_in_the_file() -> None:
    with pytest.raises(DataError) as caught:
        Vocabulary.from_toml(chain(17, "{0} & {0}"), "own.toml")
    assert str(caught.value) == (
        'own.toml: definitions."d1(x)": written out it has 196607 nodes in 18 levels; '
        "at most 100000 in 200 are handled."
    )


def test_links_may_name_their_parameters() -> None:
    vocabulary = Vocabulary.from_toml(CLASSES + '[links]\n"upwind(a, b)" = "road(a) & near(a, b)"')
    assert vocabulary.links["upwind"].params == ("a", "b")
    assert Vocabulary.from_toml(vocabulary.to_toml()) == vocabulary


def test_a_new_class_takes_its_name_back_from_a_synonym(vocabulary: Vocabulary) -> None:
    """Definitions that were written with the synonym keep their meaning, in the file too."""
    wider = vocabulary.with_classes(["boat"])
    assert wider.definitions["lonely_boat"].text == "ship(x) & isolated(x)"
    assert expanded("exists x (lonely_boat(x))", wider) == expanded("exists x (lonely_boat(x))", vocabulary)
    assert Vocabulary.from_toml(wider.to_toml()) == wider
