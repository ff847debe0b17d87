"""What surrounds a formula and says nothing: typography, Markdown, lead-ins, LaTeX layout.

Every step returns a text of the same length, so that an offset into the clean text is one into the text as given.
What stands between double quotes is left alone.
"""

from __future__ import annotations

import re

_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_INVISIBLE = "\u00ad\u034f\u061c\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufe0e\ufe0f\ufeff"
_SAME = str.maketrans(
    {
        **dict.fromkeys(_SPACES + _INVISIBLE + "`", " "),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\uff0d", "-"),
        **dict.fromkeys("\u2018\u2019\u201a\u201b", "'"),
        **{chr(0xFF01 + i): chr(0x21 + i) for i in range(94) if not chr(0x21 + i).isalnum()},  # full-width signs
        "、": ",", "。": ".", "\uff3f": "_", "∣": "|", "∶": ":", "⁎": "*", "∗": "*", "∖": "\\", "␣": " ",
    }
)  # fmt: skip
_SMART_QUOTES = "“”„‟«»＂"

# a text that is never closed runs to the end, so that no quote is looked at twice
_STRING_OR_REST = re.compile(rf'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[{_SMART_QUOTES}]|[^"{_SMART_QUOTES}]+', re.DOTALL)
_FENCE = re.compile(r"(?:\A|\n)[ \t]*(```++|~~~++)[^\n`]*+\n(.*?)\n?[ \t]*\1[ \t]*(?=\n|\Z)", re.DOTALL)
_LEAD_IN = re.compile(
    r"\s*(\*\*)?(?P<words>[A-Za-z][A-Za-z0-9 \t,.'!()\n-]{0,160}?)[ \t]*(\*\*)?:(\*\*)?(?=\s|\*|$|\W)"
)
_FORMULA_WORDS = frozenset(
    ("not", "exists", "forall", "for", "there", "some", "all", "every", "each", "no", "count", "cover", "true", "false")
)  # a text that starts with one of these is not a lead-in
_LEADS = frozenset(
    [
        "fol",
        "formula",
        "formulas",
        "logic",
        "query",
        "answer",
        "output",
        "result",
        "translation",
        "expression",
        "form",
        "statement",
        "solution",
        "premise",
        "conclusion",
        "hypothesis",
        "prover9",
        "latex",
        "tptp",
        "response",
        "final",
    ]
)  # a single word before a colon


def clean(text: str) -> str:
    """The text with plain spaces, quotes and hyphens, without fences, backticks and lead-ins; of the same length."""
    text = _fenced(text)
    text = "".join(_plain(piece) for piece in _STRING_OR_REST.findall(text))
    text = _without_lead_in(text)
    return _unquoted(text)


def _plain(piece: str) -> str:
    if piece[0] == '"':
        return piece
    if piece in _SMART_QUOTES:
        return '"'
    return piece.translate(_SAME).replace("**", "  ")


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _fenced(text: str) -> str:
    """The inside of a Markdown fence, if one stands first or after words that end with a colon, and nothing follows."""
    found = _FENCE.search(text)
    if found is None or '"' in text[: found.start()]:
        return text
    before = text[: found.start()].strip()
    if (before and not before.rstrip("*").endswith(":")) or text[found.end() :].strip():
        return text
    inside = slice(found.start(2), found.end(2))
    return _blank(text[: inside.start]) + text[inside] + _blank(text[inside.stop :])


def _without_lead_in(text: str) -> str:
    """`FOL:`, `Here is the formula:` and their like, blanked."""
    found = _LEAD_IN.match(text)
    if found is None or not text[found.end() :].strip():
        return text
    words = re.findall(r"[a-z0-9']+", found["words"].lower())
    if not words or words[0] in _FORMULA_WORDS or len(words[-1]) == 1 or "(" in found["words"].split("\n")[-1]:
        return text
    if len(words) == 1 and words[0] not in _LEADS:
        return text
    return _blank(text[: found.end()]) + text[found.end() :]


def _unquoted(text: str) -> str:
    """A text that is one string in quotes and nothing else can only be a quoted formula."""
    stripped = text.strip()
    if len(stripped) > 2 and stripped[0] == stripped[-1] == '"' and not re.search(r'["\\]', stripped[1:-1]):
        return text.replace('"', " ")
    return text


# --- LaTeX ------------------------------------------------------------------------------------------------------------

_LATEX = re.compile(
    r"""
      (?P<string>"(?:[^"\\]|\\.)*(?:"|\\?\Z))
    | (?P<count>(?:\\exists|∃)\s*[_^]\s*\{(?P<inside>[^{}\n]{0,20})\})
    | (?P<raised>(?:\\exists|∃)\s*[_^](?=\s*(?:[<>=≤≥]|\\[gl]eq?)))
    | (?P<font>\\(?:text|textit|textbf|textrm|textsf|texttt|textsc|mathrm|mathit|mathbf|mathsf|mathtt|mathcal|mbox|hbox
        |operatorname\*?|emph|ensuremath)\s*\{(?P<name>[^{}\n]{0,80})\})
    | (?P<size>\\(?:left|right|middle|[bB]igg?[lrm]?)(?![a-zA-Z])\.?)
    | (?P<layout>\\(?:quad|qquad|displaystyle|textstyle|limits|nolimits|nonumber|hfill|newline|thinspace)(?![a-zA-Z])
        |\\(?:begin|end)\{[a-zA-Z*]+\}|(?<!/)\\[,;:!>\ ()]|\\\\|\\\[|\\\])
    """,
    re.VERBOSE | re.DOTALL,
)


_MATH = re.compile(r"(?<![\w$])(\$\$?)([^$]*)(\$\$?)(?![\w$])")  # $...$, but not TPTP's $true


def without_latex_layout(text: str) -> str:
    r"""`\,`, `\left`, `\text{...}`, `$` blanked, the words inside a font command joined to one name; same length."""
    if "$" in text:
        text = _MATH.sub(lambda found: " " * len(found[1]) + found[2] + " " * len(found[3]), text)
    if "\\" not in text and "^" not in text and "∃_" not in text:
        return text
    return _LATEX.sub(_layout, text)


def _layout(found: re.Match[str]) -> str:
    whole = found[0]
    if found["string"]:
        return whole
    if found["count"]:
        start = found.start("inside") - found.start()
        head = re.sub(r"[_^{]", " ", whole[:start])
        return head + found["inside"] + " "
    if found["raised"]:
        return re.sub(r"[_^]", " ", whole)
    if found["font"]:
        start = found.start("name") - found.start()
        name = found["name"]
        inner = name.strip()
        joined = inner if " " not in inner or _is_connective(inner) else re.sub(r"\s", "_", inner)
        at = name.find(inner)
        return " " * start + name[:at] + joined + name[at + len(inner) :] + " "
    return _blank(whole)


def _is_connective(words: str) -> bool:
    return words.lower() in ("for all", "for every", "for each", "for some", "there exists", "there is")
