"""From the parse of any dialect to nodes: which bracket is a formula, what a `-` means, sorts, chains, free names.

Nothing is reordered, simplified or turned round; sugar has one image each (LANGUAGE, section 6).
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from ..errors import Span
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
    conjunction,
    depth,
)
from .printer import written
from .refusal import FormulaError
from .spelling import canonical_name
from .syntax import CONNECTIVES, FORMULAS, TERMS, Bound, Head, Spelled, Syntax, across, too_deep
from .words import ALIASES

RISING, FALLING, EQUAL = frozenset({"<", "<="}), frozenset({">", ">="}), frozenset({"="})
INSTEAD = {"<=": "->", "=": "<->", ">=": "->", "!=": "~(... <-> ...)"}  # what people mean by it between formulas


def build(syntax: Syntax, *, open_vocabulary: bool = False) -> Formula:
    """The formula that a parse stands for. FormulaError (without its text) where it stands for none, or for two."""
    builder = _Builder(open_vocabulary)
    formula = builder.formula(syntax, frozenset())
    builder.check_names()
    if depth(formula) > MAX_DEPTH:
        raise too_deep(syntax.whole)
    return formula


class _Builder:
    """One text's names: how each variable was spelled, which are bound, and the first that is free."""

    def __init__(self, open_vocabulary: bool):
        self.open = open_vocabulary
        self.spellings: dict[str, dict[str, Span]] = {}
        self.binders: set[str] = set()
        self.path: list[Syntax] = []  # from the root to the node at hand
        self.free: tuple[Syntax, tuple[Syntax, ...]] | None = None

    def name(self, spelled: Spelled) -> str:
        """The canonical name."""
        return canonical_name(spelled, open_vocabulary=self.open)

    # --- formulas -----------------------------------------------------------------------------------------------------

    def formula(self, node: Syntax, bound: frozenset[str]) -> Formula:
        """The node as a formula; `bound` holds the names bound around it."""
        self.path.append(node)
        span = node.whole
        made: Formula
        match node.kind:
            case "truth":
                made = Truth(node.value, span)
            case "apply":
                made = self.application(node, bound)
            case "member":
                made = self.membership(node, bound)
            case "not":
                made = Not(self.formula(node.parts[0], bound), span)
            case "minus":
                made = self.minus(node, bound)
            case "and" | "or":
                parts = []
                for part in node.parts:
                    parts.append(self.formula(part, bound))
                made = And(tuple(parts), span) if node.kind == "and" else Or(tuple(parts), span)
            case "implies" | "iff":
                if node.kind == "iff":
                    self.refuse_mixed_xor(node)
                left = self.formula(node.parts[0], bound)
                right = self.formula(node.parts[1], bound)
                made = Implies(left, right, span) if node.kind == "implies" else Iff(left, right, span)
            case "xor":
                self.refuse_mixed_xor(node)
                left = self.formula(node.parts[0], bound)
                right = self.formula(node.parts[1], bound)
                made = Not(Iff(left, right, span), span)
            case "compare":
                made = self.comparison(node, bound, False)
            case "quantifier":
                made = self.quantified(node, bound)
            case _:
                raise self.not_a_formula(node)
        self.path.pop()
        return made

    def application(self, node: Syntax, bound: frozenset[str]) -> Apply:
        """near(x, y), aliases replaced unless the vocabulary is open."""
        name = self.name(node.value)
        args = []
        for part in node.parts:
            args.append(self.term(part, bound))
        return Apply(name if self.open else ALIASES.get(name, name), tuple(args), node.whole)

    def membership(self, node: Syntax, bound: frozenset[str]) -> Apply:
        """x in ship -> ship(x)"""
        if node.parts[0].kind != "name":
            raise FormulaError(
                "Only a variable is in a class.", span=node.parts[0].whole, hint="Write ship(x) for x in ship.",
                expected=("a variable",),
            )  # fmt: skip
        return Apply(self.name(node.value), (self.term(node.parts[0], bound),), node.whole)

    def minus(self, node: Syntax, bound: frozenset[str]) -> Formula:
        """-(a & b) -> ~(a & b);   -3 < area(x) -> 0 - 3 < area(x);   -area(x) > 5 is refused"""
        inner = node.parts[0]
        if inner.kind != "compare" or inner.bracket:
            if inner.kind in TERMS:
                raise self.not_a_formula(inner)
            return Not(self.formula(inner, bound), node.whole)
        first = inner.parts[0]
        while first.kind in ("arithmetic", "compare") and not first.bracket:
            first = first.parts[0]
        if first.kind == "number" or (first.bracket and first.kind in TERMS):
            return self.comparison(inner, bound, True)
        builder = _Builder(True)
        raise FormulaError(
            "This '-' may be a negation or a minus sign.",
            span=(node.span[0], node.span[0] + 1),
            hint=f"Write {written(Not(builder.comparison(inner, frozenset(), False)))} "
            f"or {written(builder.comparison(inner, frozenset(), True))}.",
        )

    def comparison(self, node: Syntax, bound: frozenset[str], negative: bool) -> Formula:
        """a < b <= c -> a < b & b <= c;   `negative`: a minus sign stood in front of all of it"""
        operators: list[str] = node.value
        for part in node.parts:
            if part.kind in FORMULAS or (part.kind == "minus" and part.parts[0].kind in FORMULAS | {"apply"}):
                raise self.not_a_term(part, operators)
        if len(operators) > 1 and not any(set(operators) <= kind for kind in (RISING, FALLING, EQUAL)):
            raise FormulaError(
                f"A chain of comparisons goes one way; this one has {_listed(dict.fromkeys(operators))}.",
                span=node.whole,
                hint="Only < and <=, only > and >=, or only = may be chained. Join the comparisons with '&'.",
            )
        terms = []
        for part in node.parts:
            terms.append(self.term(part, bound))
        if negative:
            terms[0] = _negated(terms[0], node.parts[0])
        pairs: list[Formula] = []
        for (left, right), (one, other), op in zip(pairwise(terms), pairwise(node.parts), operators, strict=True):
            pairs.append(Compare(op, left, right, across(one, other)))  # type: ignore[arg-type]
        if len(pairs) == 1:
            return replace(pairs[0], span=node.whole)
        return replace(conjunction(pairs), span=node.whole)

    def quantified(self, node: Syntax, bound: frozenset[str]) -> Formula:
        """exists x in ship: f -> exists x (ship(x) & f);   forall x in ship: f -> forall x (ship(x) -> f)"""
        head: Head = node.value
        names = self.enter(head, bound)
        inner = bound | frozenset(names)
        body = self.formula(node.parts[0], inner)
        if head.word in (">=", "<=", "="):
            if len(names) > 1:
                raise FormulaError(
                    f"A count over {len(names)} variables: pairs or entities?",
                    span=head.span,
                    hint=f"Count one variable: exists{head.word}{head.n} {names[0]} (exists {names[1]} (...)).",
                )
            guarded = _guarded(head.variables[0], names[0], body, node.whole, "and")
            return ExistsCount(head.word, int(head.n), names[0], guarded, node.whole)  # type: ignore[arg-type]
        for name, variable in reversed(list(zip(names, head.variables, strict=True))):
            if head.word == "forall":
                body = ForAll(name, _guarded(variable, name, body, node.whole, "implies"), node.whole)
            else:
                body = Exists(name, _guarded(variable, name, body, node.whole, "and"), node.whole)
        return Not(body, node.whole) if head.word == "no" else body

    def enter(self, head: Head, bound: frozenset[str]) -> list[str]:
        """The canonical names of a quantifier's variables; one twice is refused."""
        names: list[str] = []
        for variable in head.variables:
            name = self.name(variable.name)
            if name in names:
                raise FormulaError(f"The variable '{name}' stands twice.", span=variable.name.span)
            names.append(name)
            self.binders.add(name)
            self.spellings.setdefault(name, {}).setdefault(variable.name.text, variable.name.span)
        return names

    # --- terms --------------------------------------------------------------------------------------------------------

    def term(self, node: Syntax, bound: frozenset[str]) -> Term:
        """The node as a term."""
        self.path.append(node)
        span = node.whole
        made: Term
        match node.kind:
            case "name":
                made = self.variable(node, bound)
            case "number":
                digits, unit = node.value
                made = Number(Decimal(digits), unit, span)
            case "text":
                made = Text(node.value, span)
            case "apply":
                made = self.application(node, bound)
            case "sign" | "minus":
                made = _negated(self.term(node.parts[0], bound), node.parts[0], span)
            case "arithmetic":
                left = self.term(node.parts[0], bound)
                right = self.term(node.parts[1], bound)
                made = Arithmetic(node.value, left, right, span)
            case "measure":
                head: Head = node.value
                names = self.enter(head, bound)
                if len(names) > 1:
                    raise FormulaError(
                        f"A {head.word} over {len(names)} variables: pairs or entities?",
                        span=head.span,
                        hint=f"Count one variable: {head.word} {names[0]} (exists {names[1]} (...)).",
                    )
                body = self.formula(node.parts[0], bound | {names[0]})
                guarded = _guarded(head.variables[0], names[0], body, span, "and")
                made = (Count if head.word == "count" else Cover)(names[0], guarded, span)
            case "class set":
                names = self.enter(node.value, bound)
                sort = node.value.variables[0].sort
                made = Count(names[0], _of_class(sort, names[0]), span)
            case _:
                raise self.not_a_term(node, [])
        self.path.pop()
        return made

    def variable(self, node: Syntax, bound: frozenset[str]) -> Variable:
        """A name that is not applied: a variable, or with open vocabulary anything."""
        name = self.name(Spelled(node.value, node.span))
        if "-" in node.value and not (self.open and len(self.path) > 1 and self.path[-2].kind == "apply"):
            raise FormulaError(
                f"'{node.value}' is one name only where it is applied or names a class.",
                span=node.span,
                hint="Put a space on both sides of a minus.",
            )
        self.spellings.setdefault(name, {}).setdefault(node.value, node.span)
        if name not in bound and self.free is None:
            self.free = (node, tuple(self.path))
        return Variable(name, node.whole)

    # --- refusals -----------------------------------------------------------------------------------------------------

    def not_a_formula(self, node: Syntax) -> FormulaError:
        """A term where a formula should be."""
        if node.kind == "arithmetic" and all(_may_be_formula(part) for part in node.parts):
            sign = {"+": "|", "*": "&"}.get(node.value)
            return FormulaError(
                f"'{node.value}' does not join formulas.",
                span=node.whole,
                hint=f"Write '{sign}'." if sign else "Write '& ~' for 'and not'.",
                expected=("a connective",),
            )
        if node.kind == "name":
            return FormulaError(
                f"'{node.value}' is a name, not a formula.",
                span=node.whole,
                hint=f"Apply it to a variable: {node.value}(x).",
                expected=("a formula",),
            )
        what = {"number": "A number", "text": "A text", "measure": "A count", "class set": "A count"}
        return FormulaError(
            f"{what.get(node.kind, 'This term')} stands where a formula should be.",
            span=node.whole,
            hint="Compare it with something, as in area(x) > 100.",
            expected=("a formula",),
        )

    def not_a_term(self, node: Syntax, operators: list[str]) -> FormulaError:
        """A formula where a term should be."""
        hint = None
        if len(operators) == 1 and operators[0] in INSTEAD:
            hint = f"Between formulas write '{INSTEAD[operators[0]]}'."
        if node.kind == "truth":
            hint = "A formula is true by itself: flooded(x), and not flooded(x) = true."
        if operators:
            message = f"'{operators[0]}' compares terms, and this is a formula."
        else:
            message = "A formula stands where a term should be."
        return FormulaError(message, span=node.whole, hint=hint, expected=("a term",))

    def refuse_mixed_xor(self, node: Syntax) -> None:
        """a & b xor c is refused: brackets must say which."""
        left, right = node.parts
        for side, part in enumerate((left, right)):
            clash = part.kind in CONNECTIVES and not part.bracket
            if not clash or (node.kind == "iff" and part.kind != "xor"):
                continue
            grouped = _text_of(node)
            other = _regrouped(node, side)
            raise FormulaError(
                "An exclusive or stands beside another connective without brackets.",
                span=node.whole,
                hint=f"Write {grouped} or {_text_of(other)}.",
            )

    def check_names(self) -> None:
        """X and x for two variables, and names that nothing binds, are refused."""
        for name in self.binders:
            spelled = self.spellings[name]
            if len(spelled) > 1:
                first, second = list(spelled)[:2]
                raise FormulaError(
                    f"'{first}' and '{second}' both occur, and capitals do not tell variables apart.",
                    span=spelled[second],
                    hint="Rename one of them, or spell them alike.",
                )
        if self.free is not None and not self.open:
            from .scope import free_name_error

            raise free_name_error(*self.free)


def _guarded(variable: Bound, name: str, body: Formula, span: Span, how: Literal["and", "implies"]) -> Formula:
    """The body under the class that the variable was given at its quantifier."""
    if variable.sort is None:
        return body
    guard = _of_class(variable.sort, name)
    return And((guard, body), body.span or span) if how == "and" else Implies(guard, body, body.span or span)


def _of_class(sort: Spelled, name: str) -> Apply:
    return Apply(canonical_name(sort), (Variable(name, sort.span),), sort.span)


def _negated(term: Term, node: Syntax, span: Span | None = None) -> Term:
    """0 - t, the sign taken by the first product of a sum: -a + b is (0 - a) + b."""
    if isinstance(term, Arithmetic) and term.op in "+-" and not node.bracket:
        return replace(term, left=_negated(term.left, node.parts[0], span), span=span or term.span)
    return Arithmetic("-", Number(Decimal(0), None, span or term.span), term, span or term.span)


def _may_be_formula(node: Syntax) -> bool:
    return node.kind in FORMULAS | {"apply", "minus"} or (
        node.kind == "arithmetic" and all(_may_be_formula(part) for part in node.parts)
    )


def _listed(signs: dict[str, None]) -> str:
    listed = list(signs)
    return " and ".join(listed[:2]) if len(listed) < 3 else ", ".join(listed)


SIGNS = {"and": "&", "or": "|", "implies": "->", "iff": "<->", "xor": "xor"}


def _text_of(node: Syntax) -> str:
    """A connective with its two sides in brackets, xor kept as a word, to show how it could be read."""
    return f" {SIGNS[node.kind]} ".join(_side(part) for part in node.parts)


def _side(node: Syntax) -> str:
    if node.kind in CONNECTIVES:
        return f"({_text_of(node)})"
    return written(_Builder(True).formula(node, frozenset()))


def _regrouped(node: Syntax, side: int) -> Syntax:
    """(a & b) xor c as a & (b xor c), and a xor (b & c) as (a xor b) & c."""
    part, other = node.parts[side], node.parts[1 - side]
    if side == 0:
        near = Syntax(node.kind, [part.parts[-1], other], node.span)
        return Syntax(part.kind, [*part.parts[:-1], near], node.span)
    near = Syntax(node.kind, [other, part.parts[0]], node.span)
    return Syntax(part.kind, [near, *part.parts[1:]], node.span)
