"""The SMT-LIB text says what Z3 was told: a second reading of it gives the verdict of `holds`."""

import pytest
from hypothesis import given, settings

from rune_smt.solver.clauses import clause_form
from rune_smt.solver.holds import holds
from rune_smt.solver.smtlib import smtlib
from rune_smt.solver.world import World
from rune_smt.verdict import VIOLATED
from tests.laws import VOCABULARY, law_scenes, queries


def corner(formula, world):
    """An equality of counts that can skip values: the clause form cannot say it (see `clauses.can_skip`)."""
    return holds(clause_form(formula).formula, world) != holds(formula, world)


@settings(max_examples=60)
@given(formula=queries(max_depth=3), scene=law_scenes())
def test_unsatisfiable_exactly_where_the_query_is_violated(formula, scene):
    import z3

    world = World(scene, VOCABULARY)
    solver = z3.Solver()
    solver.from_string(smtlib(formula, world).replace("(get-unsat-core)", ""))
    if not corner(formula, world):
        assert (solver.check() == z3.unsat) == (holds(formula, world) == VIOLATED)


@settings(max_examples=25)
@given(formula=queries(max_depth=3), scene=law_scenes())
def test_a_second_solver_agrees(formula, scene):
    cvc5 = pytest.importorskip("cvc5", reason="cvc5 is not installed: pip install cvc5")
    world = World(scene, VOCABULARY)
    if corner(formula, world):
        return
    manager = cvc5.TermManager()
    solver = cvc5.Solver(manager)
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, smtlib(formula, world), "query.smt2")
    said = ""
    while not (command := parser.nextCommand()).isNull():
        text = command.invoke(solver, parser.getSymbolManager())
        if command.getCommandName() == "check-sat":
            said = text.strip()
            break
    assert (said == "unsat") == (holds(formula, world) == VIOLATED)
