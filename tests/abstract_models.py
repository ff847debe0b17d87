"""Formulas evaluated in small made-up models, where every word is a random table: for laws about sentences alone.

Independent of the engines and of geometry. The tables keep the laws that every model of the language has: relations are
false of repeated entities, symmetric words are symmetric, a word and its inverse agree.
"""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction

from rune_smt.grammar.nodes import (
    And,
    Apply,
    Arithmetic,
    Compare,
    Count,
    Cover,
    Exists,
    ExistsCount,
    ForAll,
    Iff,
    Implies,
    Not,
    Number,
    Or,
    Text,
    Truth,
    Variable,
)
from rune_smt.grammar.words import WORDS

UNITS = {None: 1, "px": 1, "px2": 1, "m": 3, "km": 3000, "m2": 9, "ha": 90000, "km2": 9 * 10**6, "deg": 1, "%": 2}


class Model:
    """Entities 0 .. size - 1; every table is drawn from the seed when it is first looked at."""

    def __init__(self, seed, size, likely=0.5):
        self.seed, self.entities, self.likely = seed, range(size), likely

    def draw(self, *key):
        return random.Random(repr((self.seed, *key)))

    def holds(self, formula, env=None):
        env = env or {}
        match formula:
            case Truth(value):
                return value
            case Apply(name, args):
                return self.relation(name, tuple(env[arg.name] for arg in args))
            case Compare(op, left, right):
                return self.compared(op, self.term(left, env), self.term(right, env))
            case Not(body):
                return not self.holds(body, env)
            case And(parts):
                return all(self.holds(part, env) for part in parts)
            case Or(parts):
                return any(self.holds(part, env) for part in parts)
            case Implies(left, right):
                return not self.holds(left, env) or self.holds(right, env)
            case Iff(left, right):
                return self.holds(left, env) == self.holds(right, env)
            case Exists(x, body):
                return any(self.satisfying(x, body, env))
            case ForAll(x, body):
                return all(self.holds(body, {**env, x: e}) for e in self.entities)
            case ExistsCount(op, n, x, body):
                return self.compared(op, len(list(self.satisfying(x, body, env))), n)
        raise TypeError(formula)

    def satisfying(self, x, body, env):
        return [(e,) for e in self.entities if self.holds(body, {**env, x: e})]

    def relation(self, name, args):
        if len(args) > 1 and len(set(args)) < len(args):
            return False
        word = WORDS.get(name)
        if word is not None and word.inverse and word.inverse < name:
            name, args = word.inverse, args[::-1]
        if word is not None and word.symmetric:
            args = tuple(sorted(args))
        elif word is not None and word.swappable:
            args = (args[0], *sorted(args[1:]))
        return self.draw(name, args).random() < self.likely

    def term(self, term, env):
        match term:
            case Variable(name):
                return ("entity", env[name])
            case Text(value):
                return value
            case Number(value, unit):
                return Fraction(Decimal(value)) * UNITS[unit]
            case Apply(name, args):
                entities = tuple(env[arg.name] for arg in args)
                entities = tuple(sorted(entities)) if len(entities) > 1 else entities
                if name == "damage":
                    return self.draw(name, entities).choice(("no_damage", "minor_damage", "major_damage", "destroyed"))
                return Fraction(self.draw(name, entities).choice((0, 1, 2, 3, 5, 8, 50, 400, 20000)))
            case Count(x, body):
                return Fraction(len(self.satisfying(x, body, env)))
            case Cover(x, body):
                areas = [self.draw("cover", e).choice((1, 3, 20, 500)) for e, in self.satisfying(x, body, env)]
                return Fraction(sum(areas))
            case Arithmetic(op, left, right):
                a, b = self.term(left, env), self.term(right, env)
                return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b}[op]()
        raise TypeError(term)

    @staticmethod
    def compared(op, a, b):
        if isinstance(a, tuple) or isinstance(b, tuple) or op in ("=", "!="):
            return (a == b) == (op == "=")
        return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[op]


def telling_model(first, second, models=30):
    """A model in which only one of two formulas holds, or None: (seed, size) to print."""
    for seed in range(models):
        model = Model(seed, size=(0, 1, 2, 2, 3, 3)[seed % 6], likely=(0.5, 0.8, 0.3)[seed % 3])
        if model.holds(first) != model.holds(second):
            return seed, model
    return None
