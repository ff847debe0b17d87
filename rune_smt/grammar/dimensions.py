"""The type check: every name known, every variable bound, every number of a dimension that fits (LANGUAGE, 3 and 4).

A term is an entity, a text, or a number with a dimension. A bare number, and arithmetic of bare numbers, has none yet:
it takes that of the other side. Counts, scores and numeric attributes are plain: they have none and take none.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, assert_never

from ..errors import LimitError, QueryError
from .names import Names, arity_message
from .nodes import (
    MAX_DEPTH,
    And,
    Apply,
    Arithmetic,
    Compare,
    Count,
    Cover,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Number,
    Or,
    Term,
    Text,
    Truth,
    Variable,
    depth,
)
from .suggestions import nearest_sentence, squeeze
from .vocabulary import AttributeWord, Vocabulary, unknown_name
from .words import ALIASES, FUNCTIONS, WORDS

Kind: TypeAlias = Literal["entity", "text", "length", "area", "angle", "plain", "bare", "percent"]

UNIT_KINDS: dict[str | None, Kind] = {
    None: "bare", "px": "length", "m": "length", "km": "length", "px2": "area", "m2": "area", "ha": "area",
    "km2": "area", "deg": "angle", "%": "percent",
}  # fmt: skip

VALUE_KINDS: dict[str, Kind] = {"length": "length", "area": "area", "angle": "angle", "none": "plain"}

SAID: dict[Kind, str] = {
    "entity": "an entity", "text": "a text", "length": "a length", "area": "an area", "angle": "an angle",
    "plain": "a plain number", "bare": "a plain number", "percent": "a percentage",
}  # fmt: skip

EXAMPLE_UNITS = {"length": "50 px", "area": "500 px2", "angle": "45 deg", "none": "0.5"}


@dataclass(frozen=True, slots=True)
class TermType:
    """What a term is; of a text also the attribute it is a value of, where it is one."""

    kind: Kind
    attribute: AttributeWord | None = None


def check(formula: Formula, vocabulary: Vocabulary, text: str | None = None, *, free: Collection[str] = ()) -> Formula:
    """The formula with the vocabulary's own names in it, or a QueryError that shows the place.

    text     what the formula was read from; its spans are offsets into it
    free     names of variables that may be free: the parameters of a definition

    Afterwards: closed (but for `free`); every name is a word of section 4, a class, an attribute, a definition or a
    link; arities and dimensions fit. Aliases, synonyms and plurals have become the names they stand for, the opposite
    of an attribute its negation, and text values the spelling that the vocabulary lists.
    """
    levels = depth(formula)
    if levels > MAX_DEPTH:
        raise LimitError(f"The formula has {levels} levels of nesting; at most {MAX_DEPTH} are read.")
    return _Check(vocabulary, text).formula(formula, frozenset(free))


class _Check(Names):
    """One check: formulas, comparisons and terms; names and arguments are looked up by `Names`."""

    # --- formulas ---

    def formula(self, formula: Formula, scope: frozenset[str]) -> Formula:
        match formula:
            case Truth():
                return formula
            case Apply():
                return self.atom(formula, scope)
            case Compare():
                return self.comparison(formula, scope)
            case Not(body):
                return replace(formula, body=self.formula(body, scope))
            case And(parts):
                return replace(formula, parts=tuple([self.formula(part, scope) for part in parts]))
            case Or(parts):
                return replace(formula, parts=tuple([self.formula(part, scope) for part in parts]))
            case Implies(left, right) | Iff(left, right):
                return replace(formula, left=self.formula(left, scope), right=self.formula(right, scope))
            case Exists(var, body) | ForAll(var, body) | ExistsCount(_, _, var, body):
                return replace(formula, body=self.formula(body, scope | {var}))
            case _:
                assert_never(formula)

    def atom(self, apply: Apply, scope: frozenset[str]) -> Formula:
        """A class, boolean attribute, relation, definition or link applied to variables."""
        name = ALIASES.get(apply.name, apply.name)
        v = self.vocabulary
        word = WORDS.get(name)
        if word is not None:
            self.arity(apply, name, word)
            if word.kind == "function":
                example = f"{name}({self.shown_arguments(apply)}) > {EXAMPLE_UNITS[word.dimension]}"
                raise self.error(f"'{name}' is a number: compare it.", apply.span, f"For example: {example}")
            self.arguments(apply, apply, scope)
            return replace(apply, name=name)
        if name in v.definitions or name in v.links:
            params = v.definitions[name].params if name in v.definitions else v.links[name].params
            if len(apply.args) != len(params):
                raise self.error(arity_message(name, str(len(params)), len(params) == 1, len(apply.args)), apply.span)
            self.arguments(apply, apply, scope)
            return apply
        if name in v.classes:
            return self.unary(apply, name, "class", scope)
        if name in v.attributes:
            return self.attribute_atom(apply, v.attributes[name], scope)
        phrase = v.phrase_of(name)
        if phrase is None:
            raise self.unknown(apply)
        if phrase.kind == "class":
            return self.unary(apply, phrase.name, "class", scope)
        found = self.attribute_atom(apply, v.attributes[phrase.name], scope)
        return Not(found, span=apply.span) if phrase.opposite else found

    def unary(self, apply: Apply, name: str, kind: str, scope: frozenset[str]) -> Apply:
        """A class or attribute: of one variable."""
        if len(apply.args) != 1:
            article = "an" if kind[0] == "a" else "a"
            said = f"'{apply.name}' is {article} {kind} and takes 1 argument, got {len(apply.args)}."
            raise self.error(said, apply.span)
        self.arguments(apply, apply, scope)
        return replace(apply, name=name)

    def attribute_atom(self, apply: Apply, attribute: AttributeWord, scope: frozenset[str]) -> Apply:
        """A boolean attribute stands alone; the others are compared."""
        checked = self.unary(apply, attribute.name, "attribute", scope)
        if attribute.type == "boolean":
            return checked
        shown = f"{attribute.name}({self.shown_arguments(apply)})"
        if attribute.type == "number":
            raise self.error(f"'{attribute.name}' is a number: compare it.", apply.span, f"For example: {shown} > 1")
        value = attribute.ordered[-1] if attribute.ordered else "..."
        raise self.error(f"'{attribute.name}' is a text: compare it.", apply.span, f'For example: {shown} = "{value}"')

    # --- comparisons ---

    def comparison(self, compare: Compare, scope: frozenset[str]) -> Compare:
        left, left_type = self.term(compare.left, compare, scope)
        right, right_type = self.term(compare.right, compare, scope)
        checked = replace(compare, left=left, right=right)
        kinds = (left_type.kind, right_type.kind)
        if kinds == ("text", "text"):
            return self.texts(checked, left_type, right_type)
        if kinds == ("entity", "entity"):
            if compare.op not in ("=", "!="):
                raise self.error(
                    f"Entities know = and != only, not {compare.op}.", compare.span,
                    "Compare a number of theirs: area(x) > area(y), or larger(x, y).",
                )  # fmt: skip
            return checked
        if "percent" in kinds:
            self.percent(checked, left_type, right_type)
        elif _joined(*kinds) is None:
            raise self.error(f"{_capital(SAID[kinds[0]])} and {SAID[kinds[1]]} cannot be compared.", compare.span,
                      _unit_hint(checked, kinds))  # fmt: skip
        self.counts_alone(checked)
        return checked

    def percent(self, compare: Compare, left: TermType, right: TermType) -> None:
        """N % on one side, an area or a length on the other."""
        other = right.kind if left.kind == "percent" else left.kind
        if other in ("area", "length"):
            return
        hint = None
        if _has(compare, Count):
            hint = "Say 50 % of a set by counts: 2 * count x (a & b) >= count x (a)"
        elif other == "plain":
            hint = "A share is a plain number too: 0.5 for 50 %."
        said = SAID[other]
        raise self.error(f"A percentage is compared with an area or a length, not with {said}.", compare.span, hint)

    def counts_alone(self, compare: Compare) -> None:
        """A comparison with counts has otherwise only numbers; one with covers only covers, areas with a unit and %."""
        if _has(compare, Count):
            for leaf in _leaves(compare):
                if not isinstance(leaf, Count | Number):
                    raise self.error("A comparison with counts has otherwise only numbers.", leaf.span,
                              None if isinstance(leaf, Cover) else "Put it into what is counted.")  # fmt: skip
        elif _has(compare, Cover):
            for leaf, is_factor in (*_summands(compare.left), *_summands(compare.right)):
                fits = isinstance(leaf, Cover) or (
                    isinstance(leaf, Number)
                    and (is_factor if leaf.unit is None else UNIT_KINDS[leaf.unit] in ("area", "percent"))
                )
                if not fits:
                    raise self.error("A comparison with cover has otherwise only covers, areas with a unit, and %.",
                              leaf.span, "For example: cover x (ship(x)) > 500 px2")  # fmt: skip

    def texts(self, compare: Compare, left: TermType, right: TermType) -> Compare:
        """Listed values only, in the vocabulary's spelling; an order only where the attribute has one."""
        if compare.op not in ("=", "!="):
            attributes = [each.attribute for each in (left, right) if each.attribute is not None]
            if not attributes:
                raise self.error(f"Texts know = and != only, not {compare.op}.", compare.span)
            for attribute in attributes:
                if not attribute.ordered:
                    raise self.error(
                        f"'{attribute.name}' has no order: its values know = and != only, not {compare.op}.",
                        compare.span, f"Give it one in the vocabulary: [attributes.{attribute.name}] ordered = [...]",
                    )  # fmt: skip
            if len({attribute.ordered for attribute in attributes}) > 1:
                names = " and ".join(f"'{attribute.name}'" for attribute in attributes)
                raise self.error(f"{names} have different orders.", compare.span)
        return replace(
            compare,
            left=self.value(compare.left, right.attribute),
            right=self.value(compare.right, left.attribute),
        )

    def value(self, term: Term, attribute: AttributeWord | None) -> Term:
        """A text as the attribute on the other side lists it."""
        if not isinstance(term, Text) or attribute is None or not attribute.ordered:
            return term
        if term.value in attribute.ordered:
            return term
        for listed in attribute.ordered:
            if squeeze(listed) == squeeze(term.value):
                return replace(term, value=listed)
        near = nearest_sentence(term.value, attribute.ordered)
        raise self.error(
            f"'{term.value}' is no value of '{attribute.name}'.", term.span,
            near or f"Its values: {', '.join(attribute.ordered)}.",
        )  # fmt: skip

    # --- terms ---

    def term(self, term: Term, atom: Compare, scope: frozenset[str]) -> tuple[Term, TermType]:
        match term:
            case Variable(name):
                if name not in scope:
                    raise self.free_term(term, atom)
                return term, TermType("entity")
            case Text():
                return term, TermType("text")
            case Number(_, unit):
                return term, TermType(UNIT_KINDS[unit])
            case Count(var, body):
                return replace(term, body=self.formula(body, scope | {var})), TermType("plain")
            case Cover(var, body):
                return replace(term, body=self.formula(body, scope | {var})), TermType("area")
            case Apply():
                return self.applied(term, atom, scope)
            case Arithmetic():
                return self.arithmetic(term, atom, scope)
            case _:
                assert_never(term)

    def free_term(self, variable: Variable, atom: Compare) -> QueryError:
        """A free variable that is a side of a comparison: an unapplied class or attribute, or forgotten."""
        phrase = self.vocabulary.phrase_of(variable.name)
        name = variable.name
        if name in FUNCTIONS or (phrase is not None and phrase.kind == "attribute"):
            return self.error(f"'{name}' is applied to an entity: {name}(x).", variable.span)
        if phrase is not None:
            return self.error(
                f"'{name}' is a class, not a variable.", variable.span,
                f"To count them: count x ({phrase.name}(x)). To ask for the class of x: {phrase.name}(x)",
            )  # fmt: skip
        return self.free(variable, None, 0, atom)

    def applied(self, apply: Apply, atom: Compare, scope: frozenset[str]) -> tuple[Term, TermType]:
        """A function of section 4, or an attribute that is a number or a text."""
        v = self.vocabulary
        name = ALIASES.get(apply.name, apply.name)
        word = WORDS.get(name)
        if word is not None and word.kind == "function":
            self.arity(apply, name, word)
            self.arguments(apply, atom, scope)
            return replace(apply, name=name), TermType(VALUE_KINDS[word.dimension])
        phrase = v.phrase_of(name)
        attribute = v.attributes.get(name)
        if attribute is None and word is None and phrase is not None and phrase.kind == "attribute":
            attribute = v.attributes[phrase.name]
        if attribute is not None:
            if len(apply.args) != 1:
                raise self.error(
                    f"'{apply.name}' is an attribute and takes 1 argument, got {len(apply.args)}.", apply.span
                )
            self.arguments(apply, atom, scope)
            if attribute.type == "boolean":
                shown = f"{attribute.name}({self.shown_arguments(apply)})"
                raise self.error(
                    f"'{attribute.name}' is true or false of an entity and has no value to compare.", apply.span,
                    f"Write: {shown}, or ~{shown}",
                )  # fmt: skip
            checked = replace(apply, name=attribute.name)
            return checked, TermType("text", attribute) if attribute.type == "text" else TermType("plain")
        if word is not None or phrase is not None or name in v.definitions or name in v.links:
            hint = f"Write it alone: {name}({self.shown_arguments(apply)})"
            if phrase is not None and word is None:
                hint = f"To count: count x ({phrase.name}(x))"
            raise self.error(
                f"'{apply.name}' is true or false of its arguments and has no value to compare.", apply.span, hint
            )
        matter, place = f"No function or attribute '{apply.name}' in vocabulary {v.name}.", self.name_span(apply)
        for side in (atom.left, atom.right):
            cls = self.class_named(side.value) if isinstance(side, Text) else None
            if cls is not None and len(apply.args) == 1:  # label(x) = "ship"
                hint = f"Write: {'~' if atom.op == '!=' else ''}{cls}({self.shown_arguments(apply)})"
                raise self.error(matter, place, hint)
        known = [*FUNCTIONS, *(each.name for each in v.attributes.values() if each.type != "boolean")]
        raise self.error(matter, place, unknown_name(apply.name, v, known))

    def arithmetic(self, term: Arithmetic, atom: Compare, scope: frozenset[str]) -> tuple[Term, TermType]:
        left, left_type = self.term(term.left, atom, scope)
        right, right_type = self.term(term.right, atom, scope)
        checked = replace(term, left=left, right=right)
        for side, side_type in ((term.left, left_type), (term.right, right_type)):
            if side_type.kind in ("entity", "text"):
                raise self.error(f"Arithmetic is for numbers, this is {SAID[side_type.kind]}.", side.span)
            if side_type.kind == "percent":
                raise self.error("A percentage stands alone on its side of a comparison.", side.span)
        return checked, TermType(self.combined(term, left_type.kind, right_type.kind))

    def combined(self, term: Arithmetic, left: Kind, right: Kind) -> Kind:
        """The dimension of a sum, difference, product or quotient."""
        match term.op:
            case "+" | "-":
                joined = _joined(left, right)
                if joined is None:
                    verb = "added" if term.op == "+" else "subtracted"
                    raise self.error(f"{_capital(SAID[left])} and {SAID[right]} cannot be {verb}.", term.span)
                return joined
            case "*":
                if _has(term.left, Count) and _has(term.right, Count):
                    raise self.error("At most one factor of a product contains a count.", term.span)
                if left == right == "length":
                    return "area"
                if left in ("bare", "plain") or right in ("bare", "plain"):
                    return _product(left, right)
                raise self.error(f"{_capital(SAID[left])} and {SAID[right]} cannot be multiplied.", term.span)
            case "/":
                if not isinstance(term.right, Number) or term.right.unit is not None:
                    ratio = "count x (a) > 3 * count x (b)" if _has(term, Count) else "length(x) > 3 * width(x)"
                    raise self.error("Division is by a number only.", term.right.span,
                                     f"For a ratio multiply the other side: {ratio}")  # fmt: skip
                if term.right.value == 0:
                    raise self.error("Division by 0.", term.right.span)
                return left
            case _:
                assert_never(term.op)


# --- small questions ------------------------------------------------------------------------------------------------


def _joined(left: Kind, right: Kind) -> Kind | None:
    """The common dimension of two numbers, a bare one taking that of the other; None where there is none."""
    if "entity" in (left, right) or "text" in (left, right):
        return None
    if left == right or right == "bare":
        return left
    return right if left == "bare" else None


def _product(left: Kind, right: Kind) -> Kind:
    """Of a number without dimension and any other."""
    if left == "bare":
        return right
    return left if right in ("bare", "plain") else right


def _leaves(compare: Compare) -> list[Term]:
    return [leaf for side in (compare.left, compare.right) for leaf, _ in _summands(side)]


def _summands(term: Term, is_factor: bool = False) -> list[tuple[Term, bool]]:
    """The leaves of a term; with each whether it is a factor or divisor beside something else."""
    if isinstance(term, Arithmetic):
        inside = is_factor or term.op in ("*", "/")
        return _summands(term.left, inside) + _summands(term.right, inside)
    return [(term, is_factor)]


def _has(where: Compare | Term, kind: type[Count] | type[Cover]) -> bool:
    """Whether a count (cover) is among the leaves; what is inside the body of another is not looked at."""
    if isinstance(where, Compare):
        return any(isinstance(leaf, kind) for leaf in _leaves(where))
    return any(isinstance(leaf, kind) for leaf, _ in _summands(where))


def _unit_hint(compare: Compare, kinds: tuple[Kind, Kind]) -> str | None:
    """What to say when only the unit is wrong."""
    for number, other in ((compare.left, kinds[1]), (compare.right, kinds[0])):
        if isinstance(number, Number) and number.unit is not None:
            units = [unit for unit, kind in UNIT_KINDS.items() if kind == other and unit is not None]
            if units:
                return f"Units of {SAID[other]}: {', '.join(units)}."
    return None


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
