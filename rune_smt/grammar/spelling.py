"""From the spellings of names to canonical names: SmallVehicle, SMALL-VEHICLE and small_vehicle are one."""

from __future__ import annotations

import re
import unicodedata

from .nodes import RESERVED, UNITS
from .refusal import FormulaError
from .syntax import Spelled

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")

UNIT_SPELLINGS = {
    **{unit: unit for unit in UNITS},
    "px²": "px2", "pixel": "px", "pixels": "px", "meter": "m", "meters": "m", "metre": "m", "metres": "m",
    "m²": "m2", "sqm": "m2", "kilometer": "km", "kilometers": "km", "kilometre": "km", "kilometres": "km",
    "km²": "km2", "hectare": "ha", "hectares": "ha", "degree": "deg", "degrees": "deg", "percent": "%",
}  # fmt: skip

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")  # smallVehicle, USCity
_LETTERS_OF_THEIR_OWN = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "ø": "o", "Ø": "O", "ł": "l",
                                       "Ł": "L", "đ": "d", "ı": "i", "þ": "th", "ð": "d"})  # fmt: skip


def canonical_name(name: Spelled, *, open_vocabulary: bool = False) -> str:
    """Lower-case by word, accents and apostrophes dropped, hyphens to underscores. FormulaError where that is no name.

    With `open_vocabulary` a name that starts with a digit is kept behind an `n`: 8pm is n8pm.
    """
    text = name.text
    if NAME.match(text):
        spelled = text
    else:
        text = re.sub(r"[{}']", "", text.replace("\\_", "_")).replace("-", "_")
        text = unicodedata.normalize("NFKD", text.translate(_LETTERS_OF_THEIR_OWN))
        text = "".join(character for character in text if not unicodedata.combining(character))
        words = [word for part in text.split("_") for word in (_WORD_START.split(part) if part else [""])]
        spelled = "_".join(words).lower()
    if spelled[:1].isdigit():
        if not open_vocabulary:
            raise FormulaError(
                f"'{name.text}' is neither a name nor a number with its unit.",
                span=name.span,
                hint="Units are px, px2, m, km, m2, ha, km2, deg and %. A name does not start with a digit.",
                expected=("a name", "a unit"),
            )
        spelled = "n" + spelled.replace(".", "_")
    if spelled in RESERVED:
        raise FormulaError(f"'{spelled}' is a word of the language and cannot be a name.", span=name.span)
    if not NAME.match(spelled):
        raise FormulaError(
            f"'{name.text}' is not a name.",
            span=name.span,
            hint="A name is a letter, then letters, digits and underscores, without Greek and the like.",
            expected=("a name",),
        )
    return spelled
