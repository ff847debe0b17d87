"""The queries for general solvers, each as its handbook has it: clingo in batches, Z3 component by component, IDP-Z3.

All get the facts of `ground`: entities, classes, and the tuples of which each relation is true. What is timed is
everything from there to the verdicts: writing the program or the terms, grounding, solving.
"""

from __future__ import annotations

from typing import Any

from ground import Ground, is_class, is_equality, is_relation

from rune_smt.grammar.nodes import (
    And,
    Apply,
    Arithmetic,
    Compare,
    Count,
    Exists,
    ExistsCount,
    ForAll,
    Implies,
    Not,
    Number,
    Or,
    Variable,
    free_variables,
)

# --- clingo -----------------------------------------------------------------------------------------------------------


class AnswerSets:
    """A formula as rules: `sat(I)` for the images I that satisfy it.

    `exists` is written in place where it is positive; what is negated, and every `forall`, has a predicate of its own.
    """

    def __init__(self, ground: Ground):
        self.ground = ground
        self.relations = {atom: f"r{i}" for i, atom in enumerate(ground.true)}
        self.rules: list[str] = []
        self.rules.append(self._rule("sat(I)", ["img(I)"], self._body(ground.formula)))

    def program(self) -> str:
        """Facts and rules."""
        lines = []
        for image, rows in self.ground.entities.items():
            lines.append(f"img({image}).")
            for row in rows:
                lines.append(f"e({image},{row}). l({image},{row},{self.ground.label[row]}).")
        for atom, name in self.relations.items():
            for image, tuples in self.ground.true[atom].items():
                lines += [f"{name}({image},{','.join(map(str, each))})." for each in tuples]
        return "\n".join([*lines, *self.rules, "#show sat/1."])

    def _rule(self, head: str, first: list[str], body: list[str]) -> str:
        bound = {name for part in body if "not" not in part and "=" not in part for name in _variables(part)}
        everything = {name for part in [head, *body] if "#count" not in part for name in _variables(part)}
        missing = [f"e(I,{name})" for name in sorted(everything - bound - {"I"}) if name.startswith("V")]
        return f"{head} :- {', '.join([*first, *missing, *body]) or '#true'}."

    def _body(self, node: Any) -> list[str]:
        """Literals that say the node."""
        match node:
            case And(parts):
                return [literal for part in parts for literal in self._body(part)]
            case Exists(_, body):
                return self._body(body)
            case Not(Not(body)):
                return self._body(body)
            case Not(Apply("same_class", (Variable(a), Variable(b)))):
                return [f"l(I,{_v(a)},L{a})", f"l(I,{_v(b)},L{b})", f"L{a} != L{b}"]
            case Not(Implies(left, right)):
                return [*self._body(left), *self._body(Not(right))]
            case Not(body) if self._is_atom(body):
                return [f"not {self._atom(body)}"]
            case Not(body):
                return [f"not {self._predicate(body)}"]
            case ForAll(var, body):
                return self._body(Not(Exists(var, Not(body))))
            case ExistsCount(op, n, var, body):
                return [f"{self._count(var, body)} {op} {n}"]
            case Compare(op, left, right) if not self._is_atom(node):
                return [f"{self._term(left)[1]} {op} {self._term(right)[1]}", *self._term(left)[0], *self._term(right)[0]]
            case _ if self._is_atom(node):
                return [self._atom(node)]
        raise TypeError(f"these queries have no {type(node).__name__} here")

    def _is_atom(self, node: Any) -> bool:
        return is_class(node, self.ground.vocabulary) or is_equality(node) or node in self.relations

    def _atom(self, node: Any) -> str:
        if is_class(node, self.ground.vocabulary):
            return f"l(I,{_v(node.args[0].name)},{node.name})"
        if is_equality(node):
            return f"{_v(node.left.name)} {node.op} {_v(node.right.name)}"
        return f"{self.relations[node]}(I,{','.join(_v(name) for name in self.ground.names(node))})"

    def _predicate(self, body: Any) -> str:
        free = ",".join(["I", *(_v(name) for name in sorted(free_variables(body)))])
        head = f"p{len(self.rules)}({free})"
        self.rules.append("")
        place = len(self.rules) - 1
        self.rules[place] = self._rule(head, ["img(I)"], self._body(body))
        return head

    def _count(self, var: str, body: Any) -> str:
        return f"#count {{ {_v(var)} : {', '.join(self._body(body))} }}"

    def _term(self, term: Any) -> tuple[list[str], str]:
        match term:
            case Number(value):
                return [], str(int(value))
            case Count(var, body):
                return [f"N{var} = {self._count(var, body)}"], f"N{var}"
            case Arithmetic(op, left, right):
                (one, a), (two, b) = self._term(left), self._term(right)
                return [*one, *two], f"({a} {op} {b})"
        raise TypeError(f"no {type(term).__name__} in a comparison of counts")


def _v(name: str) -> str:
    return f"V{name}"


def _variables(text: str) -> set[str]:
    word, found = "", set()
    for char in text + " ":
        if char.isalnum() or char == "_":
            word += char
        else:
            if word[:1] in ("V", "I") and word:
                found.add(word)
            word = ""
    return found


def clingo_batch(ground: Ground) -> set[int]:
    """The images that satisfy the formula."""
    import clingo

    control = clingo.Control(["--warn=none"])
    control.add("base", [], AnswerSets(ground).program())
    control.ground([("base", [])])
    found: set[int] = set()
    with control.solve(yield_=True) as handle:  # type: ignore[union-attr]
        for model in handle:
            found = {symbol.arguments[0].number for symbol in model.symbols(shown=True)}
    return found


# --- Z3 ---------------------------------------------------------------------------------------------------------------

LARGEST = 200_000  # terms of one image; what would have more is left out


class TooLarge(Exception):
    """An expansion would have too many terms."""


def z3_image(ground: Ground, image: int, domains: dict[str, set[str]]) -> bool:
    """One closed formula in one image: expanded over entities, every ground atom a proposition that is asserted."""
    import z3

    entities, label = ground.entities[image], ground.label
    over = {var: [row for row in entities if label[row] in classes] for var, classes in domains.items()}
    true = {atom: set(found[image]) for atom, found in ground.true.items()}
    propositions: dict[Any, Any] = {}
    solver = z3.Solver()

    def proposition(key: Any, fact: bool) -> Any:
        if key not in propositions:
            if len(propositions) >= LARGEST:
                raise TooLarge
            propositions[key] = z3.Bool(f"p{len(propositions)}")
            solver.add(propositions[key] if fact else z3.Not(propositions[key]))
        return propositions[key]

    def term(node: Any, env: dict[str, int]) -> Any:
        match node:
            case Number(value):
                return z3.IntVal(int(value))
            case Count(var, body):
                return z3.Sum([z3.If(here(body, {**env, var: row}), 1, 0) for row in over[var]] or [z3.IntVal(0)])
            case Arithmetic(op, left, right):
                a, b = term(left, env), term(right, env)
                return a + b if op == "+" else a - b if op == "-" else a * b
        raise TypeError(type(node).__name__)

    def here(node: Any, env: dict[str, int]) -> Any:
        match node:
            case And(parts):
                return z3.And([here(part, env) for part in parts])
            case Or(parts):
                return z3.Or([here(part, env) for part in parts])
            case Not(body):
                return z3.Not(here(body, env))
            case Implies(left, right):
                return z3.Implies(here(left, env), here(right, env))
            case Exists(var, body):
                return z3.Or([here(body, {**env, var: row}) for row in over[var]])
            case ForAll(var, body):
                return z3.And([here(body, {**env, var: row}) for row in over[var]])
            case ExistsCount(op, n, var, body):
                bodies = [(here(body, {**env, var: row}), 1) for row in over[var]]
                if not bodies:
                    return z3.BoolVal(n <= 0 if op == ">=" else True)
                return z3.PbGe(bodies, n) if op == ">=" else z3.PbLe(bodies, n)
            case Apply("same_class", (Variable(a), Variable(b))):
                return proposition((env[a], env[b], "same"), env[a] != env[b] and label[env[a]] == label[env[b]])
            case _ if is_class(node, ground.vocabulary):
                row = env[node.args[0].name]
                return proposition((row, node.name), ground.vocabulary.is_a(label[row], node.name))
            case _ if is_equality(node):
                return z3.BoolVal((env[node.left.name] == env[node.right.name]) == (node.op == "="))
            case _ if is_relation(node, ground.vocabulary):
                key = tuple(env[name] for name in ground.names(node))
                return proposition((node, key), key in true[node])
            case Compare(op, left, right):
                a, b = term(left, env), term(right, env)
                return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b, "=": a == b, "!=": a != b}[op]
        raise TypeError(type(node).__name__)

    solver.add(here(ground.formula, {}))
    return bool(solver.check() == z3.sat)


# --- IDP-Z3 -----------------------------------------------------------------------------------------------------------


def idp_text(ground: Ground, image: int) -> str:
    """A knowledge base for one image: its entities enumerated, `satisfied()` defined by the formula."""
    rows = ground.entities[image]
    number = {row: i for i, row in enumerate(rows)}
    relations = {atom: f"r{i}" for i, atom in enumerate(ground.true)}
    classes = sorted({ground.label[row] for row in rows} | _classes_named(ground))
    vocabulary = [f"type entity := {{0..{max(len(rows) - 1, 0)}}}", "satisfied : () -> Bool"]
    structure = []
    for name in classes:
        members = [str(number[row]) for row in rows if ground.vocabulary.is_a(ground.label[row], name)]
        vocabulary.append(f"{name} : entity -> Bool")
        structure.append(f"{name} := {{{', '.join(members)}}}.")
    for atom, name in relations.items():
        arity = len(ground.names(atom))
        vocabulary.append(f"{name} : {' * '.join(['entity'] * arity)} -> Bool")
        tuples = (f"({', '.join(str(number[row]) for row in each)})" for each in ground.true[atom][image])
        structure.append(f"{name} := {{{', '.join(tuples)}}}.")
    if any(isinstance(node, Apply) and node.name == "same_class" for node in _walk(ground.formula)):
        vocabulary.append("kind : entity -> Int")
        kinds = ", ".join(f"{number[row]} -> {classes.index(ground.label[row])}" for row in rows)
        structure.append(f"kind := {{{kinds}}}.")
    theory = f"satisfied() <=> ({_idp(ground.formula, ground, relations)})."
    return (
        f"vocabulary V {{\n{chr(10).join(vocabulary)}\n}}\nstructure S : V {{\n{chr(10).join(structure)}\n}}\n"
        f"theory T : V {{\n{theory}\n}}\n"
    )


def _walk(node: Any) -> Any:
    from rune_smt.grammar.nodes import walk

    return walk(node)


def _classes_named(ground: Ground) -> set[str]:
    return {node.name for node in _walk(ground.formula) if is_class(node, ground.vocabulary)}


def _idp(node: Any, ground: Ground, relations: dict[Any, str]) -> str:
    def below(part: Any) -> str:
        return _idp(part, ground, relations)

    match node:
        case And(parts):
            return " & ".join(f"({below(part)})" for part in parts)
        case Or(parts):
            return " | ".join(f"({below(part)})" for part in parts)
        case Not(body):
            return f"~({below(body)})"
        case Implies(left, right):
            return f"({below(left)}) => ({below(right)})"
        case Exists(var, body):
            return f"? {var} in entity: ({below(body)})"
        case ForAll(var, body):
            return f"! {var} in entity: ({below(body)})"
        case ExistsCount(op, n, var, body):
            return f"#{{{var} in entity: ({below(body)})}} {op.replace('<=', '=<')} {n}"
        case Count(var, body):
            return f"#{{{var} in entity: ({below(body)})}}"
        case Number(value):
            return str(int(value))
        case Arithmetic(op, left, right):
            return f"({below(left)} {op} {below(right)})"
        case Apply("same_class", (Variable(a), Variable(b))):
            return f"(kind({a}) = kind({b})) & ({a} ~= {b})"
        case _ if is_class(node, ground.vocabulary):
            return f"{node.name}({node.args[0].name})"
        case _ if is_equality(node):
            return f"{node.left.name} {'=' if node.op == '=' else '~='} {node.right.name}"
        case _ if is_relation(node, ground.vocabulary):
            return f"{relations[node]}({', '.join(ground.names(node))})"
        case Compare(op, left, right):
            return f"{below(left)} {op.replace('<=', '=<').replace('!=', '~=')} {below(right)}"
    raise TypeError(type(node).__name__)
