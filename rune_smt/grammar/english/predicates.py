"""Composition of what is said of a thing: "near a harbor", "at least 50 m away from any bridge", "that is large"."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction

from ...errors import Span
from ..nodes import (
    And,
    Apply,
    Compare,
    CompareOp,
    Count,
    Exists,
    ExistsCount,
    Formula,
    Not,
    Number,
    Or,
    Term,
    Text,
    Variable,
    disjunction,
)
from .amounts import DOWNWARD, OPPOSITE, PREFIX, times
from .lexicon import Quality, Relation
from .meaning import NoAntecedent, NoMeaning, Phrase, Predicate, Scope, Sentence, both
from .phrases import Phrases, _different, _prefix, anything
from .readings import Leaf, Node

SIDES = {"left": "in_left", "right": "in_right", "top": "in_top", "bottom": "in_bottom", "center": "in_center"}
LENGTHS = {"px", "m", "km"}
AREAS = {"px2", "m2", "ha", "km2"}
MIRROR: dict[CompareOp, CompareOp] = {">=": "<=", ">": "<", "<=": ">=", "<": ">", "=": "="}  # a op b is b MIRROR[op] a
BEYOND = {"left": "left_of", "right": "right_of", "top": "above", "bottom": "below"}


class Predicates(Phrases):
    """Verb phrases, adjectives, prepositional phrases and relative clauses become predicates."""

    @abstractmethod
    def sentence(self, node: Node) -> Sentence:
        """A sentence."""

    def holds(self, predicate: Predicate, x: str) -> Formula:
        """The predicate of x, while x is spoken of."""
        with self.frame(x):
            return predicate.of(x)

    # --- behind a noun ---

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
                sentence = self.sentence(node.nodes[0])

                def where(x: str) -> Formula:
                    said = sentence.make()
                    if x not in _names(said):
                        raise NoMeaning("What is said after 'where' does not speak of the thing before it.")
                    return said

                return Predicate(where)
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

    def _whose_closest(self, node: Node) -> Predicate:
        """whose nearest harbor is more than 100 m away: there is one, and none is closer"""
        noun, amount = self.nominal(node.nodes[0]), node.nodes[1]
        if node.value("CLOSEST") != "<" or noun.pairs or noun.groups:
            raise NoMeaning("Whose nearest of which things?")
        limit = self.term(amount) if node.has("WITHIN") else None
        denies = self.amount(amount, opposite=True) if limit is None else None

        def of(x: str) -> Formula:
            with self.object_of(x):
                if limit is not None or amount.kind in ("a_le", "a_lt", "a_eq"):
                    says = self.amount(amount) if limit is None else None
                    return self.some(noun, lambda y: (
                        says(self._distance(x, y, node.span)) if says is not None
                        else limit(lambda q: Compare("<=", self._distance(x, y, node.span), q))  # type: ignore[misc]
                    ))  # fmt: skip
                assert denies is not None
                closer = self.some(noun, lambda y: denies(self._distance(x, y, node.span)))
                return both(self.some(noun, anything), Not(closer))

        return Predicate(of)

    def _sized(self, node: Node, says: Callable[[Term], Formula]) -> Predicate:
        """of 50 m: long; of 2000 m2: large"""
        units = {leaf.value for leaf in node.leaves() if leaf.kind == "UNIT"}
        if units and units <= LENGTHS:
            size = "length"
        elif units and units <= AREAS:
            size = "area"
        else:
            raise NoMeaning("Of what size? A length or an area has a unit: 50 m, 2000 m2.")
        return Predicate(lambda x: says(Apply(size, (Variable(x),), node.span)))

    def _where(self, node: Node) -> Predicate:
        """a bridge on which there are two cars, a harbor where most ships are large: of those on it, of those in it"""
        relation: Relation = node.value("PREPWHICH") if node.has("PREPWHICH") else Relation("inside")
        said = self.predicate(node.nodes[1]) if node.kind == "m_where_clause" else Predicate(anything)
        there: list[str] = []  # the place, while its sentence is made

        def at_it(y: str) -> Formula:
            with self.object_of(there[-1]):
                return self.relate(relation, y, there[-1], node.span)

        with self.within(at_it):
            phrase = self.phrase(node.nodes[0])

        def of(x: str) -> Formula:
            there.append(x)
            try:
                if said.plain:
                    formula = phrase.apply(lambda y: self.holds(said, y))
                else:
                    formula = self.together(phrase, said, lambda y: self.plain_part(said, y))
            finally:
                there.pop()
            return Not(formula) if node.has("NOT") else formula

        return Predicate(of)

    def _gap(self, node: Node) -> Predicate:
        """a harbor that no ship is near"""
        phrase = self.phrase(node.nodes[0]) if node.nodes else None
        leaf = node.leaf("PREP", "RELV")
        assert leaf is not None
        negated = node.has("NOT")

        def of(x: str) -> Formula:
            def near_it(y: str) -> Formula:
                said = self.relate(leaf.value, y, x, leaf.span)
                return Not(said) if negated else said

            if phrase is not None:
                return phrase.apply(near_it)
            with self.object_of(x):  # "the bridge they are on"
                subject = self.it()
            return near_it(subject)

        return Predicate(of)

    def _shared_behind(self, node: Node) -> Predicate | None:
        """What is said behind the last of several things and speaks of their owner: "a pool and a court next to it"."""
        inner = node.nodes[-1]
        if node.kind not in ("np", "np_bare") or inner.kind != "n_mod":
            return None
        mod = inner.nodes[1].nodes[0] if inner.nodes[1].kind == "pm" else inner.nodes[1]
        if mod.kind == "p_adverb" or (mod.nodes and mod.nodes[-1].kind == "np_pron"):
            return self.modifier(mod)
        return None

    def _owned(self, node: Node, x: str) -> Formula:
        """with a harbor near it: there is one; with ships: it contains some."""
        inner = node.nodes[0] if node.kind == "things" else node
        neither = any(part.kind == "np_neither" for part in inner.nodes)
        if inner.kind in ("np_and", "np_or", "np_either") and not neither:
            behind = self._shared_behind(inner.nodes[-1])
            parts = []
            for part in inner.nodes:
                phrase = self.phrase(part)
                if behind is None or part.kind not in ("np", "np_bare") or x in _names(phrase.apply(anything)):
                    parts.append(self._owned(part, x))
                else:
                    shared = behind
                    parts.append(phrase.apply(lambda y: self.holds(shared, y)))  # noqa: B023
            return both(*parts) if inner.kind == "np_and" else Or(tuple(parts))
        if inner.kind == "np_neither":
            return both(*(Not(self._owned(part, x)) for part in inner.nodes))
        if inner.kind == "np_without":
            return Not(self._owned(inner.nodes[0], x))
        if inner.kind == "things_of_which" or inner.kind == "things_all":
            return self._owned_of_which(inner, x)
        phrase = self.phrase(inner)
        before = self.made
        said = phrase.apply(anything)
        if x in _names(said):
            return said
        self.made = before
        return phrase.apply(lambda y: self.relate(Relation("contains"), x, y, inner.span))

    def _owned_of_which(self, node: Node, x: str) -> Formula:
        """with ten ships, most of which are small: most of the ships in it"""
        phrase = self.phrase(node.nodes[0])
        noun, contains = phrase.noun, Relation("contains")
        if noun is None or not noun.plural:
            raise NoMeaning("Of which of them?")
        with self.frame(x):
            named = x in _names(phrase.apply(anything))  # "on it" says itself how they stand
        det = "d_all" if node.kind == "things_all" else node.nodes[1].kind
        if det in ("d_all", "d_no") and phrase.indefinite:  # ten that are so, ten that are not
            said = self.predicate(node.nodes[-1])
            said = self.denied(said) if det == "d_no" else said

            def of_each(y: str) -> Formula:
                theirs = both() if named else self.relate(contains, x, y, node.span)
                return both(theirs, self.holds(said, y))

            return phrase.apply(of_each)
        theirs = noun if named else replace(noun, mods=(*noun.mods, lambda y: self.relate(contains, x, y, node.span)))
        if node.kind == "things_all":
            them, said = self._all(theirs), self.predicate(node.nodes[1])
        else:
            them, said = self._determined(node.nodes[1], theirs), self.predicate(node.nodes[2])
        if not said.plain:
            raise NoMeaning("'each other' cannot be said of what is in it.")
        return both(self._owned(node.nodes[0], x), them.apply(lambda y: self.holds(said, y)))

    # --- predicates ---

    def predicate(self, node: Node) -> Predicate:
        """What is said of a thing."""
        if self.domain is not None:
            with self.within(None):
                return self.predicate(node)
        span = node.span
        nodes = node.nodes
        match node.kind:
            case "m_value" | "m_value_than" | "m_func" | "m_ratio":
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
                if noun.kind == "noun_other" and _different(noun):
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
            case "p_nearer" | "p_as_near":
                return self._nearer(node)
            case "p_same_func":
                measure, other = node.value("FUNC"), self.phrase(nodes[-1])

                def as_that(x: str) -> Formula:
                    with self.object_of(x):
                        return other.apply(lambda y: self._equal(measure, x, y, span))

                return Predicate(as_that)
            case "p_same_each":
                measured = node.value("FUNC")
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
            case "p_with" if _between_them(nodes[0]):
                return self.reciprocal(lambda x, y: self._with_between(nodes[0], x, y))
            case "p_with" if _contains(node):
                return self._related(Relation("contains"), nodes[0], span)
            case "p_with" | "things":
                return Predicate(lambda x: self._owned(nodes[0], x))
            case "p_without_but":
                return Predicate(lambda x: both(Not(self._owned(nodes[0], x)), self._owned(nodes[1], x)))
            case "p_without":
                left_out = _each_left_out(nodes[0], with_both=True)
                return Predicate(lambda x: both(*(Not(self._owned(part, x)) for part in left_out)))
            case _:
                raise NoMeaning(f"No predicate: {node.kind}")

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

    def _either_relation(self, node: Node) -> Predicate:
        """near or inside a harbor; near but not inside a harbor"""
        leaves = [part for part in node.parts if isinstance(part, Leaf) and part.kind in ("PREP", "ADV", "RELV")]
        phrase = self.phrase(node.nodes[0])

        def related(x: str, y: str) -> Formula:
            first, second = (self.relate(leaf.value, x, y, node.span) for leaf in leaves)
            second = Not(second) if node.has("NOT") else second
            return Or((first, second)) if node.has("OR") else both(first, second)

        def of(x: str) -> Formula:
            with self.object_of(x):
                return phrase.apply(lambda y: related(x, y))

        return Predicate(of)

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
                return Predicate(of, pairs[0] if pairs else None, groups[0] if groups else None)
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

    def _related(self, relation: Relation, node: Node, span: Span) -> Predicate:
        phrase = self.phrase(node)
        if relation.name == "between":
            return self._between_them(span) if phrase.them else self._between(phrase, span)
        every = phrase.every if phrase.any and self._excludes(relation.name) else None
        if relation.negated:
            positive = Relation(relation.name, relation.swapped)

            def outside(x: str) -> Formula:
                with self.object_of(x):
                    if self.widened and phrase.indefinite:
                        return phrase.apply(lambda y: self.relate(relation, x, y, span))
                    return Not(phrase.apply(lambda y: self.relate(positive, x, y, span)))

            return Predicate(outside)

        def of(x: str) -> Formula:
            with self.object_of(x):
                return (every or phrase.apply)(lambda y: self.relate(relation, x, y, span))

        return Predicate(of)

    def _in_different(self, relation: Relation, node: Node, span: Span) -> Predicate:
        """in different harbors: of two ships"""
        noun = replace(self.nominal(node.nodes[0]), other=False)

        def pair(x: str, y: str) -> Formula:
            def second(a: str, b: str) -> Formula:
                different = Compare("!=", Variable(a), Variable(b), span)
                return both(different, self.relate(relation, x, a, span), self.relate(relation, y, b, span))

            return self.some(noun, lambda a: self.some(noun, lambda b: second(a, b)))

        return self.reciprocal(pair)

    def _excludes(self, name: str) -> bool:
        """Whether a relation says that something is not so: "far from any harbor" is far from each."""
        definition = self.vocabulary.definitions.get(name)
        return name == "far" or (definition is not None and isinstance(definition.body, Not))

    def _with_between(self, things: Node, x: str, y: str) -> Formula:
        """two planes with a helicopter between them"""
        before, self.two = self.two, [x, y]
        try:
            return self.phrase(things).apply(anything)
        finally:
            self.two = before

    def _more_than(self, node: Node) -> Predicate:
        """has more cars on it than the other bridge"""
        things, other = node.nodes[0], self.phrase(node.nodes[1])
        if node.nodes[1].kind == "np_bare":
            raise NoMeaning("Compared with which of them?")
        op: CompareOp = ">" if node.has("MORE") else "<" if node.has("LESSER") else ">="

        def owned(x: str) -> Term:
            with self.frame(x):
                noun = self.nominal(things)
                counted = self._count_of(noun, anything)
                assert isinstance(counted, Count)
                if x in _names(counted.body):
                    return counted
                return self._count_of(noun, lambda y: self.relate(Relation("contains"), x, y, node.span))

        def of(x: str) -> Formula:
            with self.object_of(x):
                return other.apply(lambda y: Compare(op, owned(x), owned(y), node.span))

        return Predicate(of)

    def _between_them(self, span: Span) -> Predicate:
        """a ship, a plane and a bridge between them"""

        def of(x: str) -> Formula:
            named = self.two or [one.x for one in self.referents if one.x != x]
            if len(named) != 2:
                raise NoAntecedent("Between which two?")
            return Apply("between", tuple(Variable(name) for name in (x, *named)), span)

        return Predicate(of)

    def _between(self, phrase: Phrase, span: Span) -> Predicate:
        if phrase.members is None or len(phrase.members) != 2:
            raise NoMeaning("Between two things: say 'between a ship and a harbor' or 'between two ships'.")
        first, second = phrase.members

        def of(x: str) -> Formula:
            def between(y: str, z: str) -> Formula:
                atom = Apply("between", (Variable(x), Variable(y), Variable(z)), span)
                return both(Compare("!=", Variable(y), Variable(z)), atom) if first is second else atom

            with self.object_of(x):
                return first(lambda y: second(lambda z: between(y, z)))

        return Predicate(of)

    def _each_other(self, node: Node) -> Predicate:
        leaf = node.leaf("PREP", "RELV", "RECIPROCAL")
        span = node.span
        if leaf is not None:
            relation: Relation = leaf.value
            said = self.reciprocal(lambda x, y: self.relate(relation, x, y, span))
            return self.denied(said) if node.kind == "vp_not_each_other" else said
        if node.has("GROUP"):
            return self.grouped(node.value("GROUP"), span)
        if node.has("SAMECLASS"):
            return self.reciprocal(lambda x, y: self.relate(Relation("same_class"), x, y, span))
        if node.has("WITHIN"):
            limit = self.term(node.nodes[0])
            return self.reciprocal(
                lambda x, y: limit(lambda q: Compare("<=", self._distance(x, y, span), q, span))
            )
        if node.has("CLOSER", "FARTHER"):
            limit = self.term(node.nodes[0])
            op: CompareOp = "<" if node.has("CLOSER") else ">"
            return self.reciprocal(lambda x, y: limit(lambda q: Compare(op, self._distance(x, y, span), q, span)))
        says = self.amount(node.nodes[0])
        return self.reciprocal(lambda x, y: says(Apply("distance", (Variable(x), Variable(y)), span)))

    def _distance(self, x: str, y: str, span: Span) -> Term:
        return Apply("distance", (Variable(x), Variable(y)), span)

    def _distant(self, says: Callable[[Term], Formula], objects: tuple[Node, ...], span: Span) -> Predicate:
        """Within a distance of an object, of "it" where none is named."""
        phrase = self.phrase(objects[0]) if objects else Phrase(lambda scope: scope(self.it()))

        def of(x: str) -> Formula:
            with self.object_of(x):
                return phrase.apply(lambda y: says(self._distance(x, y, span)))

        return Predicate(of)

    def _apart(self, node: Node) -> Predicate:
        amount, target = node.nodes
        span = node.span
        says, denies = self.amount(amount), self.amount(amount, opposite=True)
        if amount.kind == "a_between":
            low, high = (part for part in amount.nodes)
            too_close = self._limit(high if low.kind == "t_number" else low, low, "<", span)
            enough = self._distant(self._limit(high, high, "<=", span), (target,), span)
            away = self._nowhere(target, too_close, says, span)
            return Predicate(lambda x: both(enough.of(x), away.of(x)))
        if amount.kind in ("a_ge", "a_gt") and not (amount.has("COMP") and self.direction(amount) == "<"):
            return self._nowhere(target, denies, says, span)
        return self._distant(says, (target,), span)

    def _limit(self, unit: Node, value: Node, op: CompareOp, span: Span) -> Callable[[Term], Formula]:
        terms, units = self.term(value), self.term(unit)

        def says(d: Term) -> Formula:
            def with_unit(u: Term) -> Formula:
                def compare(v: Term) -> Formula:
                    if isinstance(v, Number) and isinstance(u, Number) and v.unit is None:
                        return Compare(op, d, replace(v, unit=u.unit), span)
                    return Compare(op, d, v, span)

                return terms(compare)

            return units(with_unit)

        return says

    def _nowhere(
        self, target: Node, too_close: Callable[[Term], Formula], says: Callable[[Term], Formula], span: Span
    ) -> Predicate:
        """At least 50 m from a harbor: there is no harbor closer; from all harbors, from it: said of each."""
        phrase = self.phrase(target)
        none = phrase.none if phrase.indefinite else None

        def of(x: str) -> Formula:
            with self.object_of(x):
                if none is not None:
                    return none(lambda y: too_close(self._distance(x, y, span)))
                return phrase.apply(lambda y: says(self._distance(x, y, span)))

        return Predicate(of)

    def _compared_predicate(self, node: Node) -> Predicate:
        span = node.span
        phrase = self.phrase(node.nodes[-1])
        factor = next((part for part in node.nodes if part.kind == "times"), None)
        if node.kind in ("p_comp", "p_comp_not"):
            name, op = node.value("COMP")
            op, share = op, None
        elif node.kind == "p_as_than":
            name, direction = node.value("COMP")
            op, share = self.factor(factor)
            op = op if direction == ">" else OPPOSITE[op]
        else:
            leaf = node.leaf("MEASURE")
            assert leaf is not None
            name = leaf.value
            op, share = self.factor(factor, _prefix(node))
            if leaf.word.text.lower() in DOWNWARD:
                op = MIRROR[op]
        say = phrase.every if (phrase.any or phrase.definite) and phrase.every else phrase.apply

        def compare(x: str, y: str) -> Formula:
            if share is None and name == "area":
                return Apply("larger" if op == ">" else "smaller", (Variable(x), Variable(y)), span)
            left: Term = Apply(name, (Variable(x),), span)
            right: Term = Apply(name, (Variable(y),), span)
            if share is not None:
                left, right = times(share.denominator, left), times(share.numerator, right)
            return Compare(op, left, right, span)

        def of(x: str) -> Formula:
            with self.object_of(x):
                if node.kind == "p_comp_not":  # no larger than a bridge: there is one than which it is not larger
                    return say(lambda y: Not(compare(x, y), span))
                return say(lambda y: compare(x, y))

        return Predicate(of)

    def _own(self, node: Node) -> Predicate:
        """longer than wide, twice as long as it is wide"""
        span = node.span
        names = [part.value for part in node.parts if isinstance(part, Leaf) and part.kind == "MEASURE"]
        factor = next((part for part in node.nodes if part.kind == "times"), None)
        op: CompareOp
        if node.has("COMP"):
            name, direction = node.value("COMP")
            names.insert(0, name)
            op, share = self.factor(factor, direction)
            op = OPPOSITE[op] if factor is not None and direction == "<" else op
        else:
            op, share = self.factor(factor, _prefix(node))
        if set(names) != {"length", "width"}:
            raise NoMeaning("Only its length and its width can be compared.")

        def of(x: str) -> Formula:
            first, second = (Apply(name, (Variable(x),), span) for name in names)
            return Compare(op, times(share.denominator, first), times(share.numerator, second), span)

        return Predicate(of)

    @staticmethod
    def _equal(measure: str, x: str, y: str, span: Span) -> Formula:
        return Compare("=", Apply(measure, (Variable(x),), span), Apply(measure, (Variable(y),), span), span)

    def _nearer(self, node: Node) -> Predicate:
        """closer to a ship than to a bridge; twice as far from a ship as from a bridge"""
        span = node.span
        first, second = (self.phrase(part) for part in node.nodes if part.kind != "times")
        factor = next((part for part in node.nodes if part.kind == "times"), None)
        op: CompareOp
        share = Fraction(1)
        if node.kind == "p_nearer":
            op = "<" if node.has("CLOSER") else ">"
        else:
            op, share = self.factor(factor, _prefix(node))
            relation: Relation = node.value("PREP")
            if relation not in (Relation("near"), Relation("far")):
                raise NoMeaning("As close to, as far from: of distances only.")
            if relation.name == "near":
                op = MIRROR[op]

        def of(x: str) -> Formula:
            def compare(y: str, z: str) -> Formula:
                here, there = self._distance(x, y, span), self._distance(x, z, span)
                return Compare(op, times(share.denominator, here), times(share.numerator, there), span)

            with self.object_of(x):
                each = second.every if second.any and second.every else second.apply
                return first.apply(lambda y: each(lambda z: compare(y, z)))

        return Predicate(of)

    def _none_better(self, better: Scope) -> Formula:
        if not self.bases:
            raise NoMeaning("Closest of which things?")
        base = self.bases[-1]
        y = self.fresh()
        closer = both(base(y), better(y))
        return Not(Exists(y, closer)) if self.firsts == 1 else ExistsCount("<=", self.firsts - 1, y, closer)

    def _closest(self, node: Node) -> Predicate:
        phrase = self.phrase(node.nodes[0])
        op: CompareOp = node.value("CLOSEST")
        span = node.span

        def of(x: str) -> Formula:
            def closer(z: str) -> Formula:
                here = self._distance(x, z, span)
                return self._none_better(
                    lambda y: both(
                        Compare("!=", Variable(y), Variable(z)), Compare(op, self._distance(y, z, span), here, span)
                    )
                )

            with self.object_of(x):
                return phrase.apply(closer)

        return Predicate(of)


    def plain_part(self, predicate: Predicate, x: str) -> Formula:
        """What a predicate says of each thing, besides what it says of them together."""
        try:
            return self.holds(predicate, x)
        except NoMeaning:
            return both()


def _contains(node: Node) -> bool:
    """contains a ship, and not: has a ship near it, shows a ship"""
    leaf = node.leaf("CONTAINV")
    things = node.nodes[0]
    plain = things.kind == "things" and things.nodes[0].kind not in ("np_and", "np_or", "np_either", "np_neither")
    return plain and leaf is not None and leaf.word.text.lower().startswith(("contain", "includ"))


def _between_them(things: Node) -> bool:
    """a helicopter between them"""
    stack = [things]
    while stack:
        node = stack.pop()
        if node.has("PREP") and node.value("PREP") == Relation("between") and node.nodes[-1].kind == "np_pron":
            return True
        stack.extend(node.nodes)
    return False


def _each_left_out(node: Node, with_both: bool) -> tuple[Node, ...]:
    """without ships and planes: without ships, without planes; "not both ships and planes" is one thing denied."""
    inner = node.nodes[0] if node.kind == "things" else node
    if inner.has("BUTWITH"):
        raise NoMeaning("'but with' stands against 'without', not inside it.")
    if inner.kind == "np_and" and (with_both or not inner.has("BOTH")):
        return inner.nodes
    return (node,)


def _names(formula: Formula) -> frozenset[str]:
    from ..nodes import free_variables

    return free_variables(formula)


