"""Composition of sentences and of the frames around them: "show me images with", "if ... then", "there is"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from ...errors import Span
from ..nodes import (
    And,
    Apply,
    Compare,
    CompareOp,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Number,
    Or,
    Term,
    Truth,
    Variable,
)
from .amounts import times
from .discourse import spoken_of
from .lexicon import Relation
from .meaning import NoAntecedent, NoMeaning, Nominal, Phrase, Predicate, Scope, Sentence, both
from .phrases import MOST_TOGETHER, _prefix, anything
from .predicates import Predicates, _each_left_out
from .readings import Node

UNIVERSAL = ("d_all", "d_not_all", "d_most", "d_share")


class Composer(Predicates):
    """Trees to formulas. One composer for one tree."""

    def formula(self, node: Node) -> Formula:
        """The formula of a whole text, existence not yet placed."""
        lines = [self.sentence(part) for part in node.nodes]
        return self._in_turn(lines).make()

    def _in_turn(self, sentences: list[Sentence]) -> Sentence:
        """Sentences joined by "and", each of which may speak of the first thing of one before it."""
        whole = sentences[0]
        for later in sentences[1:]:
            whole = self._two(whole, later)
        return whole

    def _two(self, first: Sentence, second: Sentence) -> Sentence:
        def make() -> Formula:
            before = first.make()
            if first.extend is not None and not spoken_of(before) and first.topic in second.definites:
                return first.extend(second.make)
            try:
                return self.then(before, lambda: self._of(first.noun, second.make), topic=True)
            except NoAntecedent:
                return self._of_the_first(first, second)

        def extend(more: Callable[[], Formula]) -> Formula:
            if first.extend is None:
                raise NoAntecedent("There is nothing before it that it could stand for.")
            return first.extend(lambda: both(second.make(), more()))

        def donkey(more: Callable[[], Formula]) -> Formula:
            if first.donkey is None:
                raise NoAntecedent("There is nothing before it that it could stand for.")
            return first.donkey(lambda: Implies(second.make(), more()))

        return Sentence(make, extend if first.extend else None, donkey if first.donkey else None, first.topic,
                        noun=first.noun)  # fmt: skip

    def _of_the_first(self, first: Sentence, second: Sentence) -> Formula:
        """Both sentences, where the second says "another", "they" of the things that the first counts."""
        if first.spelled is not None:

            def others(names: tuple[str, ...]) -> Formula:
                before, self.several = self.several, names
                try:
                    return second.make()
                finally:
                    self.several = before

            with suppress(NoAntecedent):
                return first.spelled(others)
        if first.extend is None:
            raise NoAntecedent("There is nothing before it that it could stand for.")
        before, self.strict = self.strict, True
        try:
            return first.extend(second.make)
        finally:
            self.strict = before

    def _of(self, noun: Nominal | None, make: Callable[[], Formula]) -> Formula:
        """The formula, "them" being these."""
        before = self.them
        self.them = noun or before
        try:
            return make()
        finally:
            self.them = before

    # --- sentences ---

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
                left_out = [self._exists(part) for part in _each_left_out(nodes[0], with_both)]
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
                each = self._fronting(nodes[0])
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
                counts = [self.counted(self.nominal(part.nodes[0])) for part in nodes]
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

    def _more_there(self, node: Node) -> Sentence:
        """the left half contains more ships than the right half"""
        here, nbar, there = node.nodes
        noun = self.nominal(nbar)
        places = [self._place_of(replace(node, parts=(side,))) for side in (here, there)]
        op: CompareOp = ">" if node.has("MORE") else "<" if node.has("LESSER") else ">="

        def make() -> Formula:
            a, b = (self._count_of(noun, place.of) for place in places)
            return Compare(op, a, b, node.span)

        return Sentence(make)

    def _place_of(self, node: Node) -> Predicate:
        """the top left corner, as what is said of the things in it"""
        names = self._sides(node.nodes[0])
        return Predicate(lambda x: both(*(Apply(name, (Variable(x),), node.span) for name in names)))

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

    @contextmanager
    def _conditional(self) -> Iterator[None]:
        self.conditional += 1
        try:
            yield
        finally:
            self.conditional -= 1

    @contextmanager
    def _asking(self) -> Iterator[None]:
        self.asked += 1
        try:
            yield
        finally:
            self.asked -= 1

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

    def _exists(self, node: Node) -> Sentence:
        """There is such a thing, there are so many."""
        told = self._told_of_each(node) or self._inside_each(node)
        if told is not None:
            return told
        if node.kind in ("things_of_which", "things_all"):
            many = self.phrase(node.nodes[0]).noun
            if many is not None and not many.plural:
                if node.has("BOTH") and node.kind == "things_all":
                    return self._both_named(node)
                raise NoMeaning("All of which? There is one.")
        if node.kind == "things_of_which":
            first = self._exists(node.nodes[0])
            which = Nominal(self._one_of_them, plural=True)
            phrase, said = self._determined(node.nodes[1], which), self.predicate(node.nodes[2])
            return self._two(first, self._clause(phrase, said))
        if node.kind == "things_all":
            first = self._exists(node.nodes[0])
            them = Nominal(self._one_of_them, plural=True)
            return self._two(first, self._clause(self._all(them), self.predicate(node.nodes[1])))
        np = node.nodes[0] if node.kind == "things" else node
        if np.kind == "np_count":
            raise NoMeaning("A number of what?")
        if np.kind == "np" and np.nodes[0].kind in ("d_most", "d_share") and self.domain is None:
            raise NoMeaning("Most of them do what? Say it with a verb, such as 'most ships are large'.")
        if node.kind == "things_where":
            return self._where_they(node)
        if node.kind == "things_split":
            return self._split(node)
        if node.kind == "things_one_of":
            return self._one_and_the_other(node)
        phrase = self.phrase(node)
        if phrase.universal and phrase.every is not None:
            some = phrase.every  # "show me all ships": there are some
            return Sentence(lambda: some(anything))
        return self._about(self._existing(node), Predicate(anything))

    def _both_named(self, node: Node) -> Sentence:
        """a road near a bridge, both dry"""
        first, said = self._exists(node.nodes[0]), self.predicate(node.nodes[-1])

        def both_are() -> Formula:
            named = [one.x for one in self.referents]
            if len(named) != 2:
                raise NoMeaning("'both' speaks of two things.")
            return both(*(self.holds(said, x) for x in named))

        return Sentence(lambda: self.then(first.make(), both_are))

    def _where_they(self, node: Node) -> Sentence:
        """a plane and a ship, where the plane is larger than the ship"""
        first, second = self._exists(node.nodes[0]), self.sentence(node.nodes[1])

        def make() -> Formula:
            before = first.make()
            count = len(before.parts) if isinstance(before, And) else 1
            whole = self.then(before, second.make, topic=True)
            if isinstance(whole, And) and len(whole.parts) > count:
                raise NoMeaning("What is said after 'where' does not speak of the things before it.")
            return whole

        return Sentence(make, topic=first.topic, noun=first.noun)

    def _split(self, node: Node) -> Sentence:
        """two harbors, one with a ship in it and the other without: different ones"""
        phrase, groups = self.phrase(node.nodes[0]), node.nodes[1:]
        if phrase.members is None or phrase.noun is None or len(phrase.members) > MOST_TOGETHER:
            raise NoMeaning("One of how many?")
        counts = [self._whole(part.value("NUM")) if part.has("NUM") else 0 for part in groups]
        left = len(phrase.members) - sum(counts)
        if any(not part.has("NUM", "REST") for part in groups) or left < 0 or counts.count(0) > 1:
            raise NoMeaning("These are not as many as there are.")
        if 0 in counts:
            if not left:
                raise NoMeaning("There are no others.")
            counts[counts.index(0)] = left
        said = [predicate for part, n in zip(groups, counts, strict=True)
                for predicate in [self.modifier(part.nodes[-1])] * n]  # fmt: skip
        if not all(predicate.plain for predicate in said):
            raise NoMeaning("'each other' cannot be said of one thing.")
        members = phrase.members

        def make() -> Formula:
            named = self._one_by_one(members[: len(said)], lambda at, x: self.holds(said[at], x), lambda names: both())
            return named if len(said) == len(members) else both(phrase.apply(anything), named)

        return Sentence(make, noun=phrase.noun)

    def _one_and_the_other(self, node: Node) -> Sentence:
        """two ships, one to the left of the other"""
        phrase, part = self.phrase(node.nodes[0]), node.nodes[1]
        members, said = phrase.members, self.modifier(part.nodes[-1])
        if not any(leaf.kind == "REST" for leaf in part.leaves()):
            if phrase.noun is None or not part.has("NUM") or not phrase.noun.plural:
                raise NoMeaning("One of which of them?")
            some = self._counted(self._modified(phrase.noun, said), self._whole(part.value("NUM")))
            return Sentence(lambda: both(phrase.apply(anything), some.apply(anything)), noun=phrase.noun)
        if members is None or len(members) != 2 or not part.has("NUM") or part.value("NUM") != 1 or not said.plain:
            raise NoMeaning("One of which two?")

        def make() -> Formula:
            def of_the_first(names: tuple[str, ...]) -> Formula:
                before, self.two = self.two, list(names)
                try:
                    return self.holds(said, names[0])
                finally:
                    self.two = before

            return self._one_by_one(members, lambda at, x: both(), of_the_first)

        return Sentence(make, noun=phrase.noun)

    def _one_by_one(
        self,
        members: tuple[Callable[[Scope], Formula], ...],
        said: Callable[[int, str], Formula],
        more: Callable[[tuple[str, ...]], Formula],
    ) -> Formula:
        """Different things, what is said of each, and what is said of all of them."""

        def bind(names: tuple[str, ...]) -> Formula:
            if len(names) == len(members):
                return more(names)

            def one(x: str) -> Formula:
                different = [Compare("!=", Variable(y), Variable(x)) for y in names]
                return both(*different, said(len(names), x), bind((*names, x)))

            return members[len(names)](one)

        with self.host(counted=True) as host:
            formula = bind(())
        return self.wrap(host, formula)

    def _which(self, node: Node) -> Sentence:
        """a plane and a ship, each of which is large, are near a bridge"""
        det = node.nodes[1].kind if len(node.nodes) == 4 else "d_all"
        phrase, which, said = self.phrase(node.nodes[0]), self.predicate(node.nodes[-2]), self.predicate(node.nodes[-1])
        if det not in ("d_all", "d_no") or not which.plain or not phrase.indefinite:
            raise NoMeaning("Of which of them?")
        which = self.denied(which) if det == "d_no" else which
        told = replace(phrase, apply=lambda scope: phrase.apply(lambda x: both(self.holds(which, x), scope(x))))
        return self._clause(told, said)

    def _excepting(self, node: Node) -> Sentence:
        """no vehicle is on the bridge except a truck: no vehicle that is no truck"""
        np, vp, other = node.nodes
        if np.kind != "np" or np.nodes[0].kind not in ("d_all", "d_no", "d_any"):
            raise NoMeaning("Except from what? Say it of 'all' or 'no'.")
        if other.kind == "np_bare" and other.nodes[0].kind == "noun" and other.nodes[0].value("NOUN").ones:
            raise NoMeaning("Except one of what is a number.")
        left_out = self.denied(self.is_one(other))
        noun = self._modified(self.nominal(np.nodes[1]), left_out)
        return self._clause(self._determined(np.nodes[0], noun), self.predicate(vp))

    def _one_of_them(self, x: str) -> Formula:
        if self.them is None:
            raise NoAntecedent("Of which of them?")
        return self.restrict(self.them, x)

    def _fronting(self, node: Node, wide: tuple[str, ...] = ("d_a", *UNIVERSAL)) -> Phrase | None:
        """every bridge, of "on every bridge there are two cars"; None where it is no such phrase"""
        if node.kind not in ("front", "p_rel") or not node.has("PREP") or not node.nodes:
            return None
        inner = node.nodes[0]
        return self.phrase(inner) if inner.kind == "np" and inner.nodes[0].kind in wide else None

    def _in_each(self, phrase: Phrase, relation: Relation, things: Node, span: Span) -> Sentence:
        """Of each of the first: there are such things in it."""
        there: list[str] = []  # the first, while the sentence about what is in it is made

        with self.within(lambda x: self.relate(relation, x, there[-1], span)):
            sentence = self._exists(things)

        def in_it(y: str) -> Formula:
            there.append(y)
            try:
                return sentence.make()
            finally:
                there.pop()

        return Sentence(lambda: phrase.apply(in_it))

    def _inside_each(self, node: Node) -> Sentence | None:
        """a car on each bridge: nothing is inside of all of them, so each has one"""
        np = node.nodes[0] if node.kind == "things" else node
        if np.kind not in ("np", "np_bare") or np.nodes[-1].kind != "n_mod":
            return None
        noun, mod = np.nodes[-1].nodes
        mod = mod.nodes[0] if mod.kind == "pm" and mod.nodes else mod
        phrase = self._fronting(mod, UNIVERSAL) if mod.kind == "p_rel" else None
        if phrase is None or mod.value("PREP") != Relation("inside"):
            return None
        things = replace(np, parts=(*np.parts[:-1], noun))
        return self._in_each(phrase, Relation("inside"), things, mod.span) if self.phrase(things).indefinite else None

    def _told_of_each(self, node: Node) -> Sentence | None:
        """three ships, all (none) of which are near a harbor: three that are (are not). Not after "exactly three"."""
        nodes = node.nodes
        if node.kind not in ("things_all", "things_of_which"):
            return None
        det = nodes[1].kind if node.kind == "things_of_which" else "d_all"
        phrase, said = self.phrase(nodes[0]), self.predicate(nodes[-1])
        if phrase.noun is not None and not phrase.noun.plural:
            return None
        if det not in ("d_all", "d_no") or not phrase.indefinite or not said.plain:
            return None
        if det == "d_no":
            said = self.denied(said)
        return self._about(phrase, said, asked=True)

    def _existing(self, node: Node) -> Phrase:
        """Things that there are: "the ships" are some."""
        phrase = self.phrase(node)
        if phrase.definite:
            return replace(phrase, definite=False, every=None, pairwise=None)
        return phrase

    def _fragment(self, node: Node) -> Sentence:
        """Things, without a verb: there are some; "all ships near a harbor": they are near one."""
        inner = node.nodes[0] if node.kind == "things" else node
        if inner.kind == "np_and" and any(_told_of_all(part) for part in inner.nodes):
            return self._in_turn([self._fragment(part) for part in inner.nodes])
        if _told_of_all(inner):
            noun, mod = inner.nodes[1].nodes
            phrase = self._determined(inner.nodes[0], self.nominal(noun))
            self.last_said = self.modifier(mod)
            return self._clause(phrase, self.last_said)
        return self._exists(node)

    def _clause(self, phrase: Phrase, predicate: Predicate, asked: bool = False) -> Sentence:
        if not predicate.plain:

            def together() -> Formula:
                if asked:
                    with self._asking():
                        return self.together(phrase, predicate, lambda x: self.plain_part(predicate, x))
                return self.together(phrase, predicate, lambda x: self.plain_part(predicate, x))

            return Sentence(together)
        if phrase.definite and phrase.every is not None:
            return Sentence(lambda: phrase.every(lambda x: self.holds(predicate, x)))  # type: ignore[misc]
        return self._about(phrase, predicate, asked)

    def _about(self, phrase: Phrase, predicate: Predicate, asked: bool = False) -> Sentence:
        def make() -> Formula:
            if predicate.of is anything:
                return phrase.apply(anything)
            if phrase.any and phrase.importing and not (asked or self.asked) and predicate.of is not anything:
                return phrase.importing(lambda x: self.holds(predicate, x))
            return phrase.apply(lambda x: self.holds(predicate, x))

        def extend(more: Callable[[], Formula]) -> Formula:
            def said(x: str) -> Formula:
                first = self.holds(predicate, x)
                with self.frame(x), self._knowing(phrase.cls, x):
                    then = more()
                if phrase.exact:
                    return then if isinstance(first, Truth) else Implies(first, then)
                return both(first, then)

            if phrase.exact and phrase.every is not None:
                each = phrase.every(said)
                return both(make(), each)
            return phrase.apply(said)

        every = phrase.every

        def donkey(more: Callable[[], Formula]) -> Formula:
            assert every is not None

            def said(x: str) -> Formula:
                first = self.holds(predicate, x)
                with self.frame(x), self._knowing(phrase.cls, x):
                    then = more()
                return then if isinstance(first, Truth) else Implies(first, then)

            return every(said)

        later = phrase.indefinite or phrase.exact
        can_donkey = phrase.indefinite and every is not None
        return Sentence(make, extend if later else None, donkey if can_donkey else None, phrase.cls, noun=phrase.noun,
                        spelled=self._spelled(phrase, predicate))  # fmt: skip

    def _spelled(
        self, phrase: Phrase, predicate: Predicate
    ) -> Callable[[Callable[[tuple[str, ...]], Formula]], Formula] | None:
        """The sentence with its things named one by one, and another that speaks of them."""
        members = phrase.members
        if members is None or phrase.bare or not phrase.indefinite or not 1 < len(members) <= MOST_TOGETHER:
            return None

        def spelled(more: Callable[[tuple[str, ...]], Formula]) -> Formula:
            return self._one_by_one(members, lambda at, x: self.holds(predicate, x), more)

        return spelled

    @contextmanager
    def _knowing(self, cls: str | None, x: str) -> Iterator[None]:
        """While "the ship" is this one."""
        before = dict(self.known)
        if cls is not None:
            self.known[cls] = x
        try:
            yield
        finally:
            self.known = before

    def _asked(self, sentence: Sentence) -> Sentence:
        """Whether it is so: "any" is "some"."""

        def make() -> Formula:
            with self._asking():
                return sentence.make()

        return replace(sentence, make=make)

    def _more(self, node: Node) -> Sentence:
        noun, first, second = self.nominal(node.nodes[0]), self.predicate(node.nodes[1]), self.predicate(node.nodes[2])

        def make() -> Formula:
            counts = [self._count_of(noun, lambda x, p=p: self.holds(p, x)) for p in (first, second)]  # type: ignore[misc]
            return Compare(">", counts[0], counts[1], node.span)

        return Sentence(make)

    def _as_many(self, node: Node) -> Sentence:
        """twice as many houses near a river are flooded as houses near a road"""
        first, said, second = (part for part in node.nodes if part.kind != "times")
        nouns, predicate = (self.nominal(first), self.nominal(second)), self.predicate(said)
        factor = next((part for part in node.nodes if part.kind == "times"), None)
        default: CompareOp = ">" if node.has("MORE") else "<" if node.has("LESSER") else _prefix(node)
        op, share = self.factor(factor, default)

        def make() -> Formula:
            a, b = (self._count_of(noun, lambda x: self.holds(predicate, x)) for noun in nouns)
            return Compare(op, times(share.denominator, a), times(share.numerator, b), node.span)

        return Sentence(make)

    # --- comparisons ---

    def _comparison(self, node: Node) -> Callable[[], Formula]:
        left = self.term(node.nodes[0])
        if node.kind == "s_amount":
            says = self.amount(node.nodes[1])
            if node.has("NOT"):
                return lambda: Not(left(says))
            return lambda: left(says)
        right = self.term(node.nodes[1])
        negated = node.has("NOT")
        op: CompareOp = node.value("COMPARE" if node.kind == "s_compare" else "EXCEED")

        def compare(a: Term, b: Term) -> Formula:
            said = Compare(op, a, b, node.span)
            return Not(said) if negated else said

        return lambda: left(lambda a: right(lambda b: compare(a, b)))

    def _share_of(self, node: Node) -> Sentence:
        """flooded roads make up 20 % of all roads: by number"""
        part, whole = self.nominal(node.nodes[0].nodes[0]), self.nominal(node.nodes[-1])
        bounds = self.shares(node.nodes[1])

        def make() -> Formula:
            said = [Compare(op, times(share.denominator, self._count_of(part, anything)),
                            times(share.numerator, self._count_of(whole, anything)), node.span)
                    for op, share in bounds]  # fmt: skip
            some = both() if bounds[0][0] == ">" else self.some(whole, anything)
            return both(some, *said)

        return Sentence(make)

    def _cover(self, node: Node) -> Callable[[], Formula]:
        match node.kind:
            case "cover_more":
                first, second = (self.covered(self.nominal(part.nodes[0])) for part in node.nodes)
                op: CompareOp = ">" if node.has("MORE", "MORETHAN") else "<"
                if node.has("COMP"):
                    op = self.direction(node)
                return lambda: first(lambda a: second(lambda b: Compare(op, a, b, node.span)))
            case "cover_amount":
                covered, says = self.covered(self.nominal(node.nodes[0].nodes[0])), self.amount(node.nodes[1])
                return lambda: covered(says)
        shares = self.shares(next((part for part in node.nodes if part.kind == "share"), None))
        if node.kind == "cover_share":
            covered = self.covered(self.nominal(node.nodes[1]))
        elif node.kind == "cover_under":
            noun = node.value("UNDERNOUN")
            covered = self.covered(Nominal(lambda x: Apply(noun.cls, (Variable(x),), node.span), plural=True))
        else:
            things = next(part for part in node.nodes if part.kind == "things_of")
            covered = self.covered(self.nominal(things.nodes[0]))

        def bound(op: CompareOp, share: Fraction, area: Term) -> Formula:
            percent = share * 100
            factor = percent.denominator if 1000 % percent.denominator else 1
            whole = percent * factor
            limit = Number(Decimal(whole.numerator) / Decimal(whole.denominator), "%", node.span)
            return Compare(op, times(factor, area), limit, node.span)

        return lambda: covered(lambda area: both(*(bound(op, share, area) for op, share in shares)))

    def _named(self, node: Node) -> Sentence:
        """connected holds of A and B"""
        phrase = self.phrase(node.nodes[0])
        name = node.value("NAMED")
        members = phrase.members or (phrase.apply,)

        def bind(names: tuple[str, ...]) -> Formula:
            if len(names) < len(members):
                return members[len(names)](lambda x: bind((*names, x)))
            return Apply(name, tuple(Variable(x) for x in names), node.span)

        return Sentence(lambda: bind(()))


def _told_of_all(np: Node) -> bool:
    """all ships near a harbor: without a verb"""
    return np.kind == "np" and np.nodes[0].kind in UNIVERSAL and np.nodes[1].kind == "n_mod"


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


