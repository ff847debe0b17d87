"""Vocabularies as TOML: what is read, what is written, and the full text of every refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rune_smt.errors import DataError
from rune_smt.grammar.vocabulary import AttributeWord, ClassWord, NearLimit, NearTable, Vocabulary

EVERYTHING = """
name = "own"
far_ratio = 4
several = 4
few = 2
many = 20
[classes.vehicle]
[classes.small_vehicle]
parent = "vehicle"
synonyms = ["car", "van", "small vehicle"]
plural = ["cars"]
[classes.road]
[classes.building]
[attributes.flooded]
type = "boolean"
synonyms = ["inundated", "under water"]
opposite = ["dry", "non-flooded"]
[attributes.damage]
type = "text"
ordered = ["no_damage", "destroyed"]
[attributes.height]
type = "number"
[map]
automobile = "small_vehicle"
"building flooded" = { label = "building", flooded = true, damage = "no_damage", height = 2.5 }
[near]
default = "1.5 x"
"road building" = "30 m"
"road road" = "0.5 km"
"vehicle road" = "20 px"
"vehicle vehicle" = 2
"""


def test_everything_is_read() -> None:
    vocabulary = Vocabulary.from_toml(EVERYTHING)
    assert (vocabulary.name, vocabulary.far_ratio) == ("own", 4.0)
    assert (vocabulary.several, vocabulary.few, vocabulary.many) == (4, 2, 20)
    assert vocabulary.classes["small_vehicle"] == ClassWord(
        "small_vehicle", "vehicle", ("car", "van", "small vehicle"), ("cars",)
    )
    assert vocabulary.attributes["flooded"] == AttributeWord(
        "flooded", "boolean", ("inundated", "under water"), ("dry", "non-flooded")
    )
    assert vocabulary.attributes["damage"].ordered == ("no_damage", "destroyed")
    assert vocabulary.map == {
        "automobile": ("small_vehicle", {}),
        "building flooded": ("building", {"flooded": True, "damage": "no_damage", "height": 2.5}),
    }
    assert vocabulary.near == NearTable(
        NearLimit(1.5),
        {
            ("building", "road"): NearLimit(30, "m"),
            ("road", "road"): NearLimit(500, "m"),
            ("road", "vehicle"): NearLimit(20, "px"),
            ("vehicle", "vehicle"): NearLimit(2),
        },
    )
    assert Vocabulary.from_toml(vocabulary.to_toml()) == vocabulary


def test_near_ratio_may_be_said_by_its_name() -> None:
    assert Vocabulary.from_toml('name = "v"\nnear_ratio = 2').near.default == NearLimit(2, "x")


def test_least() -> None:
    assert Vocabulary.from_toml('name = "v"') == Vocabulary("v")


# --- writing ----------------------------------------------------------------------------------------------------------

NAMES = st.from_regex(r"[p-t][a-z0-9_]{2,5}[0-9]", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
RATIOS = st.floats(0, 3, allow_nan=False) | st.integers(0, 3)


@st.composite
def vocabularies(draw: st.DrawFn) -> Vocabulary:
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique_by=lambda name: name.replace("_", "")))
    half = draw(st.integers(1, len(names)))
    classes = {
        name: ClassWord(name, draw(st.sampled_from([None, *names[:i]])), (f"syn {name}x",) * draw(st.integers(0, 1)))
        for i, name in enumerate(names[:half])
    }
    attributes = {
        name: draw(
            st.builds(AttributeWord, st.just(name), st.just("text"),
                      ordered=st.lists(st.sampled_from(["low", "middle", 'hi"gh']), unique=True).map(tuple))
            | st.just(AttributeWord(name, "boolean", opposite=(f"un-{name}x",)))
            | st.just(AttributeWord(name, "number"))
        )
        for name in names[half:]
    }  # fmt: skip
    values = {"boolean": st.booleans(), "number": st.floats(allow_nan=False, allow_infinity=False)}
    mapped = {
        key: (
            draw(st.sampled_from(list(classes))),
            {
                name: draw(st.sampled_from(word.ordered) if word.ordered else values.get(word.type, TEXTS))
                for name, word in attributes.items()
            },
        )
        for key in draw(st.lists(TEXTS, max_size=3, unique=True))
    }
    pair = tuple(sorted((draw(st.sampled_from(list(classes))), draw(st.sampled_from(list(classes))))))
    near = NearTable(NearLimit(draw(RATIOS)), {pair: NearLimit(draw(RATIOS), draw(st.sampled_from(["x", "px", "m"])))})
    return Vocabulary(draw(TEXTS.filter(str.strip)), classes, attributes, mapped, near, 3.0 + draw(RATIOS))


@given(vocabularies())
def test_what_is_written_reads_back(vocabulary: Vocabulary) -> None:
    again = Vocabulary.from_toml(vocabulary.to_toml())
    assert again == vocabulary
    assert list(again.classes) == list(vocabulary.classes)
    assert again.to_toml() == vocabulary.to_toml()


# --- refusals ---------------------------------------------------------------------------------------------------------

HEAD = 'name = "own"\n'
CLASSES = HEAD + "[classes.ship]\n[classes.road]\n"

REFUSALS = {
    "[classes.ship]": "own.toml: name: missing: a vocabulary has a name.",
    "name = 3": "own.toml: name: expected a text, got a number.",
    'name = " "': "own.toml: name: is empty.",
    HEAD + "clases = 3": "own.toml: clases: unknown key.\nNearest: classes.",
    HEAD + "zzz = 3": "own.toml: zzz: unknown key.\nKnown: name, near_ratio, far_ratio, several, few, many, classes, "
                      "attributes, map, near, definitions, links.",
    HEAD + "classes = 3": "own.toml: classes: expected a table, got a number.",
    HEAD + "[classes]\nship = 3": "own.toml: classes.ship: expected a table, got a number.\nWrite [classes.ship].",
    HEAD + "[classes.ship]\nparents = 'x'": "own.toml: classes.ship.parents: unknown key.\nNearest: parent.",
    HEAD + "[classes.ship]\nsynonyms = 'x'": "own.toml: classes.ship.synonyms: expected a list of texts, got a text.",
    HEAD + "[classes.ship]\nsynonyms = ['boat', 'boat']": "own.toml: classes.ship.synonyms: 'boat' is listed twice.",
    HEAD + "[classes.ship]\nsynonyms = ['-']": "own.toml: classes.ship.synonyms: '-' is no word.",
    HEAD + "[classes.ship]\nparent = 'vesel'\n[classes.vessel]":
        "own.toml: classes.ship.parent: no class 'vesel'.\nNearest: vessel.",
    HEAD + "[classes.ship]\nparent = 'ship'":
        "own.toml: classes.ship.parent: 'ship' is its own ancestor: ship under ship.",
    HEAD + "[classes.a]\nparent='b'\n[classes.b]\nparent='c'\n[classes.c]\nparent='b'":
        "own.toml: classes.b.parent: 'b' is its own ancestor: b under c under b.",
    HEAD + '[classes."Big Ship"]':
        "own.toml: classes.\"Big Ship\": 'Big Ship' is no name: small letters, digits and _, a letter first.",
    HEAD + "[classes.exists]":
        "own.toml: classes.exists: the name 'exists' is taken: it is already a reserved word.",
    HEAD + "[classes.near]":
        "own.toml: classes.near: the name 'near' is taken: it is already a word of the language.",
    HEAD + "[classes.close_to]":
        "own.toml: classes.close_to: the name 'close_to' is taken: it is already a word of the language.",
    CLASSES + "[attributes.ship]\ntype = 'boolean'":
        "own.toml: attributes.ship: the name 'ship' is taken: it is already a class.",
    CLASSES + "[attributes.area]\ntype = 'number'":
        "own.toml: attributes.area: the name 'area' is taken: it is already a word of the language.",
    CLASSES + "[attributes.dry]": "own.toml: attributes.dry.type: missing: one of boolean, number, text.",
    CLASSES + "[attributes.dry]\ntype = 'bool'":
        "own.toml: attributes.dry.type: expected one of boolean, number, text, got 'bool'.",
    CLASSES + "[attributes.dry]\ntype = 'text'\nopposite = ['wet']":
        "own.toml: attributes.dry.opposite: only a boolean attribute has it, dry is a text.",
    CLASSES + "[attributes.dry]\ntype = 'number'\nordered = ['wet']":
        "own.toml: attributes.dry.ordered: only a text attribute has it, dry is a number.",
    HEAD + "[classes.ship]\nsynonyms = ['boat']\n[classes.ferry]\nsynonyms = ['Boat']":
        "own.toml: classes.ferry.synonyms: 'Boat' would mean both 'ship' and 'ferry'.",
    HEAD + "[classes.ship]\nsynonyms = ['road']\n[classes.road]":
        "own.toml: classes.ship.synonyms: 'road' would mean both 'road' and 'ship'.",
    CLASSES + "[attributes.flooded]\ntype = 'boolean'\nsynonyms = ['wet']\nopposite = ['wet']":
        "own.toml: attributes.flooded.opposite: 'wet' would mean both 'flooded' and 'not flooded'.",
    HEAD + "[classes.ship]\nsynonyms = ['next to']":
        "own.toml: classes.ship.synonyms: 'next to' is taken: it is already a word of the language.",
    HEAD + "several = 0": "own.toml: several: expected a whole number from 1, got 0.",
    HEAD + "many = 2.5": "own.toml: many: expected a whole number from 1, got 2.5.",
    HEAD + "far_ratio = -1": "own.toml: far_ratio: expected a number from 0, got -1.",
    HEAD + "far_ratio = inf": "own.toml: far_ratio: expected a number from 0, got inf.",
    HEAD + "far_ratio = 2\n[near]\ndefault = '2.5 x'":
        "own.toml: far_ratio: 2 is less than the near ratio 2.5 (near.default): "
        "two things would be near and far at once.",
    CLASSES + "[near]\n'ship road' = '4 x'":
        'own.toml: far_ratio: 3 is less than the near ratio 4 (near."road ship"): '
        "two things would be near and far at once.",
    HEAD + "near_ratio = 2\n[near]\ndefault = '1 x'": "own.toml: near_ratio: said twice: near.default is there too.",
    CLASSES + "[near]\ndefault = '1 mile'":
        'own.toml: near.default: expected a limit such as "1 x", "30 m" or "20 px", got \'1 mile\'.',
    CLASSES + "[near]\n'ship roads' = '4 m'": "own.toml: near.\"ship roads\": no class 'roads'.\nNearest: road.",
    CLASSES + "[near]\nship = '4 m'": "own.toml: near.ship: expected the names of two classes, or default.",
    CLASSES + "[near]\n'ship road' = '4 m'\n'road ship' = '3 m'":
        'own.toml: near."road ship": these two classes are there twice.',
    CLASSES + "[map]\nboat = 'shp'": "own.toml: map.boat: no class 'shp'.\nNearest: ship.",
    CLASSES + "[map]\nboat = 3": "own.toml: map.boat: expected a class, or a table with a label, got a number.",
    CLASSES + "[map]\nboat = { flooded = true }": "own.toml: map.boat: label is missing.",
    CLASSES + "[map]\n'my boat' = { label = 'ship', flooded = true }":
        "own.toml: map.\"my boat\".flooded: no attribute 'flooded'.",
    CLASSES + "[attributes.flooded]\ntype='boolean'\n[map]\nboat = { label = 'ship', flooded = 1 }":
        "own.toml: map.boat.flooded: expected a boolean, got a number.",
    CLASSES + "[attributes.wear]\ntype='number'\n[map]\nboat = { label = 'ship', wear = true }":
        "own.toml: map.boat.wear: expected a number, got a boolean.",
    CLASSES + "[attributes.wear]\ntype='text'\nordered=['low','high']\n[map]\nboat = { label = 'ship', wear = 'hihg' }":
        "own.toml: map.boat.wear: 'hihg' is no value of wear.\nNearest: high.",
}  # fmt: skip


@pytest.mark.parametrize("toml", REFUSALS, ids=[toml.splitlines()[-1][:50] for toml in REFUSALS])
def test_refusal(toml: str) -> None:
    with pytest.raises(DataError) as caught:
        Vocabulary.from_toml(toml, "own.toml")
    assert str(caught.value) == REFUSALS[toml]


def test_what_is_not_toml() -> None:
    with pytest.raises(DataError, match=r"^own\.toml:2: not TOML: "):
        Vocabulary.from_toml('name = "own"\n[classes\n', "own.toml")


@given(st.text(max_size=60) | st.text("[]=\"' \nabcname.{}", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        Vocabulary.from_toml(text)
    except DataError as error:
        assert str(error).startswith("vocabulary")


def test_a_class_of_which_an_attribute_is_never_said() -> None:
    text = 'name = "v"\n[classes.water]\n[attributes.flooded]\ntype = "boolean"\nnever = ["water"]\n'
    vocabulary = Vocabulary.from_toml(text)
    assert vocabulary.attributes["flooded"].never == ("water",)
    assert Vocabulary.from_toml(vocabulary.to_toml()) == vocabulary
    with pytest.raises(DataError, match="no class 'watr'"):
        Vocabulary.from_toml(text.replace('["water"]', '["watr"]'))
