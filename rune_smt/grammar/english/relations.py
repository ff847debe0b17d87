"""Composition of what relates two things: "near a harbor", "with a ship in it", "on which there are two cars"."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import suppress
from dataclasses import replace

from ...errors import Span
from ..nodes import (
    Apply,
    Compare,
    CompareOp,
    Formula,
    Not,
    Or,
    Variable,
    free_variables,
)
from .lexicon import Relation
from .meaning import NoAntecedent, NoMeaning, Phrase, Predicate, Sentence, both
from .measures import Measures
from .nouns import anything
from .readings import Leaf, Node

COMPARING = ("outnumber", "s_amount", "s_compare", "s_exceed", "as_many_vp")  # sentences that have counts in them


class Relations(Measures):
    """Prepositions, verbs, possession and places become predicates."""

    @abstractmethod
    def sentence(self, node: Node) -> Sentence:
        """A sentence."""

    def _where_so(self, node: Node) -> Predicate:
        """a harbor where large ships outnumber small ones: what is said of it, else of what is in it"""
        sentence = self.sentence(node.nodes[0])
        there: list[str] = []

        def in_it(y: str) -> Formula:
            with self.object_of(there[-1]):
                return self.relate(Relation("inside"), y, there[-1], node.span)

        with self.within(in_it):
            inside = self.sentence(node.nodes[0])

        def where(x: str) -> Formula:
            with suppress(NoMeaning):
                said = sentence.make()
                if x in free_variables(said):
                    return said
            if node.nodes[0].kind not in COMPARING:
                raise NoMeaning("What is said after 'where' does not speak of the thing before it.")
            there.append(x)
            try:
                said = inside.make()
            finally:
                there.pop()
            if x not in free_variables(said):
                raise NoMeaning("What is said after 'where' does not speak of the thing before it.")
            return said

        return Predicate(where)

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
        if node.kind not in ("np", "np_bare") or node.nodes[-1].kind != "n_mod":
            return None
        inner = node.nodes[-1]
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
                if behind is None or part.kind not in ("np", "np_bare") or x in free_variables(phrase.apply(anything)):
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
        if any(leaf.kind == "INIMG" for leaf in inner.leaves()):
            return phrase.apply(anything)  # "a ship without a plane in the image"
        before = self.made
        said = phrase.apply(anything)
        if x in free_variables(said):
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
            named = x in free_variables(phrase.apply(anything))  # "on it" says itself how they stand
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

    def _either_relation(self, node: Node) -> Predicate:
        """near or inside a harbor; near but not inside a harbor"""
        leaves = [part for part in node.parts if isinstance(part, Leaf) and part.kind in ("PREP", "ADV", "RELV")]
        phrase = self.phrase(node.nodes[0])

        def related(x: str, y: str) -> Formula:
            first, second = (self.relate(leaf.value, x, y, node.span) for leaf in leaves)
            if node.has("NEITHER"):
                return Or((first, second))
            second = Not(second) if node.has("NOT") else second
            return Or((first, second)) if node.has("OR") else both(first, second)

        def of(x: str) -> Formula:
            with self.object_of(x):
                said = phrase.apply(lambda y: related(x, y))
            return Not(said) if node.has("NEITHER") else said

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
                    if phrase.universal or (self.widened and phrase.indefinite):
                        return phrase.apply(lambda y: self.relate(relation, x, y, span))
                    return Not(phrase.apply(lambda y: self.relate(positive, x, y, span)))

            return Predicate(outside)

        def of(x: str) -> Formula:
            with self.object_of(x):
                return (every or phrase.apply)(lambda y: self.relate(relation, x, y, span))

        return Predicate(of)

    def _at_the_same(self, node: Node) -> Predicate:
        """in the same harbor as a crane"""
        relation: Relation = node.value("PREP")
        place, other = self.nominal(node.nodes[0]), self.phrase(node.nodes[1])

        def of(x: str) -> Formula:
            def there(z: str) -> Formula:
                def at_both(y: str) -> Formula:
                    return both(*(self.relate(relation, thing, y, node.span) for thing in (x, z)))

                return self.some(place, at_both)

            with self.object_of(x):
                return other.apply(there)

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
