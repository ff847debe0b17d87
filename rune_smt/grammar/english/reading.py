"""English to formula: `read_english`, one reading or a refusal that says why.

What picks among readings is stated: scope follows the order of the words; where a phrase may belong, or what "and" may
join, `readings` has the rules. Two readings that cost the same and differ in meaning are refused, both shown.
Further conventions, beside those of LANGUAGE, section 8:

- "with" and "has" mean `contains` where nothing else relates the two: "a harbor with ships". "a harbor with a ship near
  it" says how itself. "images with" is a frame.
- "it", "they" stand for the innermost thing spoken of that is not the subject; as the subject of a later sentence for
  the first thing of the one before. "ones" repeats the noun before it. What is named without "no", "all" or a number
  around it can be named again: "a ship near a harbor, and the harbor is large" speaks of one harbor.
- "another ship", "the other ships" behind "two ships": none of these two. "two ships, one large and the other small",
  "four planes, two near a bridge and the rest in the center" are different ones, and as many as there are.
- "all three ships", "both ships", "the only ship": there are so many and no more, and it is said of all of them.
- "the ship is ..." is "a ship is ..."; "the ships are ..." is "all ships are ...". Inside a phrase of several things
  "the harbor", "the same harbor" and "one harbor" are one for all of them; "every ship" and "each" have one each.
- "all ships near a harbor" without a verb: they are near one. "show me all ships near a harbor": there is one.
- "three ships, all of which are large" is three large ships; "exactly three ships, all of which are large" says so of
  every ship. "there are three ships and all of them are large" speaks of every ship, too.
- "without ships and planes" has neither; "does not contain both ships and planes" has not both.
- "all ships and planes" are all of both; "three ships and planes" are three ships, and planes.
- "for every ship, ..." and "all ships, if any, ..." are the plain `forall`, which asks for no ship.
- "far from any harbor" is far from each; where there is none, too.
- "all but two ships are ...": exactly two are not. "only ships are ..." is the plain `forall`: what is so is
  a ship; "images with only ships", "a harbor with only ships in it": there is one, too.
- "two cars on every bridge", "on every bridge there are two cars": each bridge has two. Else scope is the words' order.
- "the two largest ships" are two than which at most one is larger; "the second largest" than which exactly one is.
- "more ships than planes and helicopters together" adds up; without "together" it is two comparisons. What stands
  behind the second of two things that are compared is said of both: "more cars than trucks on the bridge" are on it.
- "a harbor in which every ship is small": every ship in it. "near a bridge there are two ships": one bridge for both.
- "outside the harbor" is in no harbor; where something goes on to speak of it, there is one that it is not in.
- "larger than the planes" is larger than all planes. "are the same length": equal, to the last digit.
- A verb belongs to a noun of its number: "ships near a harbor that are large" are large, "... that is large" it is.
- A comma before the only "and" ends what stands before it: "a ship near a harbor, and a bridge" has a bridge somewhere.
- Without verbs: "planes top left", "ships near a bridge, at least 3", "all bridges passable", "water under 20 % of
  image".
- "to the left" of nothing that was named is the left of the image. Whatever else leaves something unsaid is refused.
- "a pool and a court next to it" behind "with": both are next to it.
- The largest, the leftmost: of its class, with the adjectives before the noun and without the phrases behind it.
- "and" mixed with "or" and neither comma, bracket nor "either": two readings, refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

from ...errors import LimitError, QueryError, Span
from ..dimensions import check
from ..nodes import And, Apply, Formula, Or, Truth, walk
from ..vocabulary import Vocabulary, unknown_word_error
from ..words import RELATIONS
from .context import place_existence
from .lexicon import LONGEST_WORD_LIST, Lexicon, Noun, Word, lexicon
from .meaning import NoMeaning
from .readings import VERBS, Leaf, Node, NoParse, parse
from .sameness import same_meaning
from .sentences import Composer

MOST_LEFT_OUT = 8  # words or phrases; what leaves out more has not been understood
AROUND = 2  # words before the one that cannot be read which may have been read as a phrase wrongly
KEEP = {  # kinds of words that are never left out with an unknown one: what counts, denies, compares or is spoken of
    "NOUN", "NO", "NOT", "WITHOUT", "NUM", "MANY", "SEVERAL", "FEW", "ALL", "MOST", "LACK", "FREEOF", "NEITHER", "ADJ",
    "ROWOF", "EITHER", "IF", "IFF", "UNLESS", "ONLY", "ONLYIF", "EXACTLY", "ATLEAST", "ATMOST", "MORETHAN", "FEWER",
    "MORE", "LESSER", "COMP", "SUPER", "THAN", "NOTALL", "NONE", "OTHER", "ANOTHER", "HEDGE", "EXCEPT", "OTHERTHAN",
}  # fmt: skip
SKELETON = {"THERE", "BE", "HAVE", "DO", "AND", "OR", "BUT", "PRON", "EACHOTHER", "RELV", "PREP"}  # nor by themselves


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text was read as, and the words that were left out because nothing knows them."""

    formula: Formula
    left_out: tuple[str, ...] = ()


def read_english(text: str, vocabulary: Vocabulary, *, lenient: bool = False) -> Reading:
    """The formula that an English query means.

    lenient   leave out modifiers and place phrases that are not understood, and list them
    raises    QueryError with the place of what is not understood, the nearest words known, or the readings of an
              ambiguous text; LimitError for a text too long or too deep
    """
    if not any(char.isalnum() for char in text):
        raise QueryError("The query is empty.", hint='Say what to look for, such as "two ships near a harbor".')
    known = lexicon(vocabulary)
    words = known.words(text)
    left_out: tuple[str, ...] = ()
    unknown = [word for word in words if "UNKNOWN" in word.kinds]
    if unknown and looks_like_formula(text):
        raise QueryError("This is a formula: add --fol.", text=text)
    if unknown and not lenient:
        raise unknown_word_error(unknown[0].text, vocabulary, text, unknown[0].span)
    try:
        if lenient:
            formula, left_out = _lenient(text, words, known)
        else:
            formula = _meaning(text, words, known)
    except _Several as several:
        raise _ambiguous(text, several.formulas, vocabulary) from None
    except QueryError:
        if looks_like_formula(text):
            raise QueryError("This is a formula: add --fol.", text=text) from None
        raise
    except RecursionError:
        raise LimitError("The query nests too deep to be read.") from None
    return Reading(check(formula, vocabulary, text), left_out)


def reads_as(text: str, formula: Formula, vocabulary: Vocabulary) -> bool:
    """Whether the text is read in one way, and that is seen to mean this."""
    known = lexicon(vocabulary)
    words = known.words(text)
    if any("UNKNOWN" in word.kinds for word in words):
        return False
    try:
        return same_meaning(check(_meaning(text, words, known), vocabulary, text), formula)
    except (_Several, QueryError, LimitError, RecursionError):
        return False


class _Several(Exception):
    """The readings of a text that has more than one."""

    def __init__(self, formulas: list[Formula]):
        super().__init__(len(formulas))
        self.formulas = formulas


def looks_like_formula(text: str) -> bool:
    """Whether the text is a whole formula of some dialect, and so not meant as English."""
    from ..reader import read

    try:
        read(text, open_vocabulary=True)
    except (QueryError, LimitError):
        return False
    return "(" in text


def _meaning(text: str, words: list[Word], known: Lexicon) -> Formula:
    """The formula of the cheapest tree that means something. raises QueryError, _Several"""
    try:
        trees = _trees(words, known)
    except NoParse as error:
        raise _refusal(text, words, error) from None
    best: list[tuple[Formula, Node]] = []
    trouble: NoMeaning | None = None
    for alone in (False, True):
        cheapest: int | None = None
        for cost, tree in trees:
            if cheapest is not None and cost > cheapest:
                break
            try:
                formula = compose(tree, known.vocabulary, alone)
            except NoMeaning as error:
                trouble = trouble or error
                continue
            cheapest = cost
            if not any(_same(formula, other) for other, _ in best):
                best.append((formula, tree))
        if best:
            break
    if not best:
        assert trouble is not None
        raise QueryError(trouble.message, text=text, span=(0, len(text.rstrip())), hint=trouble.hint)
    if _mixed(best[0][1]):
        best += _others(trees, best[0][0], known.vocabulary)
    if len(best) > 1:
        raise _Several([formula for formula, _ in best])
    return best[0][0]


def _trees(words: list[Word], known: Lexicon) -> list[tuple[int, Node]]:
    """The readings of the words; where they are none, phrases at the place of trouble are taken apart. raises NoParse

    "a car within 20 m of it": "of it" is a phrase ("10 % of it"), but two words here.
    """
    try:
        return parse(words)
    except NoParse as error:
        for at in range(min(error.at, len(words) - 1), max(-1, error.at - AROUND - 1), -1):
            for parts in known.splits(words[at]):
                if any("UNKNOWN" in part.kinds for part in parts):
                    continue
                try:
                    return parse([*words[:at], *parts, *words[at + 1 :]])
                except NoParse:
                    continue
        raise


def compose(tree: Node, vocabulary: Vocabulary, alone: bool = False) -> Formula:
    """The formula of one tree; `alone`: "another", "nearby" may stand for nothing before them. raises NoMeaning"""
    composer = Composer(vocabulary, _ones(tree))
    composer.no_antecedents = alone
    composer.speaks_of_image = any(leaf.kind == "IMAGE" for leaf in tree.leaves())
    formula = composer.formula(tree)
    if alone and any(isinstance(node, Or) and _says_nothing(node) for node in walk(formula)):
        raise NoMeaning("One of the choices says nothing: near what?")
    said_so = any(leaf.kind in ("LETTER", "SELF") for leaf in tree.leaves())
    if not said_so and any(isinstance(node, Apply) and _with_itself(node) for node in walk(formula)):
        raise NoMeaning("This speaks of a thing and itself.")
    lost = _lost(tree, formula, alone)
    if lost is not None:
        raise NoMeaning(f"'{lost.word.text}' says nothing here.")
    return place_existence(formula, composer.importing)


def _lost(tree: Node, formula: Formula, alone: bool) -> Leaf | None:
    """A word for a class, an attribute or a relation that the formula has nothing of: then it is no reading of it.

    alone   "there are ships around": around nothing that was named
    """
    left = Counter(node.name for node in walk(formula) if isinstance(node, Apply))
    elsewhere = {"near", "far"} if left["distance"] else set()  # as close to a ship as to a plane
    elsewhere |= {"touches", "overlaps"} if left["at_border"] else set()  # that touches the edge of the image
    for leaf in tree.leaves():
        if leaf.kind == "NOUN":
            if leaf.value.cls is not None and not left[leaf.value.cls]:
                return leaf
        elif leaf.kind in ("ADJ", "VERB", "PREP", "RELV", "RECIPROCAL") or (leaf.kind == "ADV" and not alone):
            name = leaf.value.name
            left[name] -= 1
            image = leaf.kind == "ADV" and name == "inside"  # "images with a plane in it"
            if left[name] < 0 and name not in elsewhere and not image:
                return leaf
    return None


def _with_itself(atom: Apply) -> bool:
    return atom.name in RELATIONS and len(set(atom.args)) < len(atom.args)


def _says_nothing(choice: Or) -> bool:
    return any(isinstance(part, Truth) for part in choice.parts)


AND_LIKE = ("s_and", "p_and", "np_and", "n_co")
CARRIERS = ("things", "np_bare", "fragment", "pm")
OR_LIKE = ("s_or", "p_or", "np_or", "n_co")


def _mixed(tree: Node) -> bool:
    """Whether "and" and "or" stand side by side with neither comma, bracket nor "either"."""
    stack = [tree]
    while stack:
        node = stack.pop()
        stack.extend(node.nodes)
        if node.kind not in (*AND_LIKE, *OR_LIKE) or node.has("COMMA"):
            continue
        word = "OR" if node.has("OR") else "AND" if node.has("AND") else None
        below = [inner for part in node.nodes for inner in _chain(part)]
        other = {"OR": "AND", "AND": "OR"}.get(word or "")
        joined = [part for part in below if part.kind in (*AND_LIKE, *OR_LIKE) and not part.has("COMMA")]
        if any(part.has(other or "") for part in joined):
            return True
    return False


def _chain(node: Node) -> list[Node]:
    """The node, and the one that it does nothing but hold."""
    found = [node]
    while node.nodes and (node.kind == "n_mod" or (node.kind in CARRIERS and len(node.parts) == 1)):
        node = node.nodes[0]
        found.append(node)
    return found


def _others(trees: list[tuple[int, Node]], first: Formula, vocabulary: Vocabulary) -> list[tuple[Formula, Node]]:
    """The other reading of a mixture of "and" and "or": one that groups them the other way."""
    for _, tree in trees:
        if not _mixed(tree):
            continue
        try:
            formula = compose(tree, vocabulary)
        except NoMeaning:
            continue
        if not _same(formula, first):
            return [(formula, tree)]
    return []


def _ones(tree: Node) -> dict[Span, str]:
    """What each "ones" and "none" repeats: the class named last before it; for "none" that begins a sentence behind
    "and" the class that the one before it speaks of first.
    """
    found: dict[Span, str] = {}
    last: str | None = None
    topic: str | None = None
    for leaf in tree.leaves():
        if leaf.kind == "NOUN":
            noun: Noun = leaf.value
            if noun.cls is not None:
                last = noun.cls
                topic = topic or last
            elif noun.ones and last is not None:
                found[leaf.span] = last
        elif leaf.kind == "NONE" and last is not None:
            found[leaf.span] = last
        elif leaf.kind == "THOSE" and topic is not None:
            found[leaf.span] = topic  # "the ships in the harbor are larger than those near the bridge"
    stack = [tree]
    while stack:
        node = stack.pop()
        stack.extend(node.nodes)
        for before, part in pairwise(node.nodes) if node.kind == "s_and" else ():
            first = next(part.leaves())
            named = [leaf.value.cls for leaf in before.leaves() if leaf.kind == "NOUN" and leaf.value.cls]
            if first.kind == "NONE" and named:
                found[first.span] = named[0]
            for leaf in part.leaves():
                if leaf.kind in VERBS:
                    break
                if leaf.kind == "NOUN" and leaf.value.ones and named:
                    found[leaf.span] = named[0]
            for inner in _all_nodes(part):
                if inner.kind == "np_count" and named:
                    found[inner.span] = named[0] if inner.start == part.start else named[min(1, len(named) - 1)]
    return found


def _all_nodes(node: Node) -> Iterator[Node]:
    stack = [node]
    while stack:
        top = stack.pop()
        stack.extend(top.nodes)
        yield top


def _same(first: Formula, second: Formula) -> bool:
    return same_meaning(first, second)


def _refusal(text: str, words: list[Word], error: NoParse) -> QueryError:
    at = error.at
    before = words[min(at, len(words)) - 1].kinds if at else {}
    hint = next((way for kinds, way in WAYS_OUT if not kinds.isdisjoint(before)), None)
    if at >= len(words):
        end = words[-1].span[1]
        if hint is None and not {"PREP", "PLACEPREP", "WITHIN"}.isdisjoint(words[0].kinds):
            hint = "Say what to look for there, such as 'ships near a harbor'."
        stop = "The sentence stops before it is complete."
        return QueryError(stop, text=text, span=(end, end + 1), hint=hint or UNFINISHED)
    word = words[at]
    if "HEDGE" in word.kinds:
        hint = "Say how many: 'at most two', 'most', 'at least 80 %'."
    return QueryError(
        f"'{word.text}' cannot be read here.", text=text, span=word.span,
        hint=hint or "Say it another way, or give the formula with --fol.",
    )  # fmt: skip


UNFINISHED = "Finish it, or give the formula with --fol."
WAYS_OUT = (  # kinds of the word before the trouble, and what is usually missing behind it
    ({"COMP", "MORE", "LESSER"}, "Say than what, such as 'larger than a plane', 'more ships than planes'."),
    ({"SUPER"}, "Say the largest of which things, such as 'the largest ship'."),
    ({"UNIT"}, "Say how the distance or size is meant, such as 'within 50 m of a harbor' or '50 m long'."),
    ({"AND", "OR", "BUT", "NOT", "NO"}, "Say what comes behind it, such as 'a ship and no plane'."),
    ({"PREP"}, "Say of what, such as 'near a harbor'."),
)


def _ambiguous(text: str, formulas: Iterable[Formula], vocabulary: Vocabulary) -> QueryError:
    from ..verbalise import verbalise

    readings = "\n".join(f"  {number}. {verbalise(f, vocabulary)}" for number, f in enumerate(formulas, 1))
    return QueryError(
        f"This can be read in more than one way:\n{readings}",
        hint="Say which, with a comma, brackets or 'either'.",
    )


# --- leaving out ------------------------------------------------------------------------------------------------------


def _lenient(text: str, words: list[Word], known: Lexicon) -> tuple[Formula, tuple[str, ...]]:
    """The reading without what is not understood, the least that will do.

    An unknown word is left out alone if the rest can be read ("blue"), else with the words around it that make a phrase
    of it ("near the beach"). Nothing that denies or counts is left out, and no class.
    """
    gone: set[int] = set()
    for _ in range(MOST_LEFT_OUT):
        kept = [i for i, word in enumerate(words) if i not in gone]
        bad = next((i for i in kept if "UNKNOWN" in words[i].kinds), None)
        if bad is None:
            try:
                formula, left_out = _meaning(text, [words[i] for i in kept], known), _phrases(text, words, gone)
                if left_out and _impossible(formula, known.vocabulary):
                    raise unknown_word_error(left_out[0], known.vocabulary, text, words[min(gone)].span)
                return formula, left_out
            except QueryError as error:
                bad = _stuck(words, kept)
                if bad is None:
                    raise error from None
        stretch = _window(words, gone, bad, known.vocabulary)
        if not stretch:
            raise unknown_word_error(words[bad].text, known.vocabulary, text, words[bad].span)
        gone |= stretch
    raise QueryError("Too much of the query is not understood.", text=text, span=(0, len(text.rstrip())))


def _impossible(formula: Formula, vocabulary: Vocabulary) -> bool:
    """Whether it says of one thing that it is of two classes of which nothing is: then too much was left out."""
    for node in walk(formula):
        if isinstance(node, And):
            said = [part for part in node.parts if isinstance(part, Apply) and part.name in vocabulary.classes]
            for first, second in combinations(said, 2):
                related = vocabulary.is_a(first.name, second.name) or vocabulary.is_a(second.name, first.name)
                if first.args == second.args and (not related or first.name == second.name):
                    return True
    return False


def _stuck(words: list[Word], kept: list[int]) -> int | None:
    """The word at which reading stops, if it may be left out."""
    try:
        parse([words[i] for i in kept])
    except NoParse as error:
        if error.at < len(kept) and (KEEP | SKELETON).isdisjoint(words[kept[error.at]].kinds):
            return kept[error.at]
    return None


def _window(words: list[Word], gone: set[int], bad: int, vocabulary: Vocabulary) -> set[int]:
    """The least stretch of words around an unknown one without which the text can be read, or read furthest.

    Empty where the word is no modifier and ends no place phrase: then it is what the text is about.
    """
    others = {i for i, word in enumerate(words) if "UNKNOWN" in word.kinds and i != bad}
    first = bad
    while bad + 1 < len(words) and "UNKNOWN" in words[bad].kinds and "UNKNOWN" in words[bad + 1].kinds:
        bad += 1  # several unknown words side by side are one
    others -= set(range(first, bad + 1))
    best: tuple[int, int, set[int]] | None = None
    for start in range(first, max(-1, first - 6), -1):
        stretch = set(range(start, bad + 1)) - gone
        if not _may_go(words, start, first, bad, gone):
            continue
        rest = [word for i, word in enumerate(words) if i not in stretch | gone | others]
        rank = (-_reach(rest, vocabulary), len(stretch))
        if rest and (best is None or rank < best[:2]):
            best = (*rank, stretch)
    return best[2] if best else set()


def _may_go(words: list[Word], start: int, first: int, last: int, gone: set[int]) -> bool:
    """Whether a stretch that ends with unknown words, first to last, is a modifier ("blue") or a place phrase."""
    preceding = words[start - 1].kinds if start else {}
    if start < first:
        opening = words[start].kinds
        opens = bool({"PREP", "PLACEPREP", "BE", "REL", "WITH", "INIMG", "LOC"} & set(opening))
        about = "BE" in opening and not {"NOUN", "ONES", "REL"} & set(preceding)  # "there are green trees"
        return opens and not about and all(KEEP.isdisjoint(word.kinds) for word in words[start:first])
    following = next((word.kinds for i, word in enumerate(words) if i > last and i not in gone), {})
    return bool({"NOUN", "ADJ"} & set(following)) or bool({"BE", "NOUN", "REL"} & set(preceding))


def _reach(words: list[Word], vocabulary: Vocabulary) -> int:
    """How far the words can be read: how many of them, and beyond all numbers where they are complete."""
    if not words:
        return 0
    try:
        trees = parse(words)
        compose(trees[0][1], vocabulary, alone=True)
    except NoParse as error:
        return error.at
    except NoMeaning:
        return len(words) - 1
    return LONGEST_WORD_LIST


def _phrases(text: str, words: list[Word], gone: set[int]) -> tuple[str, ...]:
    """What was left out, as the text has it; words side by side are one phrase."""
    spans: list[Span] = []
    for i in sorted(gone):
        start, end = words[i].span
        if i - 1 in gone:
            start = spans.pop()[0]
        spans.append((start, end))
    return tuple(text[start:end] for start, end in spans)
