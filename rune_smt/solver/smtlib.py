"""The problem of one query in one scene as SMT-LIB 2 text, for any other solver (smt-lib.org, version 2.6).

Unsatisfiable says that the scene violates the query; the unsat core then names clauses that stop it together.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..grammar.definitions import expand_definitions
from ..grammar.nodes import Formula
from ..grammar.printer import canonical
from .clauses import clause_form
from .ground import AtLeast, Every, Ground, Relaxed, Some, Term, expanded
from .world import World


def smtlib(formula: Formula, world: World) -> str:
    """A script in QF_LIA: each clause of the query a named assertion, the query expanded over the scene's entities.

    formula  closed; definitions are expanded here
    raises   LimitError where the expansion is too large
    """
    query = expand_definitions(formula, world.vocabulary)
    form = clause_form(query)
    ground = expanded(form, world, "open")
    lines = [
        f"; query: {canonical(query)}",
        f"; image: {_comment(world.scene.image_id)}, min_score {world.min_score:g}, {len(world)} entities",
        "; unsat: the image violates the query; the core names clauses that cannot hold together",
        "(set-option :produce-unsat-cores true)",
        "(set-logic QF_LIA)",
    ]
    for clause in form.clauses:
        lines += [f"; clause {clause.index}: {canonical(clause.formula)}", f"(declare-const kept_{clause.index} Bool)"]
    lines += _definitions(ground)
    lines.append(f"(assert t{ground.root})")
    lines += [f"(assert (! kept_{clause.index} :named clause_{clause.index}))" for clause in form.clauses]
    lines += ["(check-sat)", "(get-unsat-core)", ""]
    return "\n".join(lines)


def _definitions(ground: Ground) -> Iterator[str]:
    for number, term in enumerate(ground.terms[: ground.root + 1]):
        yield f"(define-fun t{number} () Bool {_text(term)})"


def _text(term: Term) -> str:
    match term:
        case bool():
            return "true" if term else "false"
        case Relaxed(clause):
            return f"(not kept_{clause})"
        case Every(parts):
            return f"(and {' '.join(f't{part}' for part in sorted(parts))})"
        case Some(parts):
            return f"(or {' '.join(f't{part}' for part in sorted(parts))})"
        case AtLeast(threshold, weights):
            return f"(>= (+ {' '.join(f'(ite t{part} {weight} 0)' for part, weight in weights)} 0) {threshold})"


def _comment(text: str) -> str:
    return " ".join(text.split())
