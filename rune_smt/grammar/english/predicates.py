"""Composition of what is said of a thing: "near a harbor", "that is large", "either in a harbor or on a bridge"."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from ...errors import Span
from ..nodes import (
    And,
    Apply,
    Compare,
    CompareOp,
    Exists,
    Formula,
    Not,
    Or,
    Text,
    Variable,
    disjunction,
)
from .amounts import OPPOSITE, PREFIX, times
from .lexicon import Quality, Relation
from .meaning import NoAntecedent, NoMeaning, Predicate, both
from .nouns import anything, is_different
from .readings import Leaf, Node, has_between_them
from .relations import Relations, _contains

SIDES = {"left": "in_left", "right": "in_right", "top": "in_top", "bottom": "in_bottom", "center": "in_center"}
EXTREME: dict[object, CompareOp] = {"larger": ">", "above": ">", "smaller": "<", "below": "<"}  # highest, lowest
BEYOND = {"left": "left_of", "right": "right_of", "top": "above", "bottom": "below"}


class Predicates(Relations):
    """Verb phrases, adjectives, prepositional phrases and relative clauses become predicates."""

    def holds(self, predicate: Predicate, x: str) -> Formula:
        """The predicate of x, while x is spoken of."""
        with self.frame(x):
            return predicate.of(x)

    def modifier(self, node: Node) -> Predicate:
        """What stands behind a noun."""
        if self.domain is not None:
            with self.within(None):
                return self.modifier(node)
        span = node.span
        match node.kind:
            case "pm":
                return self.predicate(node.nodes[0])
            case "m_rel":
                return self.predicate(node.nodes[0])
            case "m_except":
                return self.denied(self.predicate(node.nodes[0]))
            case "m_where":
                return self._where_so(node)
            case "m_where_there" | "m_where_clause":
                return self._where(node)
            case "m_gap":
                return self._gap(node)
            case "m_value":
                values = [part for part in node.parts if isinstance(part, Leaf) and part.kind in ("ADJ", "VALUE")]
                last: Quality = values[-1].value
                if len(values) > 1 and not node.has("OR"):
                    raise NoMeaning("A thing has one value.")
                named = [leaf.value.value if leaf.kind == "ADJ" else leaf.value for leaf in values]
                if None in named:
                    raise NoMeaning("With what?")
                choices = [self.quality(Quality(last.name, value=value), leaf.span)
                           for leaf, value in zip(values, named, strict=True)]  # fmt: skip
                damaged = Predicate(lambda x: disjunction(say(x) for say in choices))
                return self.denied(damaged) if node.has("NOT") else damaged
            case "m_value_than":
                leaf = node.leaf("ADJ")
                assert leaf is not None
                quality: Quality = leaf.value
                if quality.value is None:
                    raise NoMeaning("With what?")
                name, least = quality.name, Text(quality.value)
                than: CompareOp = next(PREFIX[kind] for kind in PREFIX if node.has(kind))
                return Predicate(lambda x: Compare(than, Apply(name, (Variable(x),), span), least, span))
            case "m_func":
                name, says = node.value("FUNC"), self.amount(node.nodes[0])
                return Predicate(lambda x: says(Apply(name, (Variable(x),), node.span)))
            case "m_size":
                return self._sized(node, self.amount(node.nodes[0]))
            case "m_compare":
                name, value = node.value("FUNC"), self.term(node.nodes[0])
                op: CompareOp = node.value("COMPARE")
                return Predicate(
                    lambda x: value(lambda a: Compare(op, Apply(name, (Variable(x),), node.span), a, node.span))
                )
            case "m_closest":
                return self._whose_closest(node)
            case "m_without":  # "without any damage": the value no_damage, where the vocabulary has it
                lacked: str = node.value("FUNC")
                attribute = self.vocabulary.attributes.get(lacked)
                if attribute is None or f"no_{lacked}" not in (attribute.ordered or ()):
                    raise NoMeaning(f"Everything has some {lacked}.")
                return Predicate(self.quality(Quality(lacked, value=f"no_{lacked}"), span))
            case "m_most":
                return self._with_most(node)
            case "m_best":
                name, by = node.value("FUNC"), EXTREME.get(node.value("SUPER"))
                if by is None:
                    raise NoMeaning("The highest or the lowest value of it.")
                extreme = by
                return Predicate(lambda x: self._none_better(lambda y: self.beats((name, extreme), y, x, span)))
            case "m_ratio":
                name, owner = node.value("FUNC"), self.phrase(node.nodes[-1])
                ratio, share = self.factor(node, ">=" if node.has("HAVE") else "=")

                def in_ratio(x: str) -> Formula:
                    with self.object_of(x):
                        return owner.apply(lambda y: Compare(
                            ratio, times(share.denominator, Apply(name, (Variable(x),), span)),
                            times(share.numerator, Apply(name, (Variable(y),), span)), span,
                        ))  # fmt: skip

                return Predicate(in_ratio)
            case "m_distance":
                parts = node.nodes if node.has("WITH") else node.nodes[::-1]
                return self._apart(replace(node, parts=parts))
            case "m_whose":
                name, says = node.value("FUNC"), self.amount(node.nodes[0])
                negated = node.has("NOT")

                def whose(x: str) -> Formula:
                    said = says(Apply(name, (Variable(x),), node.span))
                    return Not(said) if negated else said

                return Predicate(whose)
            case _:
                return self.predicate(node)

    def predicate(self, node: Node) -> Predicate:
        """What is said of a thing."""
        if self.domain is not None:
            with self.within(None):
                return self.predicate(node)
        span = node.span
        nodes = node.nodes
        match node.kind:
            case "m_most" | "m_value" | "m_value_than" | "m_func" | "m_ratio":
                return self.modifier(node)
            case "vp_be" | "vp_all" | "p_loc":
                return self.predicate(nodes[0])
            case "vp_not" | "p_not":
                return self.denied(self.predicate(nodes[0]))
            case "p_and" | "p_or" | "p_either" | "p_both" | "p_neither" | "p_seq" | "p_xor":
                return self._joined_predicate(node)
            case "p_is":
                return self.is_one(nodes[0])
            case "front":
                return self._front(node)
            case "p_covers":
                return self._sized(node, self.amount(nodes[0]))
            case "p_edge":
                touch = node.leaf("RELV", "PREP")
                if touch is None or touch.value.name not in ("touches", "overlaps"):
                    raise NoMeaning("What is near the edge? Say 'at the edge of the image'.")
                edge = self._at([["at_border"]], span)
                return self.denied(edge) if node.has("NOT") else edge
            case "p_verb":
                verb = node.leaf("VERB")
                assert verb is not None
                does = Predicate(self.quality(verb.value, verb.span))
                return self.denied(does) if node.has("NOT") else does
            case "p_adj":
                leaf = node.leaf("ADJ")
                assert leaf is not None
                return Predicate(self.quality(leaf.value, leaf.span))
            case "m_over":
                limit = self.term(nodes[0])
                than: CompareOp = next(PREFIX[kind] for kind in PREFIX if node.has(kind))
                return self._sized(node, lambda a: limit(lambda b: Compare(than, a, b, span)))
            case "p_place":
                return self.predicate(nodes[0])
            case "p_elsewhere":
                if self.last_place is None:
                    raise NoAntecedent("Elsewhere than where? Nothing before it says.")
                return self.denied(self.last_place)
            case "place_and":
                first_place, second_place = (self._sides(part) for part in nodes)
                if _apart(first_place, second_place):
                    raise NoMeaning("Nothing is at both places: say 'ships on the left and ships on the right'.")
                return self._at([[*first_place, *second_place]], span)
            case "p_both_sides":
                raise NoMeaning("Nothing is on both sides: say 'with a ship on its left and a ship on its right'.")
            case "place_corner":
                corners = [(vertical, side) for vertical in ("in_top", "in_bottom") for side in ("in_left", "in_right")]
                return self._at(corners, span)
            case "place":
                if node.has("POSS") and not self.speaks_of_image:
                    raise NoMeaning("Its side: of which image?")
                return self._at([self._sides(nodes[0])], span)
            case "place_bare":
                return self._at([self._sides(nodes[0])], span)
            case "place_or":
                return self._at([self._sides(part) for part in nodes], span)
            case "p_rels" | "p_rels_it":
                return self._either_relation(node)
            case "place_of":
                side = node.value("PLACEOF")
                return self._at([[SIDES.get(side, "at_border")]], span)
            case "at_border":
                return self._at([["at_border"]], span)
            case "p_rel" | "vp_rel" | "vp_not_rel":
                leaf = node.leaf("PREP", "RELV")
                assert leaf is not None
                noun = nodes[0].nodes[0] if nodes[0].kind == "np_bare" else nodes[0]
                if noun.kind == "noun_other" and is_different(noun):
                    return self._in_different(leaf.value, nodes[0], span)
                said = self._related(leaf.value, nodes[0], span)
                return self.denied(said) if node.kind == "vp_not_rel" else said
            case "p_each_other" | "vp_each_other" | "vp_not_each_other" | "recip":
                return self._each_other(node)
            case "p_within_each" | "p_apart_each" | "p_closer_each":
                return self._each_other(node)
            case "p_group":
                return self.grouped(node.value("GROUP"), span)
            case "p_adverb":
                leaf = node.leaf("ADV")
                assert leaf is not None
                relation: Relation = leaf.value
                names_it = leaf.word.text.lower().endswith((" it", " them", " its", " their"))
                plural = leaf.word.text.lower().endswith((" them", " their")) if names_it else None
                of_image = relation.name == "inside" and self.speaks_of_image

                def beside(x: str) -> Formula:
                    if self.no_antecedents and len(self.frames) < 2:
                        if relation.name in ("left_of", "right_of"):  # "two cars to the left"
                            return Apply(f"in_{relation.name.removesuffix('_of')}", (Variable(x),), span)
                        if names_it and not of_image:
                            raise NoAntecedent("There is nothing before it that it could stand for.")
                        if relation.name != "near" and not of_image:
                            raise NoAntecedent("Of what? Nothing before it says.")
                        return both()  # "an image with a plane in it", "there are ships around"
                    with self.object_of(x):
                        return self.relate(relation, x, self.it(plural), span)

                return Predicate(beside)
            case "p_within" | "p_within_it":
                limit = self.term(nodes[0])
                return self._distant(lambda d: limit(lambda q: Compare("<=", d, q, span)), nodes[1:], span)
            case "p_apart":
                return self._apart(node)
            case "p_closer":
                limit = self.term(nodes[0])
                op: CompareOp = "<" if node.has("CLOSER") else ">"
                says = lambda d: limit(lambda q: Compare(op, d, q, span))  # noqa: E731
                if op == ">":
                    return self._nowhere(nodes[1], lambda d: limit(lambda q: Compare("<=", d, q, span)), says, span)
                return self._distant(says, nodes[1:], span)
            case "p_same_place":
                return self._at_the_same(node)
            case "p_nearer" | "p_as_near" | "p_nearer_than" | "p_as_near_as":
                return self._nearer(node)
            case "p_same_func":
                measure, other = node.value("FUNC"), self.phrase(nodes[-1])

                def as_that(x: str) -> Formula:
                    with self.object_of(x):
                        return other.apply(lambda y: self._equal(measure, x, y, span))

                return Predicate(as_that)
            case "p_same_each":
                measured = node.value("FUNC") if node.has("FUNC") else node.value("MEASURE")
                return self.reciprocal(lambda x, y: self._equal(measured, x, y, span))
            case "p_comp" | "p_comp_not" | "p_as" | "p_as_than":
                return self._compared_predicate(node)
            case "p_comp_q":
                name, direction = node.value("COMP")
                limit = self.term(nodes[0])
                direction = OPPOSITE[direction] if node.has("NO") else direction
                return Predicate(
                    lambda x: limit(lambda q: Compare(direction, Apply(name, (Variable(x),), span), q, span))
                )
            case "p_measure":
                if nodes[0].kind == "a_eq" and not any(leaf.kind in ("UNIT", "FUNC") for leaf in nodes[0].leaves()):
                    raise NoMeaning("In what unit? Say it, such as '50 m long'.")
                name, says = node.value("MEASURE"), self.amount(nodes[0])
                return Predicate(lambda x: says(Apply(name, (Variable(x),), span)))
            case "p_super":
                by = node.value("SUPER")

                def best(x: str) -> Formula:
                    cls, y = self.class_of.get(x), self.fresh()
                    if cls is None:
                        raise NoMeaning("The largest of which things?")
                    return Not(Exists(y, both(Apply(cls, (Variable(y),)), self.beats(by, y, x, span))))

                return Predicate(best)
            case "p_own":
                return self._own(node)
            case "p_closest":
                return self._closest(node)
            case "p_closest_side":
                beyond = BEYOND[node.value("CLOSESTSIDE")]
                return Predicate(
                    lambda x: self._none_better(lambda y: Apply(beyond, (Variable(y), Variable(x)), span))
                )
            case "p_same_class":
                if nodes:
                    return self._related(Relation("same_class"), nodes[0], span)
                return self.reciprocal(lambda x, y: self.relate(Relation("same_class"), x, y, span))
            case "p_same_as":
                same = self.phrase(nodes[0])

                def is_same(x: str) -> Formula:
                    with self.object_of(x):
                        return same.apply(lambda y: Compare("=", Variable(x), Variable(y), span))

                return Predicate(is_same)
            case "p_such":
                sentence = self.sentence(nodes[0])
                return Predicate(lambda x: sentence.make())
            case "p_true":
                return Predicate(anything)
            case "p_more_than":
                return self._more_than(node)
            case "p_with" | "things" if has_between_them(nodes[0]):
                return self.reciprocal(lambda x, y: self._with_between(nodes[0], x, y))
            case "p_with" if _contains(node):
                return self._related(Relation("contains"), nodes[0], span)
            case "p_with" | "things":
                return Predicate(lambda x: self._owned(nodes[0], x))
            case "p_without_but":
                return Predicate(lambda x: both(Not(self._owned(nodes[0], x)), self._owned(nodes[1], x)))
            case "p_without":
                left_out = each_left_out(nodes[0], with_both=True)
                return Predicate(lambda x: both(*(Not(self._owned(part, x)) for part in left_out)))
            case _:
                raise NoMeaning(f"No predicate: {node.kind}")

    def places(self, node: Node) -> list[Predicate]:
        """on the left and on the right: the places, where nothing is at all of them; else none"""
        inner = node.nodes[0] if node.kind in ("pm", "p_place", "p_loc") and node.nodes else node
        while inner.kind in ("p_place", "p_loc") and inner.nodes:
            inner = inner.nodes[0]
        if inner.kind == "p_both_sides":  # "ships on its left and right"
            names = [inner.value("ADV").name, BEYOND.get(inner.value("SIDE"), "")]
            if set(names) not in ({"left_of", "right_of"}, {"above", "below"}):
                raise NoMeaning("On which sides of it?")
            return [self._beside(Relation(name), inner.span) for name in names]
        if inner.kind == "place_and":
            sides = [self._sides(part) for part in inner.nodes]
        elif inner.kind == "p_and":
            placed = [part.nodes[0] if part.kind == "p_place" else part for part in inner.nodes]
            if any(part.kind not in ("place", "place_bare") for part in placed):
                return []
            sides = [self._sides(part.nodes[0]) for part in placed]
        else:
            return []
        return [self._at([names], node.span) for names in sides] if _apart(*sides[:2]) else []

    def _beside(self, relation: Relation, span: Span) -> Predicate:
        """on its left: of what is spoken of"""

        def beside(x: str) -> Formula:
            with self.object_of(x):
                return self.relate(relation, x, self.it(), span)

        return Predicate(beside)

    def _at(self, choices: Sequence[Sequence[str]], span: Span) -> Predicate:
        """at one of these places of the image, each of which is said by several words: in_top, in_left"""

        def at_one_of(x: str) -> Formula:
            return disjunction(both(*(Apply(name, (Variable(x),), span) for name in names)) for names in choices)

        self.last_place = Predicate(at_one_of)
        return self.last_place

    @staticmethod
    def _sides(node: Node) -> list[str]:
        sides = [part.value for part in node.parts if isinstance(part, Leaf)]
        return [SIDES[side] for side in sides if side != "center" or len(sides) == 1]

    def _front(self, node: Node) -> Predicate:
        """A phrase in front of its sentence: near the bridge there are two ships."""
        nodes = node.nodes
        if node.has("PREP"):
            return self._related(node.value("PREP"), nodes[0], node.span)
        if node.has("WITHIN"):
            limit = self.term(nodes[0])
            return self._distant(lambda d: limit(lambda q: Compare("<=", d, q, node.span)), nodes[1:], node.span)
        return self._apart(node) if node.has("FROM") else self.predicate(nodes[0])

    def denied(self, predicate: Predicate) -> Predicate:
        """That it is not so."""
        pair, group = predicate.pair, predicate.group
        if pair is not None:
            return replace(predicate, pair=lambda x, y: Not(pair(x, y)))
        if group is not None:
            return replace(predicate, group=lambda names: Not(group(names)))
        return Predicate(lambda x: Not(predicate.of(x)))

    def _joined_predicate(self, node: Node) -> Predicate:
        predicates = [self.predicate(part) for part in node.nodes]
        if node.kind in ("p_and", "p_both", "p_seq"):
            pairs = [p.pair for p in predicates if p.pair]
            groups = [p.group for p in predicates if p.group]
            plain = [p for p in predicates if p.plain]

            def in_turn(x: str) -> Formula:
                said = plain[0].of(x) if plain else both()
                for later in plain[1:]:
                    said = self.then(said, lambda: later.of(x), x)  # noqa: B023
                return said

            def of(x: str) -> Formula:
                with suppress(NoAntecedent):
                    return in_turn(x)
                before, self.widened = self.widened, True
                try:
                    return in_turn(x)
                finally:
                    self.widened = before

            if len(pairs) + len(groups) > 1:
                raise NoMeaning("One 'each other' at a time.")
            if pairs or groups:
                if not plain:
                    return predicates[0]
                return Predicate(of, pairs[0] if pairs else None, groups[0] if groups else None, also=of)
            return Predicate(of)
        if not all(p.plain for p in predicates):
            raise NoMeaning("'each other' cannot be one of several choices.")
        if node.kind == "p_xor":
            first, second = predicates
            return Predicate(lambda x: And((Or((first.of(x), second.of(x))), Not(And((first.of(x), second.of(x)))))))
        if node.kind == "p_neither":
            return Predicate(lambda x: both(*(Not(p.of(x)) for p in predicates)))
        return Predicate(lambda x: Or(tuple(p.of(x) for p in predicates)))

    def is_one(self, inner: Node) -> Predicate:
        """a ship, the largest ship, of what is one"""
        det = inner.nodes[0].kind if inner.kind == "np" else ""
        if inner.kind == "np_bare" or det in ("d_a", "d_the"):
            noun = self.nominal(inner.nodes[-1])
            if noun.pairs or noun.groups:
                raise NoMeaning("A thing is one of these, or is not; it is not two.")
            if not noun.letter:
                return Predicate(lambda x: self.restrict(noun, x))
        if det in ("d_no", "d_all", "d_count", "d_most"):
            raise NoMeaning("A thing is a ship, or is not; it is not several.")
        phrase = self.phrase(inner)

        def of(x: str) -> Formula:
            with self.object_of(x):
                return phrase.apply(lambda y: Compare("=", Variable(x), Variable(y), inner.span))

        return Predicate(of)


def each_left_out(node: Node, with_both: bool) -> tuple[Node, ...]:
    """without ships and planes: without ships, without planes; "not both ships and planes" is one thing denied."""
    inner = node.nodes[0] if node.kind == "things" else node
    if inner.has("BUTWITH"):
        raise NoMeaning("'but with' stands against 'without', not inside it.")
    if inner.kind == "np_and" and (with_both or not inner.has("BOTH")):
        return inner.nodes
    return (node,)


APART = ({"in_left", "in_right"}, {"in_top", "in_bottom"})


def _apart(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether nothing is at both of two places."""
    if "in_center" in (*first, *second):
        return list(first) != list(second)
    return any({a, b} == pair for a in first for b in second for pair in APART)
