"""Messages for texts that no grammar accepts, taught by example: each message stands beside texts that deserve it.

An example is read once; where the parser stops in it (after what, before what) is remembered. A text that stops at
such a place gets the message.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from lark import Lark, Token
from lark.exceptions import UnexpectedToken

from .actions import span_of
from .collisions import OPERAND_ENDS
from .refusal import FormulaError
from .syntax import Syntax


@dataclass(frozen=True, slots=True)
class Mistake:
    """A message, the way out, and texts that deserve it; {} in the message is the sign at which reading stops."""

    message: str
    hint: str | None
    examples: tuple[str, ...]


MISTAKES = (
    Mistake("There is no formula here.", "An example: exists x (ship(x) & ~near(x, x))", ("",)),
    Mistake("The formula ends too early.", None,
            ("ship(x) &", "~", "area(x) >", "exists x", "exists x.", "ship(x) -> -", "area(x) > -", "count x",
             "exists")),
    Mistake("'{}' is not read as a connective.", "Write '&' for and, '|' for or.",
            ("ship(x) ^ plane(x)", "ship(x) v plane(x)", "ship(x); plane(x)")),
    Mistake("',' does not join formulas; it stands between variables or arguments.", "Write '&' for and.",
            ("ship(x), plane(x)",)),
    Mistake("'{}' is not read: an implication goes from left to right.", "Write g -> f for f <- g; put a space between "
            "'<' and a minus sign.", ("ship(x) <- plane(x)",)),
    Mistake("'in' after a variable: of a class, or inside something?", "Write harbor(x) or x ∈ harbor for the class, "
            "exists y (harbor(y) & inside(x, y)) for the place.", ("x in harbor",)),
    Mistake("'|' stands where a formula or a term should be.",
            "The number of ships is count x (ship(x)); 'or' stands between two formulas.",
            ("|ship| > 3", "ship(x) & |", "(|x|)", "area(x) > |ship|", "exists x. |ship| > 3")),
    Mistake("'#' is read only before a set: #{x : f}.", "The number of ships is count x (ship(x)).",
            ("#ship > 3", "ship(x) & #ship > 3", "3 < #ship", "(#ship)", "exists x. #ship > 3")),
    Mistake("Braces are not parentheses; they stand only in |{x : f}| and #{x : f}.", "Use round brackets.",
            ("ship(x) & {plane(x)}", "~{plane(x)}", "({plane(x)})", "near({x}, x)", "near(x, {x})", "3 > {x}",
             "exists x {ship(x)}", "exists x. {ship(x)}", "near{x}")),
    Mistake("'?' is read only in '? [X] :', and at the very end of a text.", None,
            ("?", "~?x", "(?x)", "near(?x, y)", "near(x, ?y)", "x = ?y", "ship(x)? & plane(x)", "exists ?x (ship(x))",
             "exists x. ?x")),
    Mistake("'{}' follows a complete formula or term.", "A connective such as '&', or a bracket, is missing before it.",
            ("ship(x) plane(x)", "ship(x) exists y (plane(y))", "ship(x) ~plane(x)", "ship(x) \"a\"", "ship(x) 5",
             "ship(x) (plane(x))", "ship(x) true", "ship(x) count y (plane(y)) > 3")),
    Mistake("'{}' stands between terms, and there is a formula before it.",
            "Between formulas write '->' for implies, '<->' for if and only if, '&' for and, '|' for or.",
            ("exists x (ship(x)) <= exists y (plane(y))", "exists x (ship(x)) + 3")),
    Mistake("'.' opens the body of a quantifier or ends a text; a number has digits after it.", None,
            ("ship(x).plane(x)", "area(x) > 5. & true", ".", "~.x", "(.x)", "x = .y")),
    Mistake("':' stands only after the variables of a quantifier or set.", None,
            ("ship(x): plane(x)", "(x: ship(x))", ": ship(x)", "~: x")),
    Mistake("A quantifier needs a variable.", "Write exists x (ship(x)).",
            ("exists (ship(x))", "forall . ship(x)", "exists ~ship(x)", "forall 5",
             "exists>=3 (ship(x))", "forall -> x", "exists = x", "forall = x", "exists forall x (ship(x))",
             "forall \"x\" (ship(x))", "exists>=3 ship(x)", "forall ship(x)", "exists true")),
    Mistake("'count' and 'cover' are words of the language; a variable and a bracket follow: count x (f).",
            "No class, attribute or relation has such a name.",
            ("count (ship(x)) > 3", "cover(x, y)", "exists count (ship(x))")),
    Mistake("A count needs a bracket: count x (f).", None,
            ("count x ship(x) > 3", "count x: ship(x) > 3", "count x > 3", "count x ~ship(x)", "count x, 3")),
    Mistake("A set is written |{x : f}| or #{x : f}, with one variable.", None,
            ("|{ship}| > 3", "|{5}| > 3", "|{(x)}|", "|{x, y : near(x, y)}| > 3", "#{}", "|{x & y}|", "|{~x}|",
             "|{ship(x)}| > 3")),
    Mistake("The brackets are empty.", "Put a variable between them: ship(x).",
            ("ship()", "(ship(x) & ())", "()", "near(x,)")),
    Mistake("'{}' stands where a formula or a term should begin.", None,
            ("& ship(x)", "~ & ship(x)", "(& ship(x))", "exists x. & ship(x)", "near(& x)",
             "near(x, & y)", "> 3", "~ > 3", "(> 3 & ship(x))", "ship(x) & > 3", "exists x. > 3", "near(> x)",
             "near(x, > 3)", ", x", "~ , x", "(, x)", "ship(x) & , x", "near(x,, y)", "exists x. , x", "* 3", "+ 3")),
    Mistake("'{}' stands where a term should be.", "A comparison is between numbers, texts or variables.",
            ("area(x) > ~ship(x)", "area(x) > exists y (ship(y))", "area(x) > > 3", "area(x) > & 3", "x = , y",
             "area(x) + * 3")),
    Mistake("'in' after a quantifier's variable is followed by the name of a class.", "Write exists x in ship. f",
            ("exists x in (ship(x))", "exists x in 5")),
    Mistake("The class after '∈' is a name.", None,
            ("x ∈ 5", "x ∈ (ship)", "x ∈ {ship}", "x ∈ ~ship", "x ∈", "x ∈ \"a\"")),
    Mistake("'{}' is read only after a number.", "Write 5 % or 10 deg.", ("ship(x) % 5", "% 5", "(% 5)", "x = %")),
)  # fmt: skip

_CATEGORIES = {
    **dict.fromkeys(("AND", "OR", "IMPLIES", "IFF", "XOR", "NOT", "NEGATIVE"), "connective"),
    **dict.fromkeys(("COMPARE", "PLUS", "MINUS", "TIMES", "DIVIDE", "SIGN"), "operator"),
    **dict.fromkeys(("EXISTS", "FORALL", "NO_EXISTS", "UNIQUE"), "quantifier"),
    **dict.fromkeys(("BODY", "SUCH_THAT"), "body"),
    **dict.fromkeys(("COUNT", "COVER"), "count"),
    **dict.fromkeys(("ELEMENT", "NOT_ELEMENT"), "element"),
}

# what could stand at a place, from the terminals that the parser would take there
_EXPECTED = (
    ("VAR", "a variable"), ("SORT", "a class"), ("UNIT", "a unit"), ("BODY", "."), ("AND", "a connective"),
    ("COMPARE", "a comparison"), ("PLUS", "an operator"), ("LPAR", "("), ("RPAR", ")"), ("COMMA", ","),
    ("SUCH_THAT", ":"), ("SET_CLOSE", "}"), ("$END", "the end"),
)  # fmt: skip


def expected_of(terminals: Iterable[str]) -> tuple[str, ...]:
    """In words what the parser would take."""
    accepted = set(terminals)
    listed = []
    if {"NOT", "NAME"} <= accepted:
        listed.append("a formula")
    if {"NUMBER", "NAME"} <= accepted:
        listed.append("a term")
        accepted.discard("LPAR")
    return tuple(listed + [words for terminal, words in _EXPECTED if terminal in accepted])


def explained(error: UnexpectedToken, text: str, parser: Lark) -> FormulaError:
    """The message that the examples teach for the place where the parser stopped."""
    token = error.token
    at_end = token.type == "$END"
    end = len(text.rstrip())
    span = (end, end + 1) if at_end else span_of(token)
    known = _lessons(parser).get(_place(error))
    expected = expected_of(_accepted(error.interactive_parser) if error.interactive_parser else error.accepts or ())
    if known is not None:
        return FormulaError(known.message.replace("{}", str(token)), span=span, hint=known.hint, expected=expected)
    what = "The text ends" if at_end else f"'{token}' stands"
    message = f"{what} where {_either(expected)} should be." if expected else "This is not a formula."
    return FormulaError(message, span=span, expected=expected)


def _accepted(parser: Any) -> set[str]:
    return cast(set[str], parser.accepts())


def _either(listed: tuple[str, ...]) -> str:
    quoted = [words if words[0].isalpha() else f"'{words}'" for words in listed]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"


@cache
def _lessons(parser: Lark) -> dict[tuple[str, str], Mistake]:
    return dict(taught(parser))


def taught(parser: Lark) -> Iterable[tuple[tuple[str, str], Mistake]]:
    """Each place that an example teaches, with its message. LookupError where an example is no mistake."""
    for mistake in MISTAKES:
        for example in mistake.examples:
            try:
                parser.parse(example)
            except UnexpectedToken as error:
                yield _place(error), mistake
            else:
                raise LookupError(f"not a mistake: {example!r}")


def _place(error: UnexpectedToken) -> tuple[str, str]:
    """After what and before what the parser stopped: operand or kind of sign, kind of sign."""
    stack = error.interactive_parser.parser_state.value_stack if error.interactive_parser else []
    return _before(stack[-1] if stack else None), _kind(error.token)


def _before(top: object) -> str:
    if top is None:
        return "start"
    if isinstance(top, Syntax):
        return "operand"
    if isinstance(top, Token):
        return "operand" if top.type in OPERAND_ENDS else _kind(top)
    return "variables" if isinstance(top, tuple) else "quantifier"


def _kind(token: Token) -> str:
    if token.type == "NAME" and token.lower() == "v":
        return "CARET"
    return _CATEGORIES.get(token.type, "CARET" if token.type == "SEMICOLON" else token.type)
