"""Signs with two meanings in infix text: each token gets the one that its neighbours leave (LANGUAGE, section 6).

One walk over the tokens of a text, from left to right, in time linear in their number. A function a row of the table;
what no row decides keeps its type and is refused by the grammar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lark import Token

from .actions import span_of
from .refusal import FormulaError
from .spelling import UNIT_SPELLINGS

COMPARISONS = {
    "≤": "<=", "=<": "<=", "≦": "<=", "⩽": "<=", "\\leq": "<=", "\\le": "<=", "\\leqslant": "<=", "\\lt": "<",
    "≥": ">=", "≧": ">=", "⩾": ">=", "\\geq": ">=", "\\ge": ">=", "\\geqslant": ">=", "\\gt": ">", "==": "=",
    "≠": "!=", "<>": "!=", "~=": "!=", "=/=": "!=", "/=": "!=", "\\neq": "!=", "\\ne": "!=",
}  # fmt: skip

# after these an operand is complete, so that a connective or an operator is next
OPERAND_ENDS = frozenset({"NAME", "NUMBER", "UNIT", "STRING", "TRUE", "FALSE", "RPAR", "SET_CLOSE", "SORT"})
ARITHMETIC = frozenset({"COMPARE", "PLUS", "MINUS", "TIMES", "DIVIDE", "SIGN"})  # after these a term is next
QUANTIFIERS = frozenset({"EXISTS", "FORALL", "NO_EXISTS", "UNIQUE"})
WORDS = frozenset({"AND", "OR", "NOT", "XOR", "IFF", "IMPLIES", "IN", "EXISTS", "FORALL"})  # may be spelled as a name
STARTS = QUANTIFIERS | {"NAME", "NUMBER", "STRING", "TRUE", "FALSE", "LPAR", "NOT", "BANG", "COUNT", "COVER", "HASH"}
CLOSERS = {"(": ")", "[": "]", "\\{": "\\}", "{": "}", "\\lbrace": "\\rbrace", "\\lbrack": "\\rbrack"}

VARIABLE_LIKE = re.compile(r"[A-Za-z][0-9₀-₉]*\Z")
RESERVED_WORDS = frozenset({"exists", "forall"})  # the canonical language reserves these two, so they are never names


class Collisions:
    """The pass between Lark's lexer and its parser."""

    # terminals that no rule of the grammar uses: met here only, or the reason of a refusal
    always_accept = ("IMPLIED", "IN", "LBRACE", "RBRACE", "BAR", "HASH", "COLON", "DOT", "BANG", "QUESTION", "HYPHEN",
                     "PERCENT", "DEGREE", "UNCLOSED", "CARET", "SEMICOLON", "OTHER")  # fmt: skip

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens of one text with their meanings."""
        return iter(resolve(list(stream)))


def resolve(tokens: list[Token]) -> list[Token]:
    """Every token with the type that its place gives it; FormulaError where two meanings remain."""
    return _Walk(_without_numbering(tokens)).run()


def _retyped(kind: str, token: Token, value: str | None = None) -> Token:
    return Token.new_borrow_pos(kind, str(token) if value is None else value, token)


def _on_new_line(token: Token, before: Token | None) -> bool:
    return before is None or (token.line or 0) > (before.end_line or 0)


def _glued(left: Token, right: Token) -> bool:
    return left.end_pos == right.start_pos


def _without_numbering(tokens: list[Token]) -> list[Token]:
    """`1. ` or `1) ` at the start of a line numbers a formula, if one stands at the start of the text."""
    if not _numbers(tokens, 0):
        return tokens
    kept: list[Token] = []
    i = 0
    while i < len(tokens):
        if _numbers(tokens, i):
            if kept:
                kept.append(_retyped("STOP", tokens[i]))
            i += 2
        else:
            kept.append(tokens[i])
            i += 1
    return kept


def _numbers(tokens: list[Token], i: int) -> bool:
    if i + 2 >= len(tokens) or tokens[i].type != "NUMBER" or not tokens[i].isdigit():
        return False
    number, mark, first = tokens[i : i + 3]
    if mark not in (".", ")") or not _glued(number, mark) or _glued(mark, first):
        return False
    return _on_new_line(number, tokens[i - 1] if i else None)


class _Walk:
    def __init__(self, tokens: list[Token]):
        self.tokens = tokens
        self.out: list[Token] = []
        self.i = 0
        self.sets: list[str] = []  # "|", "#" or "" for each open brace: how it closes
        self.depth = 0
        self.partner = _partners(tokens)

    # --- looking around -----------------------------------------------------------------------------------------------

    def type(self, i: int) -> str:
        return self.tokens[i].type if 0 <= i < len(self.tokens) else "$END"

    def after_operand(self) -> bool:
        return bool(self.out) and self.out[-1].type in OPERAND_ENDS

    def put(self, kind: str, token: Token, value: str | None = None) -> None:
        self.out.append(_retyped(kind, token, value))

    def names_only(self, i: int) -> bool:
        """Whether a bracket that holds nothing but names and commas starts at i."""
        if self.type(i) != "LPAR":
            return False
        i += 1
        while self.is_name(i):
            if self.type(i + 1) == "RPAR":
                return True
            if self.type(i + 1) != "COMMA":
                return False
            i += 2
        return False

    def is_name(self, i: int) -> bool:
        """A name, or a word like `in` that can be nothing else between commas and brackets."""
        if self.type(i) == "NAME":
            return True
        return (
            self.type(i) in WORDS
            and self.tokens[i].isalpha()
            and self.tokens[i].lower() not in RESERVED_WORDS
            and self.type(i - 1) in ("LPAR", "COMMA")
            and self.type(i + 1) in ("RPAR", "COMMA")
        )

    def holds_arguments(self, i: int) -> bool:
        """Whether the bracket at i can only be an argument list: names alone, or several items, none with a sign."""
        if self.names_only(i):
            return True
        level, several, allowed = 0, False, ("NAME", "NUMBER", "STRING", "COMMA", "LPAR", "RPAR")
        while self.type(i) in allowed:
            match self.type(i):
                case "LPAR" if level and self.type(i - 1) != "NAME":
                    return False
                case "LPAR":
                    level += 1
                case "RPAR":
                    level -= 1
                    if level == 0:
                        return several
                case "COMMA" | "NUMBER" | "STRING" if level == 1:
                    several = True
            i += 1
        return False

    # --- the walk -----------------------------------------------------------------------------------------------------

    def run(self) -> list[Token]:
        while self.i < len(self.tokens):
            token = self.tokens[self.i]
            if self.word_as_name(token):
                continue
            match token.type:
                case kind if kind in QUANTIFIERS:
                    self.quantifier(token)
                case "COUNT" | "COVER":
                    self.measure(token)
                case "BANG" | "QUESTION":
                    self.mark(token)
                case "BAR" | "HASH" | "LBRACE" | "RBRACE":
                    self.brace_or_bar(token)
                case "LPAR" if token == "\\{" and self.type(self.i - 1) in ("BAR", "HASH"):
                    self.brace_or_bar(token)
                case "RPAR" if token == "\\}" and self.sets and self.closes_set(token):
                    self.brace_or_bar(token)
                case "HYPHEN":
                    self.hyphen(token)
                case "NAME":
                    self.name(token)
                case "PERCENT" | "DEGREE":
                    unit = "%" if token.type == "PERCENT" else "deg"
                    after_number = bool(self.out) and self.out[-1].type == "NUMBER"
                    self.put("UNIT" if after_number else token.type, token, unit)
                    self.i += 1
                case "DOT":
                    self.dot(token)
                case "COMPARE":
                    sign = "".join(token.split())
                    self.put("COMPARE", token, COMPARISONS.get(sign, "!=" if sign.startswith("\\not") else sign))
                    self.i += 1
                case "ELEMENT" | "NOT_ELEMENT":
                    self.out.append(token)
                    self.i += 1
                    if self.type(self.i) == "NAME":
                        self.put("SORT", self.tokens[self.i])
                        self.i += 1
                case _:
                    self.out.append(token)
                    self.i += 1
        return self.out

    def word_as_name(self, token: Token) -> bool:
        """`in(x, y)`, `not(x)`: a word before a bracket is a name where it could be nothing else."""
        if token.type not in WORDS or not token.isalpha() or token.lower() in RESERVED_WORDS:
            return False
        between = self.is_name(self.i) and bool(self.out) and self.out[-1].type in ("LPAR", "COMMA")
        if not between:
            if self.after_operand() or self.type(self.i + 1) != "LPAR":
                return False
            prefix = token.type in ("NOT", "EXISTS", "FORALL")
            if prefix and not self.names_only(self.i + 1):
                return False
            after_variables = bool(self.out) and self.out[-1].type == "BODY" and not self.out[-1]
            if token.type == "IN" and after_variables and not self.holds_arguments(self.i + 1):
                return False  # exists x in (...): a class is a name
        self.put("NAME", token)
        self.i += 1
        return True

    def name(self, token: Token) -> None:
        """After a number a name is its unit; a name with hyphens is sorted out when it is known what it names."""
        if self.out and self.out[-1].type == "NUMBER":
            unit = UNIT_SPELLINGS.get(token.lower())
            if unit is None and _glued(self.out[-1], token):  # 8pm: no canonical name; the builder knows what is open
                number = self.out.pop()
                joined = Token("NAME", f"{number}{token}", number.start_pos, number.line, number.column)
                joined.end_pos = token.end_pos
                self.out.append(joined)
                self.i += 1
                return
            if unit is None:
                raise FormulaError(
                    f"'{token}' is not a unit.",
                    span=span_of(token),
                    hint="Units are px, px2, m, km, m2, ha, km2, deg and %. A name does not start with a digit.",
                    expected=("a unit",),
                )
            squared = [t.type for t in self.tokens[self.i + 1 : self.i + 3]] == ["CARET", "NUMBER"]
            if squared and f"{unit}2" in UNIT_SPELLINGS and self.tokens[self.i + 2] == "2":  # m^2
                unit = f"{unit}2"
                self.i += 2
            self.put("UNIT", token, unit)
        else:
            self.out.append(token)
        self.i += 1

    def hyphen(self, token: Token) -> None:
        """Between terms a minus, with a space on both sides; in front a negation or a sign."""
        self.i += 1
        if not self.after_operand():
            sign = bool(self.out) and self.out[-1].type in ARITHMETIC
            self.put("SIGN" if sign else "NEGATIVE", token)
            return
        before, after = self.tokens[self.i - 2], self.tokens[self.i] if self.i < len(self.tokens) else token
        if _glued(before, token) or _glued(token, after):
            raise FormulaError(
                "A minus between terms needs a space on both sides.",
                span=span_of(token),
                hint="Write a - b; small-vehicle without spaces is one name. For 'and not' write '& ~'.",
            )
        self.put("MINUS", token)

    def dot(self, token: Token) -> None:
        """Dropped at the end of text or line; there it parts statements if another one starts. `.5` after a sign."""
        following = self.tokens[self.i + 1] if self.i + 1 < len(self.tokens) else None
        self.i += 1
        if following is None and self.out:
            return
        if following is not None and self.out:
            last = self.out[-1].type
            if following.type == "NUMBER" and _glued(token, following) and last in ARITHMETIC and "." not in following:
                self.put("NUMBER", following, f"0.{following}")
                self.i += 1
                return
            if _on_new_line(following, token) and self.after_operand():
                if following.type in STARTS | {"HYPHEN", "BAR"} and not self.sets and not self.open_brackets():
                    self.put("STOP", token)
                return
        self.out.append(token)

    def open_brackets(self) -> bool:
        """Whether the walk stands inside brackets."""
        while self.checked < len(self.out):
            kind = self.out[self.checked].type
            self.depth += (kind == "LPAR") - (kind == "RPAR")
            self.checked += 1
        return self.depth > 0

    checked = 0

    def mark(self, token: Token) -> None:
        """`! [X, Y] :` and `? [X] :` are quantifiers, else `!` is negation; a `?` at the very end is dropped."""
        i = self.i + 1
        if self.type(i) == "LPAR" and self.tokens[i] == "[" and self.names_only(i):
            close = self.partner[i]
            if self.type(close + 1) == "COLON":
                self.put("FORALL" if token.type == "BANG" else "EXISTS", token)
                for j in range(i + 1, close, 2):
                    self.put("VAR", self.tokens[j])
                self.i = close + 2  # from here as after any variables: a bracket is the body, else as far as possible
                row = self.type(self.i) in ("BANG", "QUESTION") and self.type(self.i + 1) == "LPAR"
                if row and self.tokens[self.i + 1] == "[":
                    self.put("TIGHT", self.tokens[close + 1])
                elif self.type(self.i) != "LPAR":
                    self.put("BODY", self.tokens[close + 1])
                return
        self.i += 1
        if token.type == "BANG":
            self.put("NOT", token)
        elif self.i < len(self.tokens) or not self.out:
            self.out.append(token)

    # --- quantifiers --------------------------------------------------------------------------------------------------

    def quantifier(self, token: Token) -> None:
        """A quantifier with its count and variables, and where its body starts."""
        start, in_bracket = self.i, self.type(self.i - 1) == "LPAR" and bool(self.out) and self.out[-1].type == "LPAR"
        at = len(self.out)
        self.i += 1
        if token.type == "EXISTS" and self.type(self.i) == "BANG":  # exists !
            self.put("UNIQUE", token)
            self.i += 1
        else:
            self.out.append(token)
        if token.type == "EXISTS" and self.type(self.i) == "COMPARE":
            self.count()
        if self.names_only(self.i):  # exists (x, y) (f)
            close = self.partner[self.i]
            for j in range(self.i + 1, close, 2):
                self.put("VAR", self.tokens[j])
            self.i = close + 1
        else:
            self.variables()
        if in_bracket and self.type(self.i) == "RPAR" and self.partner[self.i] == start - 1:  # (exists x)(f)
            del self.out[at - 1]
            self.i += 1
        self.body()

    def count(self) -> None:
        """exists>=3"""
        operator = self.tokens[self.i]
        sign = COMPARISONS.get(str(operator), str(operator))
        if self.type(self.i + 1) != "NUMBER":
            return
        number = self.tokens[self.i + 1]
        if sign not in (">=", "<=", "=") or not number.isdigit():
            raise FormulaError(
                "A quantifier counts with >=, <= or = and a whole number.",
                span=(span_of(operator)[0], span_of(number)[1]),
                hint="Write exists>=3 x for more than two, exists<=2 x for fewer than three.",
                expected=(">=", "<=", "="),
            )
        self.put("COMPARE", operator, sign)
        self.put("HOW_MANY", number)
        self.i += 2

    def variables(self) -> None:
        """x, y:ship, z in harbor. A name followed by a bracket of names and commas is no variable but the body."""
        first = self.i
        while self.type(self.i) == "NAME":
            name, after = self.tokens[self.i], self.type(self.i + 1)
            if self.i > first and after in ("COMPARE", "PLUS", "TIMES", "DIVIDE"):
                return  # exists x x = y
            if after == "LPAR":
                alone = self.i == first  # the first name is the variable, unless the bracket holds nothing but names
                if self.names_only(self.i + 1) if alone else self.holds_arguments(self.i + 1):
                    return
                self.refuse_application(first, name)
            self.put("VAR", name)
            self.i += 1
            self.sorts()
            if self.type(self.i) == "COMMA" and self.type(self.i + 1) == "NAME":
                following = self.type(self.i + 2)
                if following in ("COMPARE", "PLUS", "TIMES", "DIVIDE"):
                    return
                if following == "LPAR" and self.holds_arguments(self.i + 2):
                    return
                self.i += 1

    def sorts(self) -> None:
        """`x:ship` before `.`, `,`, `:` or a quantifier; `x in ship`."""
        kind = self.type(self.i)
        if kind in ("ELEMENT", "IN") and self.type(self.i + 1) == "NAME":
            self.put("SORT", self.tokens[self.i + 1])
            self.i += 2
        elif kind == "COLON" and self.type(self.i + 1) == "NAME":
            ends = {"DOT", "COMMA", "COLON", "NOT"} | QUANTIFIERS
            if self.type(self.i + 2) in ends:
                self.put("SORT", self.tokens[self.i + 1])
                self.i += 2

    def refuse_application(self, first: int, name: Token) -> None:
        """`exists x human(mother(x))`: a variable `human`, or an application?"""
        i = self.i + 1
        close = self.partner[i]
        one = self.type(i + 1) == "NAME" and self.type(i + 2) == "LPAR" and self.partner[i + 2] == close - 1
        if self.i == first or not one or VARIABLE_LIKE.match(name) or not _glued(name, self.tokens[i]):
            return
        if self.type(self.i - 1) == "COMMA":
            return
        head = f"{self.tokens[first - 1]} {', '.join(t for t in self.tokens[first : self.i] if t.type == 'NAME')}"
        applied = "".join(f"{t} " if t.type == "COMMA" else t for t in self.tokens[self.i : close + 1])
        raise FormulaError(
            f"'{name}' may be a variable of the quantifier, or applied to what follows.",
            span=span_of(name),
            hint=f"Write {head}. {applied} or {head}, {name} {applied[len(name) :]}.",
        )

    def body(self) -> None:
        """A bracket that follows at once is the body; else `.`, `:`, `,` or nothing opens one as long as possible."""
        if not self.out or self.out[-1].type not in ("VAR", "SORT"):
            return
        if self.is_prefix(self.i):
            self.put("TIGHT", self.tokens[self.i], "")
            return
        if self.type(self.i) == "LPAR":
            return
        if self.type(self.i) in ("DOT", "COLON", "COMMA"):
            self.put("BODY", self.tokens[self.i])
            self.i += 1
        elif self.i < len(self.tokens):
            self.put("BODY", self.tokens[self.i], "")

    def is_prefix(self, i: int) -> bool:
        """Whether a bracket with nothing but a quantifier and its variables starts at i: (forall x)(exists y)(f)."""
        if self.type(i) != "LPAR" or self.type(i + 1) not in QUANTIFIERS:
            return False
        i += 2
        while self.type(i) in ("NAME", "COMMA", "ELEMENT", "COMPARE", "NUMBER", "BANG"):
            i += 1
        return self.type(i) == "RPAR" and self.type(i + 1) != "$END"

    def measure(self, token: Token) -> None:
        """count x (f), count x in ship (f)"""
        self.out.append(token)
        self.i += 1
        self.variables()
        if self.type(self.i) in ("COLON", "DOT") and self.type(self.i + 1) == "LPAR":
            self.i += 1

    # --- sets ---------------------------------------------------------------------------------------------------------

    def brace_or_bar(self, token: Token) -> None:
        r"""`|{x : f}|` and `#{x : f}` are counts; `{` stands nowhere else; any other `|` is "or"."""
        following = self.type(self.i + 1)
        opens = following == "LBRACE" or (following == "LPAR" and self.tokens[self.i + 1] == "\\{")
        if token.type in ("BAR", "HASH") and opens and not self.after_operand():
            self.sets.append("|" if token.type == "BAR" else "#")
            self.put("SET_OPEN", token)
            self.i += 2
            self.set_head()
        elif token.type == "LBRACE" and not self.out:
            self.sets.append("")
            self.put("QUERY_OPEN", token)
            self.i += 1
            self.set_head()
        elif token.type in ("RBRACE", "RPAR") and self.sets and self.closes_set(token):
            bar = self.sets.pop() == "|"
            last = self.tokens[self.i + 1] if bar else token
            self.out.append(Token("SET_CLOSE", "}", token.start_pos, token.line, token.column, end_pos=last.end_pos))
            self.i += 2 if bar else 1
        else:
            self.put("OR" if token.type == "BAR" and self.after_operand() else token.type, token)
            self.i += 1

    def closes_set(self, token: Token) -> bool:
        return self.sets[-1] != "|" or self.type(self.i + 1) == "BAR"

    def set_head(self) -> None:
        """x, x in ship, then the first `:` or `|`, which is "such that"."""
        if self.type(self.i) != "NAME":
            return
        self.put("ITEM", self.tokens[self.i])
        self.i += 1
        if self.type(self.i) in ("ELEMENT", "IN") and self.type(self.i + 1) == "NAME":
            self.put("SORT", self.tokens[self.i + 1])
            self.i += 2
        if self.type(self.i) in ("COLON", "BAR"):
            self.put("SUCH_THAT", self.tokens[self.i])
            self.i += 1


def _partners(tokens: list[Token]) -> dict[int, int]:
    """For each bracket the index of the one it belongs to; FormulaError where there is none."""
    partner: dict[int, int] = {}
    stack: list[int] = []
    for i, token in enumerate(tokens):
        if token.type == "UNCLOSED":
            raise FormulaError("This text is never closed.", span=span_of(token), hint="Put a quote at its end.")
        if token.type in ("LPAR", "LBRACE"):
            stack.append(i)
        elif token.type in ("RPAR", "RBRACE"):
            if not stack:
                raise FormulaError(f"This '{token}' closes nothing.", span=span_of(token), hint="Take it away.")
            opener = tokens[stack[-1]]
            if CLOSERS.get(str(opener)) != token:
                raise FormulaError(
                    f"'{token}' closes '{opener}'.", span=span_of(token), expected=(CLOSERS.get(str(opener), ")"),)
                )
            partner[i] = stack.pop()
            partner[partner[i]] = i
        elif token.type == "STOP" and stack:
            break
    if stack:
        opener = tokens[stack[-1]]
        raise FormulaError(
            f"This '{opener}' is never closed.", span=span_of(opener), expected=(CLOSERS.get(str(opener), ")"),)
        )
    return partner
