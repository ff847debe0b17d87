"""Composition of nouns and noun phrases: "no large ships near a bridge", "two of them", "the same harbor"."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from fractions import Fraction

from ..nodes import (
    And,
    Apply,
    Arithmetic,
    Compare,
    CompareOp,
    Count,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Implies,
    Not,
    Or,
    Term,
    Text,
    Variable,
    conjunction,
    disjunction,
)
from ..words import RELATIONS
from .amounts import PREFIX, Amounts, number, times
from .discourse import go_on
from .lexicon import Noun, Quality, Relation
from .meaning import Make, NoAntecedent, NoMeaning, Nominal, Pair, Phrase, Predicate, Scope, both
from .readings import Leaf, Node

DIFFERENT = {"different", "distinct", "separate"}  # from each other: "two different ships"
MOST_TOGETHER = 40  # things that are named one by one, as "in a row" and "near each other" need


def anything(x: str) -> Formula:
    """Nothing is said of it."""
    return both()


class Phrases(Amounts):
    """Nouns become restrictions of a variable, noun phrases functions of what is said of their thing."""

    @abstractmethod
    def predicate(self, node: Node) -> Predicate:
        """What is said of a thing."""

    @abstractmethod
    def holds(self, predicate: Predicate, x: str) -> Formula:
        """The predicate of x, while x is spoken of."""

    @abstractmethod
    def denied(self, predicate: Predicate) -> Predicate:
        """That it is not so."""

    @abstractmethod
    def modifier(self, node: Node) -> Predicate:
        """What stands behind a noun."""

    # --- nouns ---

    def nominal(self, node: Node) -> Nominal:
        """A noun with its modifiers."""
        match node.kind:
            case "noun" | "noun_other" | "noun_super":
                return self._noun(node)
            case "n_co":
                parts = tuple(self.nominal(part) for part in node.nodes)
                if any(part.letter or part.pairs or part.groups for part in parts):
                    raise NoMeaning("These nouns cannot be joined.")

                def one_of(x: str) -> Formula:
                    return disjunction(self.restrict(part, x) for part in parts)

                return Nominal(one_of, parts=parts, joint=node.has("AND"), plural=True)
            case "n_mod":
                noun, mod = self.nominal(node.nodes[0]), node.nodes[1]
                if mod.kind == "m_except":
                    others = {leaf.value.cls for leaf in mod.leaves() if leaf.kind == "NOUN"}
                    if noun.cls and any(other and self.excludes(other, noun.cls) for other in others):
                        raise NoMeaning("Nothing is both, so that nothing is left out.")
                return self._modified(noun, self.modifier(mod))
            case _:
                raise NoMeaning(f"No noun: {node.kind}")

    def _noun(self, node: Node) -> Nominal:
        leaf = node.leaf("NOUN")
        assert leaf is not None
        noun: Noun = leaf.value
        cls = self.ones.get(leaf.span) if noun.ones else noun.cls
        if noun.ones and cls is None and not noun.other:
            raise NoAntecedent("There is no noun before it that it could repeat.")
        said: list[Scope] = []
        pairs: list[Pair] = []
        groups = []
        if node.nodes and node.nodes[0].kind == "adjs_or":
            choices = [self._adjective(adjective) for adjective in node.nodes[0].nodes]
            if not all(choice.plain for choice in choices):
                raise NoMeaning("'or' joins adjectives that are said of one thing.")
            said.append(lambda x: Or(tuple(choice.of(x) for choice in choices)))
        for adjective in node.nodes[0].nodes if node.nodes and node.nodes[0].kind == "adjs" else ():
            predicate = self._adjective(adjective)
            if predicate.pair:
                pairs.append(predicate.pair)
            elif predicate.group:
                groups.append(predicate.group)
            else:
                said.append(predicate.of)
        if cls is not None:
            name = cls
            said.insert(0, lambda x: Apply(name, (Variable(x),), leaf.span))

        def base(x: str) -> Formula:
            return both(*(say(x) for say in said))

        letter = node.leaf("LETTER")
        made = Nominal(
            base, other=node.kind == "noun_other" or noun.other, letter=letter.value if letter else None,
            plural=noun.plural and not node.has("OF"),
            pairs=tuple(pairs), groups=tuple(groups), cls=cls, word=noun.word or leaf.word.text.lower(),
            apart=node.kind == "noun_other" and _different(node),
            plainly=node.kind == "noun" and len(node.parts) == 1,
        )  # fmt: skip
        if node.kind == "noun_super":
            place = node.value("ORDINAL") if node.has("ORDINAL") else 1
            best = self._best(node, base, place)
            first = replace(made, base=lambda x: both(base(x), best(x)))
            made = replace(first, first=None if place > 1 else lambda n: self._first(node, first, base, n))
        return made

    def _adjective(self, node: Node) -> Predicate:
        if node.has("ADJ"):
            leaf = node.leaf("ADJ")
            assert leaf is not None
            quality: Quality = leaf.value
            said = self.quality(quality, leaf.span)
            return Predicate((lambda x: Not(said(x))) if node.has("NOT") else said)
        leaf = node.leaf("RECIPROCAL")
        if leaf is not None:
            relation: Relation = leaf.value
            return self.reciprocal(lambda x, y: self.relate(relation, x, y, leaf.span))
        return self.grouped(node.value("GROUP"), node.span)

    def quality(self, quality: Quality, span: tuple[int, int]) -> Scope:
        """What an adjective says of a thing."""

        def said(x: str) -> Formula:
            if quality.value is not None:
                return Compare("=", Apply(quality.name, (Variable(x),), span), Text(quality.value), span)
            atom = Apply(quality.name, (Variable(x),), span)
            return Not(atom, span) if quality.negated else atom

        return said

    def reciprocal(self, pair: Pair) -> Predicate:
        """each other: said of two different things"""

        def of(x: str) -> Formula:
            raise NoMeaning("'each other' needs two things.")

        return Predicate(of, pair=pair)

    def grouped(self, name: str, span: tuple[int, int]) -> Predicate:
        """in a row, grouped together: said of all things at once"""

        def of(x: str) -> Formula:
            raise NoMeaning("In a row, together: how many? Say a number, such as 'three ships in a row'.")

        def group(names: tuple[str, ...]) -> Formula:
            least = RELATIONS[name].arity
            if len(names) < least:
                raise NoMeaning(f"A row has at least {least} things in it.")
            return Apply(name, tuple(Variable(x) for x in names), span)

        return Predicate(of, group=group)

    def _best(self, node: Node, base: Scope, place: int) -> Scope:
        """the largest: no other is larger; the third largest: exactly two are"""
        by = node.value("SUPER")

        def best(x: str) -> Formula:
            y = self.fresh()
            better = both(base(y), self.beats(by, y, x, node.span))
            return Not(Exists(y, better)) if place == 1 else ExistsCount("=", place - 1, y, better)

        return best

    def _first(self, node: Node, noun: Nominal, base: Scope, count: int) -> Nominal:
        """the three largest: those than which at most two are larger"""
        by = node.value("SUPER")

        def among(x: str) -> Formula:
            y = self.fresh()
            return both(base(x), ExistsCount("<=", count - 1, y, both(base(y), self.beats(by, y, x, node.span))))

        return replace(noun, base=among, first=None)

    def beats(self, by: str | tuple[str, CompareOp], y: str, x: str, span: tuple[int, int]) -> Formula:
        """y is further left, larger, longer, ... than x"""
        if isinstance(by, str):
            return Apply(by, (Variable(y), Variable(x)), span)
        name, op = by
        return Compare(op, Apply(name, (Variable(y),)), Apply(name, (Variable(x),)), span)

    # --- noun phrases ---

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
            case "np_all_but":
                return self._all_but(self.head(node.nodes[0]), self._whole(node.value("NUM")))
            case "np_row":
                grouped = self.grouped(node.value("ROWOF"), node.span)
                noun = self._modified(self.head(node.nodes[0]), grouped)
                if not node.has("NUM"):
                    grouped.of("")  # raises NoMeaning: how many?
                return self._counted(noun, self._whole(node.value("NUM")))
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
                              none=lambda scope: And(tuple(_none(phrase)(scope) for phrase in phrases)),
                              every=lambda scope: And(tuple(_every(phrase)(scope) for phrase in phrases)))  # fmt: skip
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

    @contextmanager
    def within(self, said: Scope | None) -> Iterator[None]:
        """While every noun phrase speaks of the things of which this holds: the ships in the harbor."""
        before, self.domain = self.domain, said
        try:
            yield
        finally:
            self.domain = before

    def head(self, node: Node) -> Nominal:
        """The noun of a noun phrase with its modifiers, and with what is said of all that is spoken of: `within`."""
        said = self.domain
        with self.within(None):
            noun = self.nominal(node)
        return replace(noun, mods=(*noun.mods, said)) if said else noun

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

    @staticmethod
    def _modified(noun: Nominal, mod: Predicate) -> Nominal:
        """The noun with one more phrase behind it."""
        if mod.pair:
            noun = replace(noun, pairs=(*noun.pairs, mod.pair))
        if mod.group:
            noun = replace(noun, groups=(*noun.groups, mod.group))
        return replace(noun, mods=(*noun.mods, mod.of)) if mod.plain else noun

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

    def _each(self, phrases: list[Phrase], scope: Scope) -> Formula:
        """Of each of the things; "another", "it" and "the harbor" may speak of what was named before them."""
        first, *others = phrases
        whole = first.apply(scope)
        if not others:
            return whole
        try:
            return self.then(whole, lambda: self._each(others, scope))
        except NoAntecedent:
            return self._of_the_counted(first, scope, lambda: self._each(others, scope))

    def _of_the_counted(self, phrase: Phrase, scope: Scope, more: Make) -> Formula:
        """exactly one bridge and a ship under it: under each of the one"""

        def said(x: str) -> Formula:
            first = scope(x)
            with self.frame(x):
                return go_on(first, more(), implied=phrase.exact)

        if phrase.exact and phrase.every is not None:
            return both(phrase.apply(scope), phrase.every(said))
        if not phrase.indefinite:
            raise NoAntecedent("There is nothing before it that it could stand for.")
        return phrase.apply(said)

    def _joined(self, phrases: list[Phrase]) -> Phrase:
        members = None
        if all(phrase.members for phrase in phrases):
            of_each = [phrase.members[:1] if phrase.bare else phrase.members for phrase in phrases if phrase.members]
            members = tuple(member for several in of_each for member in several)

        def apply(scope: Scope) -> Formula:
            def of_all(x: str) -> Formula:
                with self.again(host):
                    return scope(x)

            with self.host(counted=True, joined=True) as host:
                formula = self._each(phrases, of_all)
            return self.wrap(host, formula)

        positive = [phrase.positive for phrase in phrases if phrase.positive]
        denied = self._joined(positive) if len(positive) == len(phrases) else None
        return Phrase(
            apply, grouped=(lambda predicate: Not(self.together(denied, predicate))) if denied else None,
            indefinite=all(phrase.indefinite for phrase in phrases), members=members,
            none=lambda scope: And(tuple(_none(phrase)(scope) for phrase in phrases)),
            every=lambda scope: And(tuple(_every(phrase)(scope) for phrase in phrases)),
            universal=any(phrase.universal for phrase in phrases),
        )  # fmt: skip

    def _some(self, noun: Nominal, least: int = 1, wide: str = "") -> Phrase:
        """At least one; `wide`: one for all of several things around it, see `one_for_all`."""
        if noun.parts and noun.joint:
            each = [self._some(replace(part, mods=(*part.mods, *noun.mods))) for part in noun.parts]
            joined = self._joined(each)
            if noun.pairs or noun.groups:
                predicate = Predicate(anything, noun.pairs[0] if noun.pairs else None,
                                      noun.groups[0] if noun.groups else None)  # fmt: skip
                return Phrase(lambda scope: self.together(joined, predicate, scope))
            return joined
        single = replace(noun, pairs=(), groups=())

        def one(scope: Scope) -> Formula:
            return self.some(single, scope)

        if noun.pairs or noun.groups:
            return self._together(noun, max(least, 3 if self._needs_three(noun) else 2))

        def apply(scope: Scope) -> Formula:
            if wide and self.hosts:
                return self.one_for_all(noun, scope, wide)
            return one(scope)

        return Phrase(
            apply, indefinite=True, members=(one, one) if noun.plural else (one,),
            cls=noun.cls, noun=noun, bare=noun.plural, other=noun.other,
            none=lambda scope: Not(one(scope)),
            every=lambda scope: self.every(noun, scope, importing=False),
        )  # fmt: skip

    def _needs_three(self, noun: Nominal) -> bool:
        try:
            for group in noun.groups:
                group(("x", "y"))
        except NoMeaning:
            return True
        return False

    def _together(self, noun: Nominal, count: int) -> Phrase:
        """N different things, every two of which, or all of which together, are so."""
        single = replace(noun, pairs=(), groups=())
        members = tuple([lambda scope: self.some(single, scope)] * count)

        def apply(scope: Scope) -> Formula:
            if count > MOST_TOGETHER:
                raise NoMeaning(f"At most {MOST_TOGETHER} things can be named one by one.")
            return self._bind(members, noun.pairs, noun.groups, scope, different=True)

        return Phrase(apply, indefinite=True, noun=replace(noun, plural=True))

    def _bind(
        self,
        members: tuple[Callable[[Scope], Formula], ...],
        pairs: tuple[Pair, ...],
        groups: tuple[Callable[[tuple[str, ...]], Formula], ...],
        scope: Scope,
        different: bool,
        joined: bool = False,
    ) -> Formula:
        def bind(names: tuple[str, ...]) -> Formula:
            if len(names) < len(members):
                return members[len(names)](lambda x: bind((*names, x)))
            self.together_with.update(dict.fromkeys(names, names[0]))
            parts: list[Formula] = []
            for i, x in enumerate(names):
                for y in names[i + 1 :]:
                    if different:
                        parts.append(Compare("!=", Variable(x), Variable(y)))
                    parts += [pair(x, y) for pair in pairs]
            parts += [group(names) for group in groups]
            parts += [scope(x) for x in names]
            return both(*parts)

        with self.host(counted=True, joined=joined) as host:
            formula = bind(())
        return self.wrap(host, formula)

    def together(self, phrase: Phrase, predicate: Predicate, scope: Scope = anything) -> Formula:
        """Said of several things together: "a ship and a plane near each other"; "all ships are parallel"."""
        pairs = (predicate.pair,) if predicate.pair else ()
        groups = (predicate.group,) if predicate.group else ()
        if phrase.grouped is not None:
            return phrase.grouped(predicate)
        if predicate.pair and phrase.pairwise and not (phrase.any and self.asked):
            return phrase.pairwise(predicate.pair)
        if phrase.members is None or len(phrase.members) < 2:
            raise NoMeaning("'each other' and 'in a row' need several things, such as 'two ships near each other'.")
        if len(phrase.members) > MOST_TOGETHER:
            raise NoMeaning(f"At most {MOST_TOGETHER} things can be named one by one.")
        return self._bind(phrase.members, pairs, groups, scope, different=not phrase.plain and phrase.indefinite,
                          joined=phrase.noun is None)  # fmt: skip

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
                return self._all(noun)
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
                return self._count(det.nodes[0], noun, definite=det.has("THE"))
            case "d_most":
                return self._share(noun, ">", Fraction(1, 2))
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

    def _all(self, noun: Nominal) -> Phrase:
        def pairwise(pair: Pair) -> Formula:
            def with_all_others(x: str) -> Formula:
                return self.every(noun, lambda y: Implies(Compare("!=", Variable(x), Variable(y)), pair(x, y)), False)

            return self.every(noun, with_all_others, importing=True)

        if noun.pairs or noun.groups:
            raise NoMeaning("'all' and 'each other': say 'all ships are near each other'.")
        return Phrase(lambda scope: self.every(noun, scope, importing=True), pairwise=pairwise, universal=True,
                      every=self._some(replace(noun, joint=False)).apply)  # fmt: skip

    def _all_of_so_many(self, det: Node, noun: Nominal) -> Phrase:
        """all three ships, both ships, neither ship, the only ship: there are so many, and of all it is said"""
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

    def _count(self, node: Node, noun: Nominal, definite: bool) -> Phrase:
        if noun.parts and noun.joint:
            raise NoMeaning("A number counts one kind of thing.")
        vocabulary = self.vocabulary
        match node.kind:
            case "n_several" | "n_few" | "n_many":
                return self._counted(noun, getattr(vocabulary, node.kind[2:]))
            case "n_or":
                either = [self._bounded("=", noun, self._whole(part.value)) for part in node.parts
                          if isinstance(part, Leaf) and part.kind == "NUM"]  # fmt: skip
                return Phrase(lambda scope: self._hosted(lambda: Or(tuple(bounded(scope) for bounded in either))))
            case "n_both":
                both_counts = [self._count(part, noun, definite) for part in node.nodes]
                return Phrase(lambda s: self._hosted(lambda: And(tuple(phrase.apply(s) for phrase in both_counts))))
            case "n_between":
                low, high = (self._whole(part.value) for part in node.parts if part.kind == "NUM")
                least, most = self._counted(noun, low), self._bounded("<=", noun, high)
                return Phrase(lambda scope: self._hosted(lambda: And((least.apply(scope), most(scope)))))
        count = self._whole(node.value("NUM"))
        match node.kind:
            case "n_ge":
                plain = not node.has("ATLEAST", "ORMORE")
                if plain and count == 0:
                    return Phrase(lambda scope: Not(self.some(noun, scope)))
                return self._counted(noun, count, wide="one" if plain else "")
            case "n_gt":
                return self._counted(noun, count + 1)
            case "n_le":
                return Phrase(self._bounded("<=", noun, count), noun=noun)
            case "n_lt":
                if count == 0:
                    raise NoMeaning("Fewer than 0 there cannot be.")
                return Phrase(self._bounded("<=", noun, count - 1), noun=noun)
            case "n_eq":
                return Phrase(self._bounded("=", noun, count), noun=noun, cls=noun.cls, exact=True,
                              every=lambda scope: self.every(noun, scope, importing=False))  # fmt: skip
            case _:
                raise NoMeaning(f"No count: {node.kind}")

    def _hosted(self, make: Make) -> Formula:
        """Several counts of the same things: "the harbor" in them is one for all."""
        with self.host(counted=True, outermost=True) as host:
            formula = make()
        return self.wrap(host, formula)

    @staticmethod
    def _whole(value: object) -> int:
        count = int(str(value).split(".")[0])
        if str(value) != str(count):
            raise NoMeaning("Things are counted in whole numbers.")
        return count

    def _counted(self, noun: Nominal, least: int, wide: str = "") -> Phrase:
        if noun.first is not None and least > 1:
            noun = noun.first(least)
        if noun.apart and least > 1:
            noun = replace(noun, other=False)  # "two different ships"
        if noun.pairs or noun.groups:
            return self._together(noun, max(2, least))
        if least == 1:
            return self._some(replace(noun, plural=False), wide=wide)
        single = self._some(noun)

        def apply(scope: Scope) -> Formula:
            with self.host(counted=True) as host:
                x = self.fresh()
                before, self.firsts = self.firsts, least
                with self.bound(x, noun):
                    restriction = self.restrict(noun, x)
                    self.firsts = before
                    formula = ExistsCount(">=", least, x, self.then(restriction, lambda: scope(x)))
            return self.wrap(host, formula)

        def one(scope: Scope) -> Formula:
            return self.some(noun, scope)

        return Phrase(
            apply, members=tuple([one] * least), indefinite=True, cls=noun.cls, noun=noun, other=noun.other,
            none=lambda scope: Not(apply(scope)), every=single.every,
        )  # fmt: skip

    def _bounded(self, op: str, noun: Nominal, count: int) -> Callable[[Scope], Formula]:
        def apply(scope: Scope) -> Formula:
            x = self.fresh()
            with self.bound(x, noun):
                body = self.then(self.restrict(noun, x), lambda: scope(x))
            return ExistsCount(op, count, x, body)  # type: ignore[arg-type]

        return apply

    def _share(self, noun: Nominal, op: CompareOp, share: Fraction) -> Phrase:
        """denominator * count x (A & B) op numerator * count x (A), and at least one A."""

        def apply(scope: Scope) -> Formula:
            with self.host(counted=True) as host:
                x = self.fresh()
                with self.bound(x, noun):
                    some = Count(x, self.then(self.restrict(noun, x), lambda: scope(x)))
                whole = self._count_of(noun, anything)
                compared = Compare(op, times(share.denominator, some), times(share.numerator, whole))
            formula = self.wrap(host, compared)
            if op == ">":
                return formula  # more than a share of none there cannot be
            return both(self.some(noun, anything), formula)

        return Phrase(apply, universal=True, noun=noun)

    def _count_of(self, noun: Nominal, scope: Scope) -> Term:
        x = self.fresh()
        with self.bound(x, noun):
            return Count(x, self.then(self.restrict(noun, x), lambda: scope(x)))

    def _compared(self, node: Node) -> Phrase:
        if node.kind == "np_more_where":
            noun, *said = (part for part in node.nodes if part.kind != "times")
            nouns = [self._modified(self.head(noun), self.modifier(mod)) for mod in said]
        elif node.kind == "np_more_adjs":
            adjectives, compared = (part for part in node.nodes if part.kind != "times")
            nouns = [self.head(_with_adjectives(compared, adjectives)), self.head(compared)]
        else:
            nouns = [self.head(part) for part in _alike([part for part in node.nodes if part.kind != "times"])]
        if any(noun.pairs or noun.groups for noun in nouns):
            raise NoMeaning("Counts compare things one by one.")
        first, second = nouns
        factor = next((part for part in node.nodes if part.kind == "times"), None)

        def apply(scope: Scope) -> Formula:
            with suppress(NoAntecedent):
                return compare(self._count_of(first, scope), self._count_of(second, scope))
            with self.host(counted=True, outermost=True) as host:  # "more cars on the bridge than trucks near it"
                a = self._count_of(first, scope)
                frames = len(self.frames)
                self.frames += [x for x, _ in host.wide]
                try:
                    formula = compare(a, self._count_of(second, scope))
                finally:
                    del self.frames[frames:]
            return self.wrap(host, formula)

        def compare(a: Term, b: Term) -> Formula:
            match node.kind:
                case "np_more_by" | "np_same_number" | "np_times_more":
                    pass
                case _ if node.has("MORE", "LESSER"):
                    more: CompareOp = "<=" if node.has("NO") else ">"
                    less: CompareOp = ">=" if node.has("NO") else "<"
                    return Compare(more if node.has("MORE") else less, a, b, node.span)
            match node.kind:
                case "np_same_number":
                    return Compare("=", a, b, node.span)
                case "np_more_by":
                    if node.has("LESSER"):
                        a, b = b, a
                    return Compare(_prefix(node), a, Arithmetic("+", b, number(node.value("NUM"))), node.span)
                case _:
                    op, share = self.factor(factor, _prefix(node))
                    return Compare(op, times(share.denominator, a), times(share.numerator, b), node.span)

        return Phrase(apply)


def _different(node: Node) -> bool:
    leaf = node.leaf("OTHER")
    return leaf is not None and leaf.word.text.lower() in DIFFERENT


def _alike(nbars: list[Node]) -> list[Node]:
    """more cars than trucks on the bridge: cars on it and trucks on it"""
    if len(nbars) != 2:
        return nbars
    first, second = nbars
    mods: list[Node] = []
    while second.kind == "n_mod":
        mods.insert(0, second)
        second = second.nodes[0]
    if first.kind == "n_mod" or second.kind == "n_co":
        return nbars
    for mod in mods:
        first = replace(mod, parts=(first, *mod.parts[1:]))
    return [first, nbars[1]]


def _with_adjectives(nbar: Node, adjectives: Node) -> Node:
    """more large than small ships near a harbor: large ships near a harbor"""
    if nbar.kind == "n_mod":
        return replace(nbar, parts=(_with_adjectives(nbar.nodes[0], adjectives), *nbar.parts[1:]))
    if nbar.kind != "noun" or not nbar.nodes:
        raise NoMeaning("More of what?")
    return replace(nbar, parts=(adjectives, *nbar.parts[1:]))


def _prefix(node: Node) -> CompareOp:
    """at least, exactly, at most, in front of "as many" or "as large"; at least where nothing stands there."""
    return next((PREFIX[kind] for kind in ("ATLEAST", "EXACTLY", "ATMOST") if node.has(kind)), ">=")


def _none(phrase: Phrase) -> Callable[[Scope], Formula]:
    return phrase.none or (lambda scope: Not(phrase.apply(scope)))


def _every(phrase: Phrase) -> Callable[[Scope], Formula]:
    return phrase.every or phrase.apply
