"""Composition of noun phrases: "no large ships near a bridge", "two of them", "the same harbor"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from ..nodes import (
    And,
    Apply,
    Compare,
    ForAll,
    Formula,
    Implies,
    Not,
    Or,
    Variable,
    conjunction,
)
from .counts import Counts, with_adjectives
from .meaning import NoAntecedent, NoMeaning, Nominal, Pair, Phrase, Predicate, Scope, both
from .nouns import anything
from .readings import Leaf, Node, has_between_them
from .together import each_of, none_of


class Phrases(Counts):
    """Noun phrases become functions of what is said of their thing."""

    def phrase(self, node: Node) -> Phrase:
        """A noun phrase."""
        match node.kind:
            case "things_of_which" | "things_all":
                raise NoMeaning("'all of which' speaks of what there is, not of one thing inside another.")
            case "things":
                return self.phrase(node.nodes[0])
            case "np":
                return self._determined(node.nodes[0], self.head(node.nodes[1]))
            case "np_bare":
                noun = self.head(node.nodes[0])
                return self._some(noun)
            case "np_plain_all":
                noun = self.head(node.nodes[0])
                return Phrase(lambda scope: self.every(noun, scope, importing=False), universal=True)
            case "np_all_except":
                if any(leaf.kind == "NOUN" and leaf.value.ones for leaf in node.nodes[1].leaves()):
                    raise NoMeaning("But one of what is a number.")
                excepted = self.nominal(node.nodes[1])
                others = Predicate(lambda x: Not(self.restrict(excepted, x)))
                return self._all(self._modified(self.head(node.nodes[0]), others))
            case "np_all_but":
                return self._all_but(self.head(node.nodes[0]), self._whole(node.value("NUM")))
            case "np_row":
                grouped = self.grouped(node.value("ROWOF"), node.span)
                noun = self._modified(self.head(node.nodes[0]), grouped)
                if not node.has("NUM"):
                    grouped.of("")  # raises NoMeaning: how many?
                return self._counted(noun, self._whole(node.value("NUM")))
            case "np_raised":
                det, adjectives, other_det, compared = node.nodes
                raised = self._determined(det, self.head(with_adjectives(compared, adjectives)))
                last = self._determined(other_det, self.head(compared))
                if not node.has("OR"):
                    return self._joined([raised, last])
                return Phrase(lambda scope: Or((raised.apply(scope), last.apply(scope))))
            case "np_xor":
                first, second = (self.phrase(part) for part in node.nodes)

                def one_of(scope: Scope) -> Formula:
                    either = Or((first.apply(scope), second.apply(scope)))
                    return And((either, Not(And((first.apply(scope), second.apply(scope))))))

                return Phrase(one_of)
            case "np_counts":
                noun = self.head(node.nodes[1])
                bounds = [self._count(part, noun, definite=False) for part in (node.nodes[0], node.nodes[2])]
                return Phrase(lambda scope: And(tuple(bound.apply(scope) for bound in bounds)))
            case "np_nearest":
                if node.value("CLOSEST") != "<":
                    raise NoMeaning("Farthest from what?")
                return self._some(replace(self.head(node.nodes[0]), plural=False))
            case "np_those":
                leaf = node.leaf("THOSE")
                repeats = self.ones.get(leaf.span) if leaf else None
                if repeats is None:
                    raise NoAntecedent("Those of what? Nothing before it says.")
                name = repeats
                those = Nominal(lambda x: Apply(name, (Variable(x),), node.span), plural=True, cls=name)
                those = self._modified(those, self.modifier(node.nodes[0]))
                every = self._all(those)
                return replace(self._some(those), definite=True, every=every.apply, pairwise=every.pairwise)
            case "np_counted":
                return self._count(node.nodes[1], self.head(node.nodes[0]), definite=False)
            case "np_only":
                return self._only(self.head(node.nodes[0]))
            case "np_pron":
                plural = node.value("PRON")
                if plural:
                    return Phrase(lambda scope: both(*(scope(x) for x in self.they())), plain=True, them=True,
                                  members=(lambda scope: scope(self.it(plural)),))  # fmt: skip
                return Phrase(lambda scope: scope(self.it(plural)), plain=True,
                              members=(lambda scope: scope(self.it(plural)),))  # fmt: skip
            case "np_self":
                return Phrase(lambda scope: scope(self.frames[-1] if self.frames else self.it()), plain=True)
            case "np_letter":
                letter = node.value("LETTER")

                def named(scope: Scope) -> Formula:
                    if letter not in self.letters:
                        raise NoAntecedent(f"Nothing is called {letter}: say 'a ship {letter}' first.")
                    return scope(self.letters[letter])

                return Phrase(named, plain=True, members=(named,))
            case "np_another":
                return Phrase(lambda scope: self._another(node, scope), other=True)
            case "np_share_or":
                share = node.value("FRACTION") if node.has("FRACTION") else Fraction(node.value("NUM")) / 100
                if node.has("UNIT") and node.value("UNIT") != "%":
                    raise NoMeaning("A share is a percentage.")
                return self._share(self.head(node.nodes[0]), ">=" if node.has("ORMORE") else "<=", share)
            case "np_or_more":
                noun, least = self.head(node.nodes[0]), self._whole(node.value("NUM"))
                for mod in node.nodes[1:]:
                    noun = self._modified(noun, self.modifier(mod))
                if node.has("ORMORE"):
                    return self._counted(noun, least)
                return Phrase(self._bounded("<=", noun, least), noun=noun)
            case "np_with":
                if not has_between_them(node.nodes[1]):
                    raise NoMeaning("A phrase belongs to the noun before it.")
                owners, between = self.phrase(node.nodes[0]), self.predicate(node.nodes[1])
                return Phrase(lambda scope: self.together(owners, between, scope))
            case "np_shared":
                several, said = self.phrase(node.nodes[0]), self.predicate(node.nodes[1])
                if not any(leaf.kind == "SAME" for leaf in node.nodes[1].leaves()) or not said.plain:
                    raise NoMeaning("A phrase belongs to the noun before it.")
                return Phrase(lambda scope: several.apply(lambda x: both(self.holds(said, x), scope(x))))
            case "np_both" | "np_rel":
                pair, said = self.phrase(node.nodes[0]), self.predicate(node.nodes[1])
                two = len(pair.members or ()) == 2 or (node.nodes[0].kind == "np_and" and len(node.nodes[0].nodes) == 2)
                if node.has("BOTH", "NEITHER") and not two:
                    raise NoMeaning("'both' speaks of two things.")
                if node.has("NEITHER"):
                    said = self.denied(said)
                if not said.plain:
                    return Phrase(lambda scope: self.together(pair, said, scope))
                return Phrase(lambda scope: pair.apply(lambda x: both(self.holds(said, x), scope(x))))
            case "np_none":
                return self._none_of_these(node)
            case "np_count":
                cls = self.ones.get(node.span)
                if cls is None:
                    raise NoAntecedent("A number of what? Nothing before it says.")
                repeated = Nominal(lambda x: Apply(cls, (Variable(x),), node.span), plural=True, cls=cls)
                return self._count(node.nodes[0], repeated, definite=False)
            case "np_the_other":
                return Phrase(lambda scope: scope(self._the_other_one()), plain=True)
            case "np_alone":
                return self._alone(node)
            case "np_thing":
                return self._thing(node)
            case "np_of_them":
                return self._of_them(node)
            case "np_both_of_them":
                return self._both_of_them(node)
            case "np_or" | "np_either":
                phrases = [self.phrase(part) for part in node.nodes]
                return Phrase(lambda scope: Or(tuple(phrase.apply(scope) for phrase in phrases)),
                              universal=any(phrase.universal for phrase in phrases),
                              indefinite=all(phrase.indefinite for phrase in phrases),
                              none=lambda scope: And(tuple(none_of(phrase)(scope) for phrase in phrases)),
                              every=lambda scope: And(tuple(each_of(phrase)(scope) for phrase in phrases)))  # fmt: skip
            case "np_neither":
                phrases = [self.phrase(part) for part in node.nodes]
                return Phrase(lambda scope: conjunction(Not(phrase.apply(scope)) for phrase in phrases))
            case "np_without":
                left_out = self.phrase(node.nodes[0])
                return Phrase(lambda scope: Not(left_out.apply(scope)))
            case "np_and":
                return self._joined([self.phrase(part) for part in node.nodes])
            case "np_mod":
                joined = self.phrase(node.nodes[0])
                predicate = self.predicate(node.nodes[1])
                return Phrase(lambda scope: self.together(joined, predicate, scope))
            case "np_more" | "np_more_where" | "np_more_adjs" | "np_more_by":
                return self._compared(node)
            case "np_fewer" | "np_as_many" | "np_same_number" | "np_times_more":
                return self._compared(node)
            case _:
                raise NoMeaning(f"No noun phrase: {node.kind}")

    def _another(self, node: Node, scope: Scope) -> Formula:
        """Another of the same class as what is spoken of."""
        before = [one.x for one in self.referents]
        things = before or self.frames
        cls = self.class_of.get(things[-1]) if things else None
        if cls is None:
            raise NoAntecedent("Another what? Nothing before it says.")
        noun = Nominal(lambda x: Apply(cls, (Variable(x),), node.span), other=True, cls=cls)
        for mod in node.nodes:
            noun = self._modified(noun, self.modifier(mod))
        return self.one_for_all(noun, scope, "one") if before else self.some(noun, scope)

    def _none_of_these(self, node: Node) -> Phrase:
        """none on the right: none of the class named before"""
        leaf = node.leaf("NONE")
        cls = self.ones.get(leaf.span) if leaf else None
        if cls is None:
            raise NoAntecedent("None of what? Nothing before it says.")
        noun = Nominal(lambda x: Apply(cls, (Variable(x),), node.span), cls=cls, plural=True)
        for mod in node.nodes:
            noun = self._modified(noun, self.modifier(mod))
        return Phrase(lambda scope: Not(self.some(noun, scope)))

    def _of_them(self, node: Node) -> Phrase:
        """all of them, none of them, two of them"""

        def restriction(x: str) -> Formula:
            if self.them is None:
                raise NoAntecedent("There is nothing before it that it could stand for.")
            return self.restrict(self.them, x)

        return self._determined(node.nodes[0], Nominal(restriction, plural=True))

    def _both_of_them(self, node: Node) -> Phrase:
        """both, neither: of the two that were named before"""

        def of_each(scope: Scope) -> Formula:
            named = [one.x for one in self.referents]
            if len(named) != 2:
                named = [self.it(plural=True)]  # "two ships are near a harbor and both are large"
            return both(*(Not(scope(x)) if node.has("NEITHER") else scope(x) for x in named))

        return Phrase(of_each)

    def _the_other_one(self) -> str:
        """Of two things, the one that is not spoken of."""
        subject = self.exclude or (self.frames[-1] if self.frames else None)
        if subject not in self.two:
            raise NoAntecedent("The other of which two?")
        return next(x for x in self.two if x != subject)

    def _alone(self, node: Node) -> Phrase:
        """most are not: most of those named before"""

        def restriction(x: str) -> Formula:
            if self.them is None:
                raise NoAntecedent("Most of which? Nothing before it says.")
            return self.restrict(self.them, x)

        return self._determined(node.nodes[0], Nominal(restriction, plural=True))

    def _thing(self, node: Node) -> Phrase:
        """something, nothing, everything, anything"""
        noun = Nominal(anything)
        for mod in node.nodes:
            said = self.modifier(mod)
            if not said.plain:
                raise NoMeaning("'each other' needs several things, such as 'two ships near each other'.")
            noun = replace(noun, mods=(*noun.mods, said.of))
        match node.value("THING"):
            case "some":
                return self._some(noun)
            case "any":
                return replace(self._some(noun), any=True, importing=lambda s: self.every(noun, s, importing=True))
            case "all":
                return self._all(noun)
            case _:
                return Phrase(lambda scope: Not(self.some(noun, scope)))

    def _determined(self, det: Node, noun: Nominal) -> Phrase:
        match det.kind:
            case "d_a":
                if noun.pairs or noun.groups:
                    raise NoMeaning("'each other', 'in a row': of several things, such as 'two ships near each other'.")
                return self._some(replace(noun, plural=False))
            case "d_some":
                return self._some(noun)
            case "d_another":
                return self._some(replace(noun, plural=False, other=True))
            case "d_any":
                return replace(self._some(noun), any=True, importing=lambda s: self.every(noun, s, importing=True))
            case "d_the":
                definite = self._some(noun, wide="the")
                if noun.cls is not None and not noun.plural and not noun.mods and noun.first is None:
                    return replace(definite, apply=self._the(noun, definite))
                if noun.plural and definite.indefinite:
                    every = self._all(noun)
                    return replace(definite, definite=True, every=every.apply, pairwise=every.pairwise)
                return definite
            case "d_rest":
                return self._the_rest(noun)
            case "d_same":
                return self._some(noun, wide="same")
            case "d_no":
                several, two = self._some(noun, 2), self._counted(noun, 2)
                return Phrase(
                    lambda scope: Not(several.apply(scope)), positive=several,
                    grouped=lambda predicate: Not(self.together(two, predicate)),
                )
            case "d_no_count":
                least = int(det.value("NUM"))
                counted = self._counted(noun, least)
                return Phrase(lambda scope: Not(counted.apply(scope)),
                              grouped=lambda predicate: Not(self.together(counted, predicate)))  # fmt: skip
            case "d_all":
                return self._all(noun, several=det.parts[0].word.text.lower().startswith("all"))  # type: ignore[union-attr]
            case "d_all_but":
                return self._all_but(noun, self._whole(det.value("NUM")))
            case "d_pairs":
                if det.value("NUM") != 2 and det.has("ANY"):
                    raise NoMeaning("Of every two things something can be said together; of more, say it of 'all'.")
                if det.value("NUM") != 2 or det.parts[0].word.text.lower().startswith("all"):  # type: ignore[union-attr]
                    return self._all_of_so_many(det, noun)
                every_two, two = self._all(noun), self._counted(noun, 2)

                def of_one(scope: Scope) -> Formula:
                    raise NoMeaning("What is said of any two things is said of them together: 'near each other'.")

                return replace(every_two, apply=of_one, any=det.has("ANY"), members=two.members, indefinite=True)
            case "d_all_so_many" | "d_both" | "d_neither" | "d_the_only":
                return self._all_of_so_many(det, noun)
            case "d_some_not_all":
                some = self._count(det.nodes[0], noun, definite=False) if det.nodes else self._some(noun)
                everyone = self._all(noun)
                return Phrase(lambda scope: both(some.apply(scope), Not(everyone.apply(scope))))
            case "d_out_of":
                part, of = (leaf.value for leaf in det.parts if isinstance(leaf, Leaf) and leaf.kind == "NUM")
                return self._share(noun, ">=", Fraction(part) / Fraction(of))
            case "d_not_all":
                every = self._all(noun)

                def not_all(scope: Scope) -> Formula:
                    with self.host(counted=False, denied=True) as host:
                        formula = Not(every.apply(scope))
                    return self.wrap(host, formula)

                return Phrase(
                    not_all, universal=True,
                    pairwise=lambda pair: Not(every.pairwise(pair) if every.pairwise else both()),
                )  # fmt: skip
            case "d_count":
                if noun.first is not None and det.has("NUM"):  # one of the three largest
                    noun = noun.first(self._whole(det.value("NUM")))
                return self._count(det.nodes[0], noun, definite=det.has("THE"))
            case "d_most":
                return self._share(noun, ">", Fraction(1, 2))
            case "d_share" if not noun.plural and _one_more(det):
                return self._some(replace(noun, other=True))
            case "d_share":
                shares = [self._share(noun, op, share) for op, share in self.shares(det.nodes[0])]
                return replace(shares[0], apply=lambda scope: both(*(phrase.apply(scope) for phrase in shares)))
            case _:
                raise NoMeaning(f"No determiner: {det.kind}")

    def _the(self, noun: Nominal, phrase: Phrase) -> Callable[[Scope], Formula]:
        """the ship: the one that was spoken of, else some ship."""

        def apply(scope: Scope) -> Formula:
            known = self.known.get(noun.cls or "") if noun.plainly else None
            x = known or self.resolve(noun)
            return phrase.apply(scope) if x is None else scope(x)

        return apply

    def _the_rest(self, noun: Nominal) -> Phrase:
        """As "the": the other ship, the other ships."""
        others = replace(noun, other=True, rest=True)
        definite = self._some(others, wide="the")
        if not noun.plural:
            return definite
        return replace(definite, definite=True, every=self._all(others).apply)

    def _all(self, noun: Nominal, several: bool = False) -> Phrase:
        def pairwise(pair: Pair) -> Formula:
            def with_all_others(x: str) -> Formula:
                return self.every(noun, lambda y: Implies(Compare("!=", Variable(x), Variable(y)), pair(x, y)), False)

            return self.every(noun, with_all_others, importing=True)

        if noun.pairs or noun.groups:
            raise NoMeaning("'all' and 'each other': say 'all ships are near each other'.")
        return Phrase(lambda scope: self.every(noun, scope, True, several), pairwise=pairwise, universal=True,
                      every=self._some(replace(noun, joint=False)).apply)  # fmt: skip

    def _all_of_so_many(self, det: Node, noun: Nominal) -> Phrase:
        """all three ships, both ships, neither ship, the only ship: there are so many, and of all it is said"""
        if noun.parts and det.kind == "d_both" and noun.joint:
            return self._some(noun)  # "both cars and trucks": some of each
        if noun.parts:
            raise NoMeaning("A number counts one kind of thing.")
        number = self._whole(det.value("NUM")) if det.has("NUM") else 1 if det.kind == "d_the_only" else 2
        many = self._bounded("=", noun, number)
        every = self._all(noun) if det.kind != "d_neither" else Phrase(lambda scope: Not(self.some(noun, scope)))

        def pairwise(pair: Pair) -> Formula:
            return both(many(anything), every.pairwise(pair) if every.pairwise else both())

        def apply(scope: Scope) -> Formula:
            return both(many(anything), self._plainly(every, scope))

        return Phrase(apply, pairwise=pairwise, universal=True)

    def _plainly(self, phrase: Phrase, scope: Scope) -> Formula:
        """Said of all, where it is known that there are some."""
        self.conditional += 1
        try:
            return phrase.apply(scope)
        finally:
            self.conditional -= 1

    def _all_but(self, noun: Nominal, count: int) -> Phrase:
        """all but two ships: of exactly two ships it does not hold"""
        missing = self._bounded("=", noun, count)
        return Phrase(lambda scope: missing(lambda x: Not(scope(x))), universal=True)

    def _only(self, noun: Nominal) -> Phrase:
        """only ships: what it holds of is a ship; "only ships near a harbor" without a verb: there are some."""
        if noun.pairs or noun.groups:
            raise NoMeaning("Only which things?")
        bare = replace(noun, mods=())

        def apply(scope: Scope) -> Formula:
            if scope is anything:
                thing = Nominal(anything, mods=noun.mods)
                return both(self.some(noun, anything), self.every(thing, bare.base, importing=False))
            x = self.fresh()
            with self.bound(x, noun):
                return ForAll(x, self.then(scope(x), lambda: self.restrict(noun, x), implied=True))

        return Phrase(apply, universal=True)


def _one_more(det: Node) -> bool:
    """a third plane, where two were named: one more, and no third of them"""
    leaf = det.nodes[0].leaf("FRACTION")
    return leaf is not None and leaf.word.text.lower().startswith("a ") and not det.has("OF", "THE", "ALL")
