"""Definitions and links: reading them into a vocabulary, and putting a definition's body in place of its use.

A definition is a name for a formula (isolated(x)) and disappears by expansion. A link (connected(x, y)) is not
first-order and stays an atom, true or false by a table that is made once for each scene (LANGUAGE, section 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from graphlib import CycleError, TopologicalSorter

from ..errors import DataError, LimitError, QueryError, RuneError
from .nodes import (
    MAX_DEPTH,
    And,
    Apply,
    Arithmetic,
    Compare,
    Count,
    Cover,
    Exists,
    ExistsCount,
    ForAll,
    Formula,
    Iff,
    Implies,
    Not,
    Number,
    Or,
    Term,
    Text,
    Truth,
    Variable,
    children,
    free_variables,
    map_formulas,
    rename,
    walk,
)
from .vocabulary import Definition, Link, Vocabulary

MAX_EXPANDED = 100_000  # nodes: definitions of definitions double at each step, and nobody reads the result


# --- expansion --------------------------------------------------------------------------------------------------------


def expand_definitions(formula: Formula, vocabulary: Vocabulary) -> Formula:
    """d(a, b) -> the body of d with a and b for its parameters; bound variables make way, so nothing is captured.

    Every node that came from a use of a definition has the span of that use, its atoms also `origin`: the use itself,
    the outermost where definitions use each other. Postcondition: no definition is applied. Links stay.
    raises LimitError where the result would be too large, before it is made
    """
    if not vocabulary.definitions or not any(_uses(formula, vocabulary.definitions)):
        return formula
    measures = _measure_all(vocabulary.definitions)
    nodes, levels = _measured(formula, measures)
    if nodes > MAX_EXPANDED or levels > MAX_DEPTH:
        raise LimitError(
            f"With its definitions written out the formula has {nodes} nodes in {levels} levels; "
            f"at most {MAX_EXPANDED} in {MAX_DEPTH} are handled."
        )
    return _expand(formula, vocabulary, {})


def link_body(name: str, vocabulary: Vocabulary) -> Formula:
    """The formula of a link, free in its two parameters, definitions expanded."""
    return expand_definitions(vocabulary.links[name].body, vocabulary)


def _expand(formula: Formula, vocabulary: Vocabulary, bodies: dict[str, Formula]) -> Formula:
    if not isinstance(formula, Apply) or formula.name not in vocabulary.definitions:
        return map_formulas(partial(_expand, vocabulary=vocabulary, bodies=bodies), formula)
    definition = vocabulary.definitions[formula.name]
    if formula.name not in bodies:
        bodies[formula.name] = _expand(definition.body, vocabulary, bodies)
    names = [argument.name for argument in formula.args if isinstance(argument, Variable)]
    body = rename(bodies[formula.name], dict(zip(definition.params, names, strict=True)))
    return _stamped(body, formula.origin or formula, formula)


def _stamped(formula: Formula, origin: Apply, use: Apply) -> Formula:
    """Span of the use everywhere, and `origin` on atoms."""
    span = use.span
    match formula:
        case Apply(_, args):
            return replace(formula, args=tuple(_stamped_term(arg, origin, use) for arg in args),
                           span=span, origin=origin)  # fmt: skip
        case Compare(_, left, right):
            return replace(formula, left=_stamped_term(left, origin, use), right=_stamped_term(right, origin, use),
                           span=span, origin=origin)  # fmt: skip
        case Truth():
            return replace(formula, span=span)
        case Not() | And() | Or() | Implies() | Iff() | Exists() | ForAll() | ExistsCount():
            return replace(map_formulas(partial(_stamped, origin=origin, use=use), formula), span=span)


def _stamped_term(term: Term, origin: Apply, use: Apply) -> Term:
    span = use.span
    match term:
        case Variable() | Text() | Number():
            return replace(term, span=span)
        case Apply(_, args):
            return replace(term, args=tuple(_stamped_term(arg, origin, use) for arg in args), span=span, origin=origin)
        case Arithmetic(_, left, right):
            return replace(term, left=_stamped_term(left, origin, use), right=_stamped_term(right, origin, use),
                           span=span)  # fmt: skip
        case Count(_, body) | Cover(_, body):
            return replace(term, body=_stamped(body, origin, use), span=span)


# --- how large it would become ----------------------------------------------------------------------------------------


def _uses(formula: Formula, names: Mapping[str, object]) -> Iterator[str]:
    """The names among `names` that the formula applies, once for each time."""
    return (node.name for node in walk(formula) if isinstance(node, Apply) and node.name in names)


def _measured(formula: Formula, measures: Mapping[str, tuple[int, int]]) -> tuple[int, int]:
    """Nodes and levels of a formula with its definitions written out, these having the `measures` given."""
    nodes, levels = 0, 0
    stack: list[tuple[Formula | Term, int]] = [(formula, 1)]
    while stack:
        node, level = stack.pop()
        if isinstance(node, Apply) and node.name in measures:
            more, deeper = measures[node.name]
            nodes += more
            levels = max(levels, level + deeper - 1)
            continue
        nodes += 1
        levels = max(levels, level)
        stack.extend((child, level + 1) for child in children(node))
    return nodes, levels


def _measure_all(definitions: Mapping[str, Definition]) -> dict[str, tuple[int, int]]:
    """Nodes and levels of each definition written out; the definitions have no cycle."""
    measures: dict[str, tuple[int, int]] = {}
    graph = {name: set(_uses(each.body, definitions)) for name, each in definitions.items()}
    for name in TopologicalSorter(graph).static_order():
        measures[name] = _measured(definitions[name].body, measures)
    return measures


# --- reading a vocabulary's formulas ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """A definition or link as the file has it: `key` is its place there, for messages."""

    is_link: bool
    name: str
    params: tuple[str, ...]
    text: str
    key: str


def with_formulas(vocabulary: Vocabulary, written: tuple[Written, ...], source: str) -> Vocabulary:
    """The vocabulary with these definitions and links, read in any dialect and checked against it.

    raises DataError, which names `source` and the key, where a formula is none, its free variables are not exactly the
    parameters, definitions use each other in a circle, or a link uses a link
    """
    from .dimensions import check
    from .reader import read

    def refused(each: Written, error: RuneError) -> DataError:
        message = f"{source}: {each.key}: {error.message}"
        return DataError(message, text=error.text, span=error.span, hint=error.hint)

    raw: dict[str, Formula] = {}
    for each in written:
        try:
            raw[each.name] = read(each.text, open_vocabulary=True)
        except RuneError as error:
            raise refused(each, error) from error
    named = _put_in(vocabulary, written, raw)
    bodies: dict[str, Formula] = {}
    for each in written:
        try:
            _parameters(each, raw[each.name], named)
            bodies[each.name] = check(raw[each.name], named, each.text, free=each.params)
        except RuneError as error:
            raise refused(each, error) from error
    complete = _put_in(vocabulary, written, bodies)
    places = {each.name: each for each in written}
    _refuse_circles(complete, places, source)
    for name, (nodes, levels) in _measure_all(complete.definitions).items():
        if nodes > MAX_EXPANDED or levels > MAX_DEPTH:
            raise DataError(
                f"{source}: {places[name].key}: written out it has {nodes} nodes in {levels} levels; "
                f"at most {MAX_EXPANDED} in {MAX_DEPTH} are handled."
            )
    _refuse_links_in_links(complete, places, source)
    return complete


def _put_in(vocabulary: Vocabulary, written: tuple[Written, ...], bodies: Mapping[str, Formula]) -> Vocabulary:
    definitions = dict(vocabulary.definitions)
    links = dict(vocabulary.links)
    for each in written:
        if each.is_link:
            first, second = each.params
            links[each.name] = Link(each.name, (first, second), bodies[each.name], each.text)
        else:
            definitions[each.name] = Definition(each.name, each.params, bodies[each.name], each.text)
    return replace(vocabulary, definitions=definitions, links=links)


def _parameters(each: Written, body: Formula, vocabulary: Vocabulary) -> None:
    """The free variables are exactly the parameters. A class used as a variable is left to the type check."""
    free = free_variables(body)
    for param in each.params:
        if param not in free:
            raise QueryError(f"Parameter '{param}' does not occur free in the formula.", text=each.text)
    for node in walk(body):
        if isinstance(node, Variable) and node.name in free and node.name not in each.params:
            if vocabulary.phrase_of(node.name) is not None:
                continue
            raise QueryError(
                f"Variable '{node.name}' is free and no parameter: the parameters are {', '.join(each.params)}.",
                text=each.text,
                span=node.span,
            )


def _refuse_circles(vocabulary: Vocabulary, places: Mapping[str, Written], source: str) -> None:
    definitions = vocabulary.definitions
    graph = {name: sorted(set(_uses(each.body, definitions))) for name, each in definitions.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = list(reversed(error.args[1]))  # graphlib lists each after what it uses
        start = min(range(len(circle) - 1), key=lambda i: list(definitions).index(circle[i]))
        circle = circle[start:-1] + circle[:start] + [circle[start]]
        line = " uses ".join(circle)
        raise DataError(f"{source}: {places[circle[0]].key}: '{circle[0]}' uses itself: {line}.") from None


def _refuse_links_in_links(vocabulary: Vocabulary, places: Mapping[str, Written], source: str) -> None:
    for link in vocabulary.links.values():
        expanded = expand_definitions(link.body, vocabulary)
        for name in _uses(expanded, vocabulary.links):
            key = places[link.name].key
            raise DataError(f"{source}: {key}: a link's formula uses no link, this one uses '{name}'.")
