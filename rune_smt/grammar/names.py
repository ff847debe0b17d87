"""Names and arguments of an application: arity, variables in scope, and the way out where a name is not known."""

from __future__ import annotations

import re
from dataclasses import replace

from ..errors import QueryError, Span
from .nodes import Apply, Arithmetic, Compare, Term, Text, Variable, all_names
from .suggestions import squeeze
from .vocabulary import Vocabulary, unknown_name
from .words import ALIASES, RELATIONS, Word

SPELLED = re.compile(r"[^\W\d][\w-]*")  # a name as a query may spell it


class Names:
    """The half of the type check that looks at names; `error` words every refusal with its place in the text."""

    def __init__(self, vocabulary: Vocabulary, text: str | None) -> None:
        self.vocabulary = vocabulary
        self.text = text

    def error(self, message: str, span: Span | None, hint: str | None = None) -> QueryError:
        """A refusal, to be raised: what is the matter, where, and the way out."""
        return QueryError(message, text=self.text, span=self.within_brackets(span), hint=hint or None)

    def within_brackets(self, span: Span | None) -> Span | None:
        """The place without brackets around all of it, which belong to the spans of formulas and say nothing."""
        if self.text is None or span is None:
            return span
        start, end = span
        while end - start > 2 and self.text[start] == "(" and _closing(self.text, start) == end - 1:
            start, end = start + 1, end - 1
        return start, end

    def name_span(self, apply: Apply) -> Span | None:
        """Where the name of an application stands; the whole of it where it was written in other letters."""
        if self.text is None or apply.span is None:
            return apply.span
        for found in SPELLED.finditer(self.text, *apply.span):
            if squeeze(found.group()) == squeeze(apply.name):
                return found.span()
        return apply.span

    # --- arguments ---

    def arity(self, apply: Apply, name: str, word: Word) -> None:
        """Refuses a word of section 4 that is applied to too many or too few arguments."""
        if not word.takes(len(apply.args)):
            wanted = f"{word.arity} or more" if word.variadic else str(word.arity)
            one = word.arity == 1 and not word.variadic
            hint = None
            if name == "near" and len(apply.args) > 2:
                hint = f"Write: clustered({self.shown_arguments(apply)}), or near for each pair."
            raise self.error(arity_message(name, wanted, one, len(apply.args)), apply.span, hint)

    def arguments(self, apply: Apply, atom: Apply | Compare, scope: frozenset[str]) -> None:
        """Every argument is a variable in scope. `atom` is the formula that a hint shows."""
        for position, argument in enumerate(apply.args):
            match argument:
                case Variable(name):
                    if name not in scope:
                        raise self.free(argument, apply, position, atom)
                case Apply(name, (Variable(inner),)) if self.class_named(name) is not None:
                    hint = self.applied_hint(apply, position, atom, name, inner, scope)
                    raise self.not_a_variable(apply, argument, hint)
                case Text(value) if self.class_named(value) is not None:
                    raise self.not_a_variable(apply, argument, self.class_hint(apply, position, atom, value))
                case _:
                    raise self.not_a_variable(apply, argument, None)

    def not_a_variable(self, apply: Apply, argument: Term, hint: str | None) -> QueryError:
        """The refusal of an argument that is a number, a text or an application."""
        from .printer import term_text

        return self.error(f"Arguments of '{apply.name}' are variables, got {term_text(argument)}.", argument.span, hint)

    def free(self, variable: Variable, apply: Apply | None, position: int, atom: Apply | Compare) -> QueryError:
        """The refusal of a variable that nothing binds; a class in its place gets the formula that was meant."""
        name = variable.name
        if apply is not None and self.class_named(name) is not None:
            hint = self.class_hint(apply, position, atom, name)
            return self.error(f"'{name}' is a class, not a variable.", variable.span, hint)
        return self.error(
            f"The variable '{name}' is free: no quantifier binds it.", variable.span,
            f"Write exists {name} (...) or forall {name} (...) around it.",
        )  # fmt: skip

    def class_hint(self, apply: Apply, position: int, atom: Apply | Compare, name: str) -> str:
        """Write: exists y (harbor(y) & near(x, y))"""
        others = all_names(atom) - {name}
        fresh = next(letter for letter in ("y", "z", "w", "u", "v", *(f"y{i}" for i in range(len(others) + 1)))
                     if letter not in others)  # fmt: skip
        cls = self.class_named(name)
        return f"Write: exists {fresh} ({cls}({fresh}) & {self.instead(apply, position, atom, fresh)})"

    def applied_hint(
        self, apply: Apply, position: int, atom: Apply | Compare, name: str, inner: str, scope: frozenset[str]
    ) -> str:
        """For near(x, harbor(y)).   Write: harbor(y) & near(x, y), under exists y where y is not bound yet."""
        others = [argument.name for argument in apply.args if isinstance(argument, Variable)]
        if inner in others:  # near(x, harbor(x)) is meant of something else than x
            return self.class_hint(apply, position, atom, name)
        written = f"{self.class_named(name)}({inner}) & {self.instead(apply, position, atom, inner)}"
        return f"Write: {written}" if inner in scope else f"Write: exists {inner} ({written})"

    def instead(self, apply: Apply, position: int, atom: Apply | Compare, name: str) -> str:
        """The atom as text with the variable `name` for one argument of `apply`, which is in it."""
        from .printer import canonical

        args = (*apply.args[:position], Variable(name), *apply.args[position + 1 :])
        changed = replace(apply, args=args)
        whole = changed if atom is apply else _put(atom, apply, changed)
        return canonical(whole)

    def class_named(self, name: str) -> str | None:
        """The class that a name or text stands for in any spelling, synonyms and plurals included."""
        phrase = self.vocabulary.phrase_of(name)
        return phrase.name if phrase is not None and phrase.kind == "class" else None

    def shown_arguments(self, apply: Apply) -> str:
        """The arguments as text: x, y."""
        from .printer import term_text

        return ", ".join(term_text(argument) for argument in apply.args)

    def unknown(self, apply: Apply) -> QueryError:
        """A predicate that nothing here has: nearest of those that take as many arguments, and other vocabularies."""
        v, count = self.vocabulary, len(apply.args)
        if count == 1:
            what = "class or attribute"
            known = _phrase_names(v)
        else:
            what = "relation"
            known = [*v.links, *(alias for alias in ALIASES if RELATIONS[ALIASES[alias]].takes(count))]
        known += [name for name, word in RELATIONS.items() if word.takes(count)]
        known += [name for name, each in v.definitions.items() if len(each.params) == count]
        return self.error(
            f"No {what} '{apply.name}' in vocabulary {v.name}.", self.name_span(apply),
            unknown_name(apply.name, v, known),
        )  # fmt: skip


def _closing(text: str, opening: int) -> int:
    """The offset of the bracket that closes the one at `opening`; -1 where none does."""
    level = 0
    for offset in range(opening, len(text)):
        level += (text[offset] == "(") - (text[offset] == ")")
        if level == 0:
            return offset
    return -1


def _put(atom: Apply | Compare, old: Apply, new: Apply) -> Apply | Compare:
    """The atom with `new` where it holds the very node `old`."""

    def inside(term: Term) -> Term:
        if term is old:
            return new
        if isinstance(term, Arithmetic):
            return replace(term, left=inside(term.left), right=inside(term.right))
        return term

    if isinstance(atom, Compare):
        return replace(atom, left=inside(atom.left), right=inside(atom.right))
    return atom


def arity_message(name: str, wanted: str, one: bool, got: int) -> str:
    """'near' takes 2 arguments, got 1."""
    return f"'{name}' takes {wanted} argument{'' if one else 's'}, got {got}."


def _phrase_names(vocabulary: Vocabulary) -> list[str]:
    return ["_".join(words) for words, phrase in vocabulary.phrases().items() if not phrase.plural]
