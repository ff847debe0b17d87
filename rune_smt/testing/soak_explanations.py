"""The soak run's oracles of explanations: they agree with themselves, with `holds`, and with the checker."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .. import checker
from ..errors import CertificateError, DisagreementError, LimitError
from ..solver.certificate import core_certificate, make_certificate
from ..solver.clauses import clause_form, relax
from ..solver.cores import all_cores
from ..solver.explain import Violated, explain_scene
from ..solver.holds import holds
from ..solver.world import World
from ..verdict import SATISFIED, UNDECIDED, VIOLATED, Verdict

if TYPE_CHECKING:
    from .soak import Case

SCENES = 4  # of a batch: an explanation takes as long as a hundred verdicts


def explained(case: Case) -> None:
    """Cores and correction sets of a violated scene are minimal hitting sets of each other, repairs satisfy by `holds`.

    `explain_scene` itself re-checks cores, repairs and nearest limits by `holds`, and raises where they differ.
    """
    soak, oracle = case.soak, "explained"
    for index in range(min(SCENES, len(case.verdicts))):
        world = World(case.scene(index), soak.vocabulary, case.min_score)
        try:
            why = explain_scene(case.formula, world.scene, soak.vocabulary, case.min_score, all_cores=True, world=world)
        except LimitError:
            soak.report.skipped[oracle] += 1
            continue
        except DisagreementError as error:
            soak.wrong(case, oracle, index, error.message)
            continue
        soak.report.compared[oracle] += 1
        if why.verdict != case.verdicts[index]:
            soak.wrong(case, oracle, index, f"{why.verdict.word}, the array engine {case.verdicts[index]}")
        if isinstance(why, Violated):
            _hit_each_other(case, index, why, world)


def _hit_each_other(case: Case, index: int, why: Violated, world: World) -> None:
    soak, oracle = case.soak, "cores and correction sets"
    if why.budget:
        soak.report.skipped[oracle] += 1
        return
    soak.report.compared[oracle] += 1
    for one, others in ((why.cores, why.corrections), (why.corrections, why.cores)):
        for each in one:
            hits = all(each & other for other in others)
            spared = any(all((each - {clause}) & other for other in others) for clause in each)
            if not hits or spared:
                soak.wrong(case, oracle, index, f"{sorted(each)} among {[sorted(other) for other in others]}")
    for core in why.cores:
        if holds(relax(why.form, core), world) != VIOLATED:
            soak.wrong(case, oracle, index, f"core {sorted(core)} is not violated")
    for correction in why.corrections:
        if holds(relax(why.form, why.form.every - correction), world) == VIOLATED:
            soak.wrong(case, oracle, index, f"without {sorted(correction)} it is still violated")


def certified(case: Case) -> None:
    """A certificate of the verdict, and of a core, is accepted by the checker; none is made of another verdict."""
    soak, oracle = case.soak, "certificates replay"
    for index in range(min(SCENES, len(case.verdicts))):
        world = World(case.scene(index), soak.vocabulary, case.min_score)
        verdict = Verdict(int(case.verdicts[index]))
        document = json.loads(json.dumps(world.scene.to_json()))
        try:
            made = [make_certificate(case.formula, world, verdict)]
            if verdict == VIOLATED:
                form = clause_form(case.formula)
                made += [core_certificate(form, case.formula, core, world) for core in all_cores(form, world).cores]
        except LimitError:
            soak.report.skipped[oracle] += 1
            continue
        except CertificateError as error:
            soak.wrong(case, oracle, index, f"the verdict is {verdict.word}, but: {error.message}")
            continue
        for certificate in made:
            soak.report.compared[oracle] += 1
            report = checker.check(json.loads(json.dumps(certificate)), document)
            if not report.ok:
                soak.wrong(case, oracle, index, f"{report.outcome} at {report.step}: {report.message}")
        for other in {SATISFIED, UNDECIDED, VIOLATED} - {verdict}:
            try:
                report = checker.check(json.loads(json.dumps(make_certificate(case.formula, world, other))), document)
            except (CertificateError, LimitError):
                continue
            if report.ok and not report.borderline:
                soak.wrong(case, oracle, index, f"a certificate of {other.word} holds, the verdict is {verdict.word}")
