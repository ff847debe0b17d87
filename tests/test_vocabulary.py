"""Vocabularies: the tree of classes, names in every spelling, English phrases, an archive's own vocabulary."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rune_smt.errors import DataError, QueryError
from rune_smt.grammar.plurals import plural
from rune_smt.grammar.vocabulary import (
    NAME,
    VOCABULARIES,
    AttributeWord,
    ClassWord,
    NearLimit,
    NearTable,
    Phrase,
    Vocabulary,
    class_name,
    load_vocabulary,
    unknown_word_error,
)
from rune_smt.grammar.words import ALIASES, WORDS
from tests.shared import shared

DOTA = load_vocabulary("dota-v1.5")
FLOOD = load_vocabulary("flood")


# --- what ships -------------------------------------------------------------------------------------------------------


def test_dota_classes() -> None:
    sizes = {name: len(load_vocabulary(name).classes) for name in VOCABULARIES}
    assert sizes == {"dota-v1.0": 18, "dota-v1.5": 19, "dota-v2.0": 21, "flood": 9}
    assert DOTA.descendants("vehicle") == ("vehicle", "small_vehicle", "large_vehicle")
    assert DOTA.descendants("aircraft") == ("aircraft", "plane", "helicopter")
    assert set(DOTA.descendants("sports_field")[1:]) == {
        "tennis_court", "basketball_court", "soccer_ball_field", "baseball_diamond", "ground_track_field",
    }  # fmt: skip
    new = [set(load_vocabulary(name).classes) for name in VOCABULARIES[:3]]
    assert new[1] - new[0] == {"container_crane"}
    assert new[2] - new[1] == {"airport", "helipad"}


@pytest.mark.parametrize("name", VOCABULARIES)
def test_shipped_vocabularies(name: str) -> None:
    vocabulary = load_vocabulary(name)
    assert vocabulary.name == name
    assert (vocabulary.near.default, vocabulary.far_ratio) == (NearLimit(1.0, "x"), 3.0)
    assert (vocabulary.several, vocabulary.few, vocabulary.many) == (3, 3, 10)
    assert Vocabulary.from_toml(vocabulary.to_toml()) == vocabulary
    assert pickle.loads(pickle.dumps(vocabulary)) == vocabulary
    assert hash(vocabulary) == hash(Vocabulary.from_toml(vocabulary.to_toml()))
    for cls in vocabulary.classes:
        assert vocabulary.resolve(cls) is not None
        assert vocabulary.ancestors(cls)[0] == vocabulary.descendants(cls)[0] == cls


def test_every_class_of_the_dota_files_resolves() -> None:
    folder = shared("data", "dota", "labelTxt")
    names = {line.split()[8] for file in folder.glob("*.txt") for line in file.read_text().splitlines()[2:] if line}
    assert names
    for name in names:
        resolved = DOTA.resolve(name)
        assert resolved is not None
        assert resolved.label == name.replace("-", "_")


# --- loading ----------------------------------------------------------------------------------------------------------


def test_own_files_load_by_path(tmp_path: Path) -> None:
    path = tmp_path / "harbors.toml"
    path.write_text('\ufeffname = "harbors"\n[classes.ship]\n', encoding="utf-8")
    assert set(load_vocabulary(path).classes) == {"ship"}
    assert load_vocabulary(str(path)) == load_vocabulary(path)


def test_no_such_vocabulary() -> None:
    with pytest.raises(QueryError) as caught:
        load_vocabulary("dota-v1")
    assert str(caught.value) == (
        "No vocabulary 'dota-v1'.\nNearest: dota-v1.0, dota-v1.5. Or give the path of a TOML file."
    )
    with pytest.raises(QueryError) as caught:
        load_vocabulary("nowhere/own.toml")
    assert str(caught.value) == (
        "No vocabulary 'nowhere/own.toml'.\n"
        "There are dota-v1.0, dota-v1.5, dota-v2.0, flood. Or give the path of a TOML file."
    )


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"name = \xff")
    with pytest.raises(DataError, match=r"own\.toml: cannot be read as text"):
        load_vocabulary(path)


def test_importing_the_package_loads_no_vocabulary_and_no_parser() -> None:
    code = "import sys, json; import rune_smt.grammar.vocabulary; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"lark", "z3", "shapely", "numpy", "pyarrow"} & set(json.loads(run.stdout))


# --- the tree ---------------------------------------------------------------------------------------------------------


def test_is_a_goes_upwards() -> None:
    assert DOTA.is_a("small_vehicle", "vehicle")
    assert DOTA.is_a("vehicle", "vehicle")
    assert not DOTA.is_a("vehicle", "small_vehicle")
    assert not DOTA.is_a("ship", "vehicle")
    assert DOTA.is_a("submarine", "submarine")  # a label unknown here is itself
    assert not DOTA.is_a("submarine", "ship")
    assert DOTA.ancestors("plane") == ("plane", "aircraft")


@st.composite
def trees(draw: st.DrawFn) -> Vocabulary:
    names = [f"c{i}" for i in range(draw(st.integers(1, 7)))]
    order = draw(st.permutations(names))
    parents = {name: draw(st.sampled_from([None, *names[:i]])) for i, name in enumerate(names)}
    return Vocabulary("tree", {name: ClassWord(name, parents[name]) for name in order})


@given(trees())
def test_descendants_and_ancestors_are_one_relation(vocabulary: Vocabulary) -> None:
    for low in vocabulary.classes:
        for high in vocabulary.classes:
            assert (high in vocabulary.ancestors(low)) == (low in vocabulary.descendants(high))
            assert (high in vocabulary.ancestors(low)) == vocabulary.is_a(low, high)
    for name in vocabulary.classes:
        below = vocabulary.descendants(name)[1:]
        assert list(below) == [other for other in vocabulary.classes if other in below]  # the file's order


# --- near by pairs ----------------------------------------------------------------------------------------------------


def test_the_closest_pair_of_classes_gives_the_limit() -> None:
    classes = {name: ClassWord(name, parent) for name, parent in
               [("vehicle", None), ("car", "vehicle"), ("bus", "vehicle"), ("road", None)]}  # fmt: skip
    pairs = {("road", "vehicle"): NearLimit(30, "m"), ("car", "road"): NearLimit(5, "px"),
             ("vehicle", "vehicle"): NearLimit(2)}  # fmt: skip
    vocabulary = Vocabulary("v", classes, near=NearTable(NearLimit(1), pairs))
    assert vocabulary.near_limit("car", "road") == vocabulary.near_limit("road", "car") == NearLimit(5, "px")
    assert vocabulary.near_limit("bus", "road") == NearLimit(30, "m")
    assert vocabulary.near_limit("bus", "car") == NearLimit(2)
    assert vocabulary.near_limit("road", "road") == NearLimit(1)
    assert vocabulary.near_limit("submarine", "road") == NearLimit(1)


# --- names of data sets -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "label", "how"),
    [
        ("ship", "ship", "class"),
        ("small_vehicle", "small_vehicle", "class"),
        ("small-vehicle", "small_vehicle", "spelling"),
        ("Small Vehicle", "small_vehicle", "spelling"),
        ("SmallVehicle", "small_vehicle", "spelling"),
        (" SHIP ", "ship", "spelling"),
        ("ships", "ship", "spelling"),
        ("airplane", "plane", "synonym"),
        ("Boats", "ship", "synonym"),
        ("storage tanks", "storage_tank", "spelling"),
    ],
)
def test_resolve(source: str, label: str, how: str) -> None:
    resolved = DOTA.resolve(source)
    assert resolved is not None
    assert (resolved.label, dict(resolved.attributes), resolved.how) == (label, {}, how)


@pytest.mark.parametrize("source", ["helipad", "", "  ", "---", "shp"])
def test_what_does_not_resolve(source: str) -> None:
    assert DOTA.resolve(source) is None


def test_the_map_gives_attribute_values() -> None:
    for source in ("building-flooded", "Building-Flooded", "building_flooded", "1"):
        resolved = FLOOD.resolve(source)
        assert resolved is not None
        assert (resolved.label, dict(resolved.attributes), resolved.how) == ("building", {"flooded": True}, "map")
    road = FLOOD.resolve("road-non-flooded")
    assert road is not None
    assert (road.label, dict(road.attributes)) == ("road", {"flooded": False})


def test_the_map_goes_before_a_class_of_the_same_name() -> None:
    vocabulary = Vocabulary("v", {"ship": ClassWord("ship"), "boat": ClassWord("boat")}, map={"boat": ("ship", {})})
    resolved = vocabulary.resolve("boat")
    assert resolved is not None
    assert (resolved.label, resolved.how) == ("ship", "map")


@given(st.text(max_size=20))
def test_any_name_becomes_a_name_of_the_language(source: str) -> None:
    made = class_name(source)
    assert NAME.fullmatch(made)
    assert class_name(made) == made


@pytest.mark.parametrize(
    ("source", "name"),
    [("Small-Vehicle", "small_vehicle"), ("SmallVehicle", "small_vehicle"), ("3 axles", "class_3_axles"),
     ("Café", "cafe"), ("???", "class"), ("BMP-2", "bmp_2"), ("kräftig ", "kraftig"), ("船", "u8239")],
)  # fmt: skip
def test_class_name(source: str, name: str) -> None:
    assert class_name(source) == name


# --- English phrases --------------------------------------------------------------------------------------------------


def test_phrases() -> None:
    phrases = DOTA.phrases()
    assert phrases["ship",] == Phrase("class", "ship")
    assert phrases["ships",] == Phrase("class", "ship", plural=True)
    assert phrases["cars",] == Phrase("class", "small_vehicle", plural=True)
    assert phrases["small", "vehicles"] == Phrase("class", "small_vehicle", plural=True)
    assert phrases["buses",] == Phrase("class", "large_vehicle", plural=True)
    assert phrases["lorries",] == Phrase("class", "large_vehicle", plural=True)
    assert phrases["aircraft",] == Phrase("class", "aircraft", invariant=True)
    assert phrases["soccer", "pitches"] == Phrase("class", "soccer_ball_field", plural=True)
    assert phrases["swimming", "pools"] == Phrase("class", "swimming_pool", plural=True)
    assert phrases["difficult",] == Phrase("attribute", "difficult")
    flood = FLOOD.phrases()
    assert flood["flooded",] == flood["under", "water"] == Phrase("attribute", "flooded")
    assert flood["non", "flooded"] == flood["dry",] == Phrase("attribute", "flooded", opposite=True)
    assert FLOOD.value_phrases()["major", "damage"] == ("damage", "major_damage")


@pytest.mark.parametrize(
    ("one", "many"),
    [("ship", "ships"), ("bus", "buses"), ("bridge", "bridges"), ("lorry", "lorries"), ("quay", "quays"),
     ("church", "churches"), ("box", "boxes"), ("wharf", "wharves"), ("aircraft", "aircraft"), ("person", "people"),
     ("fisherman", "fishermen"), ("small vehicle", "small vehicles"), ("traffic circle", "traffic circles")],
)  # fmt: skip
def test_plural(one: str, many: str) -> None:
    assert plural(one) == many


def test_plurals_of_the_file_and_by_rule() -> None:
    car = ClassWord("small_vehicle", synonyms=("car",), plural=("cars",))
    assert (car.phrase, car.plural_phrase) == ("small vehicle", "small vehicles")
    ox = ClassWord("ox", plural=("oxen",))
    assert ox.plural_phrase == "oxen"
    phrases = Vocabulary("farm", {"ox": ox}).phrases()
    assert phrases["oxen",] == phrases["oxes",] == Phrase("class", "ox", plural=True)


def test_a_name_goes_before_a_plural_made_by_rule() -> None:
    vocabulary = Vocabulary("v", {"glas": ClassWord("glas"), "glases": ClassWord("glases")})
    assert vocabulary.phrases()["glases",] == Phrase("class", "glases")


def test_the_message_for_an_unknown_word() -> None:
    text = "two planes near helipads"
    assert str(unknown_word_error("helipads", DOTA, text, (16, 24))) == (
        "No class or attribute 'helipads' in vocabulary dota-v1.5.\n"
        "  two planes near helipads\n"
        "                  ^^^^^^^^\n"
        "Nearest: helicopter. dota-v2.0 has 'helipad': index or search with --vocabulary dota-v2.0."
    )
    assert str(unknown_word_error("qqq", DOTA)) == (
        "No class or attribute 'qqq' in vocabulary dota-v1.5.\n"
        "rune-smt words --vocabulary dota-v1.5 lists all that is known."
    )


# --- an archive's own vocabulary --------------------------------------------------------------------------------------


def test_labels_become_classes_without_parent() -> None:
    wider = DOTA.with_classes(["ship", "windmill", "windmill", "solar_panel"])
    assert list(wider.classes)[-2:] == ["windmill", "solar_panel"]
    assert wider.classes["windmill"] == ClassWord("windmill")
    assert wider.descendants("windmill") == ("windmill",)
    assert Vocabulary.from_toml(wider.to_toml()) == wider
    assert DOTA.with_classes(["ship"]) is DOTA
    assert wider.with_classes(wider.classes) is wider


def test_a_new_class_takes_its_name_back_from_a_synonym() -> None:
    wider = DOTA.with_classes(["car"])
    assert "car" not in wider.classes["small_vehicle"].synonyms
    resolved = wider.resolve("car")
    assert resolved is not None
    assert (resolved.label, resolved.how) == ("car", "class")
    assert Vocabulary.from_toml(wider.to_toml()) == wider


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("near", "'near' cannot name a class: it is already a word of the language.\n"
                 "Give it another name in the vocabulary's [map]: near = \"...\"."),
        ("beside", "'beside' cannot name a class: it is already a word of the language.\n"
                   "Give it another name in the vocabulary's [map]: beside = \"...\"."),
        ("count", "'count' cannot name a class: it is already a reserved word.\n"
                  "Give it another name in the vocabulary's [map]: count = \"...\"."),
        ("difficult", "'difficult' cannot name a class: it is already an attribute.\n"
                      "Give it another name in the vocabulary's [map]: difficult = \"...\"."),
        ("Wind Mill", "'Wind Mill' cannot name a class: a name has small letters, digits and _ and starts with a "
                      "letter.\nCall it 'wind_mill'."),
    ],
)  # fmt: skip
def test_labels_that_cannot_be_classes(label: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        DOTA.with_classes([label])
    assert str(caught.value) == message


def test_columns_become_attributes_where_they_can_be_named() -> None:
    wider = FLOOD.with_attributes(
        {"cloudy": "boolean", "flooded": "boolean", "area": "number", "score": "number", "near": "text",
         "building": "text", "Source ID": "text", "height_m": "number", "lawn": "boolean"}
    )  # fmt: skip
    added = {name: word for name, word in wider.attributes.items() if name not in FLOOD.attributes}
    assert added == {
        "cloudy": AttributeWord("cloudy", "boolean"),
        "height_m": AttributeWord("height_m", "number"),
        "lawn": AttributeWord("lawn", "boolean"),
    }
    assert "lawn" not in wider.classes["grass"].synonyms
    assert Vocabulary.from_toml(wider.to_toml()) == wider
    assert FLOOD.with_attributes({"flooded": "boolean", "area": "number"}) is FLOOD


def test_a_column_of_another_type_is_refused() -> None:
    with pytest.raises(DataError) as caught:
        FLOOD.with_attributes({"flooded": "text"})
    assert str(caught.value) == (
        "Column 'flooded' holds values of type text, vocabulary flood declares boolean.\n"
        "Give the column another name, or change the vocabulary."
    )


def test_what_names_mean() -> None:
    assert [FLOOD.kind_of(name) for name in ("building", "flooded", "cut_off", "connected", "near", "area", "x")] == [
        "class", "attribute", "definition", "link", "relation", "function", None,
    ]  # fmt: skip
    for name in (*WORDS, *ALIASES):
        assert DOTA.taken(name) == "a word of the language"
    assert (DOTA.taken("count"), DOTA.taken("ship"), DOTA.taken("car")) == ("a reserved word", "a class", None)
