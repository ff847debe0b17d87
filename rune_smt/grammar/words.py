"""The words that every vocabulary has (LANGUAGE, section 4), as data: what they take, what they need, their laws.

No geometry here: what makes a word true is computed in one place, `rune_smt.entities.relations`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["relation", "function"]
Dimension: TypeAlias = Literal["truth", "length", "area", "angle", "none"]
Need: TypeAlias = Literal["", "image size", "transform", "direction"]


@dataclass(frozen=True, slots=True)
class Word:
    """One word: near, area, ...

    name          as the canonical text has it
    kind          "relation" is a formula, "function" a number
    arity         how many arguments; for a variadic word how many at least
    gloss         an English example of its use
    phrase        how it reads between its arguments: {0} for the first, {1} the second; {...} for all of a variadic one
    dimension     of the value; "truth" for a relation
    needs         what an entity or image may lack, so that the word is undecided of it; "" for nothing
    variadic      takes `arity` arguments or more
    symmetric     the arguments may be exchanged, all of them
    swappable     positions of arguments that may be exchanged with each other; all of them when symmetric
    transitive    r(x, y) & r(y, z) -> r(x, z)
    inverse       r(x, y) says the same as inverse(y, x)
    implies       words w with r(x, y) -> w(x, y)
    excludes      words w with r(x, y) -> ~w(x, y)
    complement    words w such that r(x) says that none of them is true of x
    numeric       turns on one limit, so that a miss has a nearest value (LANGUAGE, section 9)
    """

    name: str
    kind: Kind
    arity: int
    gloss: str
    phrase: str
    dimension: Dimension = "truth"
    needs: Need = ""
    variadic: bool = False
    symmetric: bool = False
    swappable: tuple[int, ...] = ()
    transitive: bool = False
    inverse: str | None = None
    implies: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    complement: tuple[str, ...] = ()
    numeric: bool = False

    @property
    def irreflexive(self) -> bool:
        """False of every tuple with a repeated entity: so are all relations of two and more."""
        return self.kind == "relation" and self.arity > 1

    def takes(self, arguments: int) -> bool:
        """Whether the word may be applied to so many arguments."""
        return arguments == self.arity or (self.variadic and arguments > self.arity)


def _order(name: str, inverse: str, gloss: str, phrase: str, needs: Need = "") -> Word:
    """A strict order: irreflexive and transitive, with its inverse."""
    return Word(name, "relation", 2, gloss, phrase, needs=needs, transitive=True, inverse=inverse)


def _third(side: str, other: str) -> Word:
    """A position in an outer third of the image."""
    gloss = f"a ship in the {side} third of the image"
    return Word(
        f"in_{side}", "relation", 1, gloss, f"{{0}} is in the {side} third of the image",
        needs="image size", excludes=(f"in_{other}", "in_center"),
    )  # fmt: skip


_LISTED = (
    Word("near", "relation", 2, "ships near a harbor", "{0} is near {1}", symmetric=True, excludes=("far",),
         numeric=True),
    Word("far", "relation", 2, "a ship far from every harbor", "{0} is far from {1}", symmetric=True,
         excludes=("near",), numeric=True),
    Word("touches", "relation", 2, "a ship that touches a harbor", "{0} touches {1}", symmetric=True, implies=("near",),
         numeric=True),
    Word("overlaps", "relation", 2, "a plane that overlaps another", "{0} overlaps {1}", symmetric=True,
         implies=("touches",)),
    Word("inside", "relation", 2, "a ship in a harbor", "{0} is inside {1}", inverse="contains", implies=("overlaps",),
         excludes=("surrounded_by",), numeric=True),
    Word("contains", "relation", 2, "a harbor that contains a ship", "{0} contains {1}", inverse="inside",
         numeric=True),
    _order("left_of", "right_of", "a plane left of a helicopter", "{0} is left of {1}"),
    _order("right_of", "left_of", "a plane right of a helicopter", "{0} is right of {1}"),
    _order("above", "below", "a bridge above a roundabout", "{0} is above {1}"),
    _order("below", "above", "a bridge below a roundabout", "{0} is below {1}"),
    _order("larger", "smaller", "a ship larger than a plane", "{0} is larger than {1}"),
    _order("smaller", "larger", "a ship smaller than a plane", "{0} is smaller than {1}"),
    Word("parallel", "relation", 2, "two parallel ships", "{0} is parallel to {1}", symmetric=True,
         excludes=("perpendicular",), numeric=True),
    Word("perpendicular", "relation", 2, "a ship perpendicular to a bridge", "{0} is perpendicular to {1}",
         symmetric=True, excludes=("parallel",), numeric=True),
    Word("between", "relation", 3, "a ship between two harbors", "{0} is between {1} and {2}", swappable=(1, 2)),
    Word("aligned", "relation", 3, "three planes in a row", "{...} are in a row", variadic=True, symmetric=True),
    Word("clustered", "relation", 2, "four storage tanks grouped together", "{...} are clustered", variadic=True,
         symmetric=True),
    Word("surrounded_by", "relation", 2, "a building surrounded by water", "{0} is surrounded by {1}",
         excludes=("inside",)),
    _order("north_of", "south_of", "a ship north of a harbor", "{0} is north of {1}", "transform"),
    _order("south_of", "north_of", "a ship south of a harbor", "{0} is south of {1}", "transform"),
    _order("east_of", "west_of", "a ship east of a harbor", "{0} is east of {1}", "transform"),
    _order("west_of", "east_of", "a ship west of a harbor", "{0} is west of {1}", "transform"),
    Word("at_border", "relation", 1, "a ship at the border of the image", "{0} is at the border of the image",
         needs="image size"),
    Word("same_class", "relation", 2, "two things of the same class", "{0} is of the same class as {1}",
         symmetric=True),
    _third("left", "right"),
    _third("right", "left"),
    _third("top", "bottom"),
    _third("bottom", "top"),
    Word("in_center", "relation", 1, "a ship in the center", "{0} is in the center of the image", needs="image size",
         excludes=("in_left", "in_right", "in_top", "in_bottom"),
         complement=("in_left", "in_right", "in_top", "in_bottom")),
    Word("large", "relation", 1, "a large ship", "{0} is large for its class", excludes=("small",), numeric=True),
    Word("small", "relation", 1, "a small ship", "{0} is small for its class", excludes=("large",), numeric=True),
    Word("area", "function", 1, "a ship with an area of more than 500 m2", "the area of {0}", dimension="area"),
    Word("length", "function", 1, "a ship longer than 100 m", "the length of {0}", dimension="length"),
    Word("width", "function", 1, "a bridge wider than 20 m", "the width of {0}", dimension="length"),
    Word("distance", "function", 2, "a ship within 50 m of a harbor", "the distance between {0} and {1}",
         dimension="length", symmetric=True),
    Word("center_distance", "function", 2, "a ship whose center is within 50 m of the center of another",
         "the distance between the centers of {0} and {1}", dimension="length", symmetric=True),
    Word("angle", "function", 1, "a ship at an angle of less than 45 degrees", "the angle of {0}", dimension="angle",
         needs="direction"),
    Word("score", "function", 1, "a ship with a score of at least 0.9", "the score of {0}", dimension="none"),
)  # fmt: skip

WORDS: dict[str, Word] = {word.name: word for word in _LISTED}
RELATIONS: dict[str, Word] = {word.name: word for word in _LISTED if word.kind == "relation"}
FUNCTIONS: dict[str, Word] = {word.name: word for word in _LISTED if word.kind == "function"}

_DIRECTIONS = ("left_of", "right_of", "north_of", "south_of", "east_of", "west_of")

ALIASES: dict[str, str] = {
    **dict.fromkeys(("is_close", "close", "close_to", "nearby", "next_to", "beside", "adjacent_to"), "near"),
    **dict.fromkeys(("is_on", "on", "within", "is_in"), "inside"),
    **{f"is_{word}": word for word in _DIRECTIONS},
    **{f"to_the_{word}": word for word in _DIRECTIONS},
    "is_above": "above",
    "is_below": "below",
    "is_between": "between",
    "bigger": "larger",
    "greater_than": "larger",
}


def laws(name: str, arguments: int | None = None) -> tuple[str, ...]:
    """The laws of a relation as canonical text, all that a solver may assert of it and nothing more.

    arguments    for a variadic word how many it is applied to; its least number otherwise
    raises       KeyError where there is no such relation
    """
    word = RELATIONS[name]
    count = arguments or word.arity
    names = [f"x{i + 1}" for i in range(count)]
    here = _applied(name, names)
    said = [f"{here} -> {names[i]} != {names[j]}" for i in range(count) for j in range(i + 1, count)]
    swappable = tuple(range(count)) if word.symmetric else word.swappable
    for first, second in pairwise(swappable):  # neighbours exchanged make every order
        swapped = list(names)
        swapped[first], swapped[second] = swapped[second], swapped[first]
        said.append(f"{here} -> {_applied(name, swapped)}")
    if word.transitive:
        said.append(f"{name}(x1, x2) & {name}(x2, x3) -> {name}(x1, x3)")
    if word.inverse:
        said.append(f"{here} <-> {word.inverse}(x2, x1)")
    said += [f"{here} -> {_applied(other, names)}" for other in word.implies]
    said += [f"{here} -> ~{_applied(other, names)}" for other in word.excludes]
    if word.complement:
        said.append(f"{here} <-> " + " & ".join(f"~{_applied(other, names)}" for other in word.complement))
    if name == "same_class":
        said.append("same_class(x1, x2) & same_class(x2, x3) & x1 != x3 -> same_class(x1, x3)")
    if name == "clustered" and count == 2:
        said.append("clustered(x1, x2) <-> near(x1, x2)")
    return tuple(_closed(law) for law in said)


def _applied(name: str, arguments: list[str]) -> str:
    return f"{name}({', '.join(arguments)})"


def _closed(law: str) -> str:
    variables = sorted({f"x{i}" for i in range(1, 100) if f"x{i}," in law or f"x{i})" in law}, key=lambda v: int(v[1:]))
    for variable in reversed(variables):
        law = f"forall {variable} ({law})"
    return law
