"""From the spellings of names to canonical names: SmallVehicle, SMALL-VEHICLE and small_vehicle are one."""

from __future__ import annotations

import re
import unicodedata

from .nodes import RESERVED
from .refusal import FormulaError
from .syntax import Spelled

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")  # smallVehicle, USCity
_LETTERS_OF_THEIR_OWN = str.maketrans({"ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "ø": "o", "Ø": "O", "ł": "l",
                                       "Ł": "L", "đ": "d", "ı": "i", "þ": "th", "ð": "d"})  # fmt: skip


def canonical_name(name: Spelled) -> str:
    """Lower-case by word, accents dropped, hyphens to underscores. A FormulaError where that is no name."""
    text = name.text
    if NAME.match(text):
        spelled = text
    else:
        text = text.replace("\\_", "_").replace("{", "").replace("}", "").replace("-", "_")
        text = unicodedata.normalize("NFKD", text.translate(_LETTERS_OF_THEIR_OWN))
        text = "".join(character for character in text if not unicodedata.combining(character))
        words = [word for part in text.split("_") for word in (_WORD_START.split(part) if part else [""])]
        spelled = "_".join(words).lower()
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
