"""Composition of several things: "a ship and a plane near each other", "three tanks in a row"."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..nodes import (
    And,
    Compare,
    Formula,
    Not,
    Variable,
)
from .discourse import go_on
from .meaning import Make, NoAntecedent, NoMeaning, Nominal, Pair, Phrase, Predicate, Scope, both
from .nouns import Nouns, anything

MOST_TOGETHER = 40  # things that are named one by one, as "in a row" and "near each other" need


class Together(Nouns):
    """Noun phrases that are joined, and what is said of several things at once."""

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
            none=lambda scope: And(tuple(none_of(phrase)(scope) for phrase in phrases)),
            every=lambda scope: And(tuple(each_of(phrase)(scope) for phrase in phrases)),
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

        return Phrase(apply, indefinite=True, noun=replace(noun, plural=True), named=members)

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


def none_of(phrase: Phrase) -> Callable[[Scope], Formula]:
    """The formula that a scope holds of none of them."""
    return phrase.none or (lambda scope: Not(phrase.apply(scope)))


def each_of(phrase: Phrase) -> Callable[[Scope], Formula]:
    """The formula that a scope holds of each of them."""
    return phrase.every or phrase.apply
