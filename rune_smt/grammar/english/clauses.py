"""Composition of clauses: "there are two ships, one of them large", "all ships are near a harbor"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import combinations

from ...errors import Span
from ..nodes import (
    And,
    Compare,
    Formula,
    Implies,
    Term,
    Truth,
    Variable,
)
from .discourse import spoken_of
from .lexicon import Relation
from .meaning import NoAntecedent, NoMeaning, Nominal, Phrase, Predicate, Scope, Sentence, Terms, both
from .nouns import anything
from .predicates import Predicates
from .readings import Node
from .together import MOST_TOGETHER

UNIVERSAL = ("d_all", "d_not_all", "d_most", "d_share")


class Clauses(Predicates):
    """What there is, what is said of it, and what goes on to speak of it."""

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

    def _asked(self, sentence: Sentence) -> Sentence:
        """Whether it is so: "any" is "some"."""

        def make() -> Formula:
            with self._asking():
                return sentence.make()

        return replace(sentence, make=make)

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
        members, noun = phrase.members or phrase.named, phrase.noun
        if members is None or noun is None or len(members) > MOST_TOGETHER:
            raise NoMeaning("One of how many?")
        counts = [self._whole(part.value("NUM")) if part.has("NUM") else 0 for part in groups]
        left = len(members) - sum(counts)
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
        if (noun.pairs or noun.groups) and len(said) < len(members):
            raise NoMeaning("And the other ones?")

        def together(names: tuple[str, ...]) -> Formula:
            pairs = [pair(x, y) for pair in noun.pairs for x, y in combinations(names, 2)]
            return both(*pairs, *(group(names) for group in noun.groups))

        def make() -> Formula:
            named = self._one_by_one(members[: len(said)], lambda at, x: self.holds(said[at], x), together)
            return named if len(said) == len(members) else both(phrase.apply(anything), named)

        return Sentence(make, noun=noun)

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

    def of_each(self, node: Node) -> Terms | None:
        """The number of ships in each harbor: a number for each; of "all harbors" it is one number."""
        mod = node.nodes[1] if node.kind == "n_mod" else None
        mod = mod.nodes[0] if mod is not None and mod.kind == "pm" and mod.nodes else mod
        phrase = self._fronting(mod, ("d_all",)) if mod is not None and mod.kind == "p_rel" else None
        if mod is None or phrase is None or next(mod.nodes[0].leaves()).word.text.lower().startswith("all"):
            return None
        relation, things = mod.value("PREP"), self.nominal(node.nodes[0])

        def terms(say: Callable[[Term], Formula]) -> Formula:
            return phrase.apply(lambda y: say(self._count_of(things, lambda x: self.relate(relation, x, y, mod.span))))

        return terms

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


def _told_of_all(np: Node) -> bool:
    """all ships near a harbor: without a verb"""
    return np.kind == "np" and np.nodes[0].kind in UNIVERSAL and np.nodes[1].kind == "n_mod"
