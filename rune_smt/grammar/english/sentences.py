"""Composition of sentences and of the frames around them: "show me images with", "if ... then", "there is"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

from ..nodes import (
    And,
    Compare,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Or,
    Truth,
)
from .clauses import UNIVERSAL
from .comparisons import Comparisons
from .discourse import spoken_of
from .meaning import NoAntecedent, NoMeaning, Nominal, Predicate, Sentence, both
from .nouns import anything
from .predicates import each_left_out
from .readings import Node


class Composer(Comparisons):
    """Trees to formulas. One composer for one tree."""

    def formula(self, node: Node) -> Formula:
        """The formula of a whole text, existence not yet placed."""
        lines = [self.sentence(part) for part in node.nodes]
        return self._in_turn(lines).make()

    def sentence(self, node: Node) -> Sentence:
        """A sentence or a frame."""
        return replace(self._sentence(node), definites=frozenset(_definites(node)))

    def _sentence(self, node: Node) -> Sentence:
        nodes = node.nodes
        match node.kind:
            case "s_and":
                return self._in_turn([self.sentence(part) for part in nodes])
            case "s_or" | "s_either":
                parts = [self.sentence(part) for part in nodes]
                return Sentence(lambda: self._one_of(parts))
            case "s_xor":
                return self._but_not_both([self.sentence(part).make for part in nodes])
            case "s_xor_things" | "s_xor_there":
                return self._but_not_both([self._exists(part).make for part in nodes])
            case "s_not":
                inner = self.sentence(nodes[0])
                return Sentence(lambda: Not(inner.make()))
            case "s_group" | "iv_where" | "iv_rel":
                return self.sentence(nodes[-1])
            case "s_if":
                return self._if(nodes[0], nodes[1])
            case "s_given":
                return self._if(nodes[1], nodes[0])
            case "s_if_any":
                plainly = self.sentence(nodes[0])

                def if_any() -> Formula:
                    with self._conditional():
                        return plainly.make()

                return Sentence(if_any)
            case "s_onlyif":
                return self._if(nodes[0], nodes[1])
            case "s_onlyif_first":
                return self._if(nodes[1], nodes[0])
            case "s_unless_first":
                return self._if(nodes[0], nodes[1], negated=True)
            case "s_unless":
                return self._if(nodes[1], nodes[0], negated=True)
            case "s_iff":
                left, right = self.sentence(nodes[0]), self.sentence(nodes[1])

                def iff() -> Formula:
                    with self._conditional():
                        return Iff(left.make(), right.make())

                return Sentence(iff)
            case "s_forall":
                return self._for_every(node)
            case "fragment":
                return self._fragment(nodes[0])
            case "there" | "iv_has" | "f_show" | "f_exists" | "f_it":
                return self._exists(nodes[-1])
            case "there_not" | "iv_not":
                with_both = node.has("LACK", "WITHOUT", "FREEOF")
                left_out = [self._exists(part) for part in each_left_out(nodes[0], with_both)]
                return Sentence(lambda: both(*(Not(part.make()) for part in left_out)))
            case "iv_not_but":
                missing, present = self._exists(nodes[0]), self._exists(nodes[1])
                return Sentence(lambda: both(Not(missing.make()), present.make()))
            case "f_do":
                inner = self._exists(nodes[-1])
                return Sentence(lambda: Not(inner.make())) if node.has("NOT") else inner
            case "f_images" | "f_clause":
                return self.sentence(nodes[-1])
            case "f_true":
                return Sentence(lambda: Truth(True))
            case "clause":
                phrase, said = self.phrase(nodes[0]), self.predicate(nodes[1])
                self.last_said = said
                if nodes[1].kind == "vp_all" and phrase.noun is not None and (phrase.definite or phrase.bare):
                    phrase = self._all(phrase.noun)
                return self._clause(phrase, said)
            case "clause_which":
                return self._which(node)
            case "clause_except":
                return self._excepting(node)
            case "all_but":
                phrase = self._all_but(self.nominal(nodes[0]), self._whole(node.value("NUM")))
                return self._clause(phrase, self.predicate(nodes[1]))
            case "place_has":
                return self._clause(self._existing(nodes[-1]), self._place_of(node), asked=True)
            case "place_more":
                return self._more_there(node)
            case "place_has_not":
                there = self._clause(self._existing(nodes[-1]), self._place_of(node), asked=True)
                return Sentence(lambda: Not(there.make()))
            case "clause_noun":
                if nodes[0].kind not in UNIVERSAL:
                    raise NoMeaning("A verb is missing.")
                return self._clause(self._determined(nodes[0], self.nominal(nodes[1])), self.is_one(nodes[2]))
            case "fronted_there" | "fronted_things":
                told = nodes[1].kind.startswith("things_")
                each = self._fronting(nodes[0], ("d_a", "d_the", *UNIVERSAL)) if told else self._fronting(nodes[0])
                if each is not None:
                    return self._in_each(each, nodes[0].value("PREP"), nodes[1], nodes[0].span)
                return self._clause(self._existing(nodes[1]), self.predicate(nodes[0]), asked=True)
            case "fronted":
                front, said = self.predicate(nodes[0]), self.predicate(nodes[2])
                if not said.plain:
                    raise NoMeaning("'each other' cannot follow a phrase in front.")
                both_said = Predicate(lambda x: both(said.of(x), front.of(x)))
                return self._clause(self.phrase(nodes[1]), both_said)
            case "it_has":
                return self._exists(nodes[0])
            case "ellipsis":
                if self.last_said is None:
                    raise NoMeaning("What is said of it? Nothing before it says.")
                said = self.denied(self.last_said) if node.has("NOT") else self.last_said
                return self._clause(self.phrase(nodes[0]), said)
            case "absent":
                present = self._exists(nodes[0])
                return present if node.has("NOT") else Sentence(lambda: Not(present.make()))
            case "q_be":
                return self._clause(self.phrase(nodes[0]), self.predicate(nodes[1]), asked=True)
            case "q_clause":
                return self._asked(self.sentence(nodes[-1]))
            case "f_what":
                said = self.predicate(nodes[0])
                return Sentence(lambda: self.some(Nominal(anything), lambda x: self.holds(said, x)))
            case "q_not":
                return self._clause(self.phrase(nodes[0]), self.denied(self.predicate(nodes[1])), asked=True)
            case "more_vp":
                return self._more(node)
            case "as_many_vp":
                return self._as_many(node)
            case "s_amount" | "s_compare" | "s_exceed":
                return Sentence(self._comparison(node))
            case "outnumber":
                counts = [self.counted(self.head(part.nodes[0])) for part in nodes]
                return Sentence(lambda: counts[0](lambda a: counts[1](lambda b: Compare(">", a, b, node.span))))
            case "cover_of" | "cover_under" | "cover_by" | "cover_amount" | "cover_more" | "cover_share" | "cover_bare":
                return Sentence(self._cover(node))
            case "share_of":
                return self._share_of(node)
            case "s_true" | "s_false":
                value = node.kind == "s_true"
                return Sentence(lambda: Truth(value, node.span))
            case "s_named":
                return self._named(node)
            case _:
                raise NoMeaning(f"No sentence: {node.kind}")

    def _one_of(self, parts: list[Sentence]) -> Formula:
        """One of several sentences; "the bridge" of one may be "it" in another, and then stands around them."""
        with suppress(NoAntecedent):
            return Or(tuple(part.make() for part in parts))
        with self.host(counted=True, outermost=True) as host:
            choices: list[Formula] = []
            frames = len(self.frames)
            try:
                for part in parts:
                    choices.append(part.make())
                    self.frames[frames:] = [x for x, _ in host.wide]
            finally:
                del self.frames[frames:]
        return self.wrap(host, Or(tuple(choices)))

    def _but_not_both(self, parts: list[Callable[[], Formula]]) -> Sentence:
        def make() -> Formula:
            first, second = parts
            return And((Or((first(), second())), Not(And((first(), second())))))

        return Sentence(make)

    def _if(self, condition: Node, consequence: Node, negated: bool = False) -> Sentence:
        left, right = self.sentence(condition), self.sentence(consequence)

        def antecedent() -> Formula:
            with self._asking():
                said = left.make()
            return Not(said) if negated else said

        def make() -> Formula:
            with self._conditional():
                condition = antecedent()
                named = spoken_of(condition)
                if not negated and not named and left.donkey is not None and left.topic in right.definites:
                    return left.donkey(right.make)
                try:
                    return self.then(condition, lambda: self._of(left.noun, right.make), implied=True, topic=True)
                except NoAntecedent:
                    if negated or left.donkey is None:
                        raise
                    return left.donkey(right.make)

        return Sentence(make)

    def _for_every(self, node: Node) -> Sentence:
        noun, sentence = self.nominal(node.nodes[0]), self.sentence(node.nodes[1])
        if noun.pairs or noun.groups:
            raise NoMeaning("For every one of which things?")

        def make() -> Formula:
            x = self.fresh()
            with self.bound(x, noun):
                restriction = self.restrict(noun, x)
                with self.frame(x):
                    body = sentence.make()
            if isinstance(restriction, Truth):
                return ForAll(x, body)
            return ForAll(x, Implies(restriction, body))

        return Sentence(make)


def _definites(node: Node) -> Iterator[str]:
    """The classes of "the ship" in it, with nothing else said of them."""
    stack = [node]
    while stack:
        top = stack.pop()
        stack.extend(top.nodes)
        if top.kind == "np" and top.nodes[0].kind == "d_the" and top.nodes[1].kind == "noun":
            noun = top.nodes[1].value("NOUN")
            if noun.cls is not None and not noun.plural and len(top.nodes[1].parts) == 1:
                yield noun.cls
