"""The parser: words to trees, the most usual readings first.

`earley` keeps every reading of a text in one shared forest; `parse` walks it from the leaves up and keeps for every
part of the text its few cheapest trees. What a tree costs is the sum of small penalties, and these are the rules of
usage by which one reading is preferred to another:

1. Low attachment. A phrase belongs to the nearest noun before it: each word between noun and phrase costs.
   "ships near a harbor in the top left corner": the harbor is in the corner.
2. The nearest coordination. "and" joins the shortest part before it that can be joined.
3. Like with like. Parts that are joined look alike: a noun with a phrase behind it is joined with another such noun.
   "a ship near a harbor and a plane near a bridge" is two things; "a ship near a harbor and a bridge" is one.
4. "no" and "without" behind "and" speak of the picture: "a ship near a harbor and no bridge" has no bridge.
5. What is never said of a class is not said of it: "a house near water that is not flooded", the house is not.
6. A sentence is preferred to a fragment, a fragment of one part to one of several.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

from ...errors import LimitError, Span
from ..plurals import plural
from .earley import Grammar, Item, Overflow, Rule, Stuck, Symbol, grammar
from .lexicon import Word

MOST_WORDS = 400  # words and phrases of a text: a longer one is no query
MOST_TREES = 30_000  # trees that are made for a text: about a second
TOO_MANY = "The query can be read in too many ways to choose from."
SHORTER = "Say it in shorter sentences, with a full stop behind each."
KEPT = 6  # trees kept for every part of the text: enough that spurious twins do not hide a true reading


@dataclass(frozen=True, slots=True)
class Leaf:
    """A word in the role of one kind."""

    kind: str
    word: Word

    @property
    def value(self) -> Any:
        """What the word stands for as this kind."""
        return self.word.kinds[self.kind]

    @property
    def span(self) -> Span:
        """Where it stands in the text."""
        return self.word.span


@dataclass(frozen=True, slots=True)
class Node:
    """A rule of the grammar and its parts; `start` and `end` count words, `head` is where its head noun ends.

    nodes   the parts that are no words
    """

    kind: str
    parts: tuple[Tree, ...]
    start: int
    end: int
    head: int = field(default=0)
    nodes: tuple[Node, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple([part for part in self.parts if isinstance(part, Node)]))

    def leaf(self, *kinds: str) -> Leaf | None:
        """The first word directly below of one of these kinds."""
        for part in self.parts:
            if isinstance(part, Leaf) and part.kind in kinds:
                return part
        return None

    def value(self, kind: str) -> Any:
        """What the first word of this kind stands for."""
        found = self.leaf(kind)
        assert found is not None, (self.kind, kind)
        return found.value

    def has(self, *kinds: str) -> bool:
        """Whether a word of one of these kinds stands directly below."""
        return self.leaf(*kinds) is not None

    def leaves(self) -> Iterator[Leaf]:
        """Every word below, in order."""
        stack: list[Tree] = [self]
        while stack:
            top = stack.pop()
            if isinstance(top, Leaf):
                yield top
            else:
                stack.extend(reversed(top.parts))

    @property
    def span(self) -> Span:
        """Where it stands in the text."""
        spans = [leaf.span for leaf in self.leaves()]
        return (spans[0][0], spans[-1][1])


Tree: TypeAlias = Leaf | Node


class NoParse(Exception):
    """The words are no sentence; `at` is the word that no reading can go on with, len(words) at the end."""

    def __init__(self, at: int):
        super().__init__(at)
        self.at = at


def parse(words: list[Word]) -> list[tuple[int, Node]]:
    """The readings of the words, cheapest first: (cost, tree). raises NoParse, LimitError"""
    if len(words) > MOST_WORDS:
        raise LimitError(f"The query has {len(words)} words and phrases; at most {MOST_WORDS} are read.", hint=SHORTER)
    try:
        forest = rules().forest([frozenset(word.kinds) for word in words])
    except Stuck as error:
        raise NoParse(error.at) from None
    except Overflow:
        raise LimitError(TOO_MANY, hint=SHORTER) from None
    found: list[tuple[int, Node]] = []
    for cost, tree in _cheapest(forest, words):
        assert isinstance(tree, Node)
        found.append((cost, tree))
    return found


@lru_cache(maxsize=1)
def rules() -> Grammar:
    """The rules of english.lark."""
    return grammar((Path(__file__).parent / "english.lark").read_text(encoding="utf-8"), "start")


# --- the forest -------------------------------------------------------------------------------------------------------

_Sequence: TypeAlias = tuple[int, tuple[Tree, ...]]


def _cheapest(root: Symbol, words: list[Word]) -> list[tuple[int, Tree]]:
    """The cheapest trees of a forest, from the leaves up, without recursion."""
    done: dict[int, list[Any]] = {}  # the trees of a symbol, the sequences of an item, by identity
    leaves: dict[tuple[str, int], Leaf] = {}
    stack: list[tuple[Symbol | Item, bool]] = [(root, False)]
    begun: set[int] = set()
    trees_made = 0
    while stack:
        node, ready = stack.pop()
        if not ready:
            if id(node) not in begun:
                begun.add(id(node))
                stack.append((node, True))
                stack += [(part, False) for part in _below(node) if id(part) not in begun]
        elif isinstance(node, Item):
            done[id(node)] = _sequences(node, words, leaves, done)
        else:
            found: list[tuple[int, Tree]] = []
            for rule, item in node.made:
                found += [_tree(rule, cost, parts, node) for cost, parts in done.get(id(item), ())]
            trees_made += len(found)
            if trees_made > MOST_TREES:
                raise LimitError(TOO_MANY, hint=SHORTER)
            found.sort(key=_by_cost)
            done[id(node)] = found[:KEPT]
    trees: list[tuple[int, Tree]] = done[id(root)]
    return trees


def _below(node: Symbol | Item) -> list[Symbol | Item]:
    if isinstance(node, Symbol):
        return [item for _, item in node.made]
    return [part for way in node.ways for part in way if isinstance(part, Symbol | Item)]


def _by_cost(item: tuple[int, object]) -> int:
    return item[0]


def _sequences(
    item: Item, words: list[Word], leaves: dict[tuple[str, int], Leaf], done: dict[int, list[Any]]
) -> list[_Sequence]:
    found: list[_Sequence] = []
    for before, part in item.ways:
        lefts: list[_Sequence] = [(0, ())] if before is None else done.get(id(before), [])[:KEPT]
        if isinstance(part, Symbol):
            rights = done.get(id(part), [])
            found += [(a + b, (*parts, tree)) for a, parts in lefts for b, tree in rights]
        else:
            leaf = leaves.get(part)
            if leaf is None:
                leaf = leaves[part] = Leaf(part[0], words[part[1]])
            found += [(a, (*parts, leaf)) for a, parts in lefts]
    found.sort(key=_by_cost)
    return found


def _tree(rule: Rule, cost: int, parts: tuple[Tree, ...], symbol: Symbol) -> tuple[int, Tree]:
    trees: list[Tree] = []
    for part in parts:
        if isinstance(part, Node) and part.kind.startswith("__"):
            trees.extend(part.parts)  # a helper of * or +
        else:
            trees.append(part)
    if rule.transparent and len(trees) == 1:
        return cost, trees[0]
    head = 0
    if rule.name in _HEADED:
        head = trees[0].head if rule.name == "n_mod" and isinstance(trees[0], Node) else symbol.end
    tree = Node(rule.name, tuple(trees), symbol.start, symbol.end, head)
    return cost + _cost(tree), tree


# --- what a reading costs ---------------------------------------------------------------------------------------------

UNLIKE = 10  # more than any usual distance between the parts
FRAGMENT = 3
FRONTED = 2

_HEADED = ("noun", "noun_super", "noun_other", "noun_comp", "n_co", "n_mod")
_RELATING = ("p_rel", "p_closer", "p_apart", "p_within", "p_without", "vp_rel", "vp_not_rel")
_COMPARING = (
    "p_comp", "p_comp_not", "p_comp_q", "p_as", "p_as_than", "p_nearer", "p_as_near", "p_nearer_than", "p_as_near_as",
)  # fmt: skip
_OF_COUNTS = (
    "np_more", "np_more_where", "np_more_adjs", "np_more_by", "np_fewer", "np_as_many", "np_times_more",
    "np_same_number",
)  # fmt: skip
_SHARING = ("d_all", "d_not_all", "d_no", "d_any", "d_most", "d_share")  # "all ships and planes" are all of both


def _cost(tree: Node) -> int:
    nodes = tree.nodes
    match tree.kind:
        case "n_mod":
            where = nodes[1].kind.startswith("m_where") and tree.has("COMMA")  # rather said of the whole
            strange = _never_said(nodes[0], nodes[1]) or _disagree(_many(nodes[0]), nodes[1])
            bare = nodes[1].kind == "pm" and nodes[1].nodes[0].kind == "p_adj"  # "harbor large"
            alone = 0  # "and that is large" goes on behind another such phrase
            if tree.has("AND", "BUT"):
                before = nodes[0].nodes[1].kind if nodes[0].kind == "n_mod" else ""
                alone = 0 if before == nodes[1].kind else 3 if before else UNLIKE
            return nodes[1].start - nodes[0].head + UNLIKE * strange + 6 * where + 3 * bare + alone
        case "clause":
            return UNLIKE * _disagree(_many(nodes[0]), nodes[1])
        case "np_mod":  # "a bridge and three courts in a row": of several things of its own, the last alone
            return UNLIKE * (_many(nodes[0].nodes[-1]) is True)
        case "q_be":  # "is every ship in one harbor?": one thing after "is" has an article
            said = nodes[1].nodes[0] if nodes[1].kind == "p_is" else None
            return UNLIKE * (said is not None and said.kind == "np_bare" and _many(said) is False)
        case "vp_not":
            denied = [inner for inner in nodes if inner.kind in ("p_and", "p_or")]
            if any(part.kind == "p_not" for inner in denied for part in inner.nodes):
                return UNLIKE
            joined = nodes[0]  # "not large and near a harbor" is near one; "not large and flooded": either
            if joined.kind != "p_and" or joined.has("BOTH"):
                return 0
            return UNLIKE if joined.has("BUT") or len({part.kind for part in joined.nodes}) > 1 else 1
        case "np_rel":
            unclear = (_many(nodes[0].nodes[-1]) is not False) + (_spoken_of_many(nodes[1]) is not True)
            return nodes[0].end - nodes[0].start + UNLIKE * unclear
        case "things_where" | "np_count":
            return 1 if tree.kind == "things_where" else 5
        case "p_rels_it":
            return 3 + nodes[0].end - nodes[0].start
        case "p_seq":
            return 2 + nodes[0].end - nodes[0].start
        case "np_and" | "np_or":
            length = sum(node.end - node.start for node in nodes[:-1])
            unlike = sum(_modified(a) != _modified(b) and not _negative(b) for a, b in pairwise(nodes))
            shared = _of_all(nodes[0]) and nodes[-1].kind == "np_bare"
            same = any(leaf.kind == "SAME" for leaf in nodes[-1].leaves() if len(nodes[-1].parts) > 1) and unlike
            if nodes[0].kind == "np" and nodes[0].nodes[0].kind == "d_both":
                length += 2 * UNLIKE  # "both cars and trucks": some of each
            if tree.kind == "np_or":
                length += (UNLIKE + 2) * any(_negative(part) for node in nodes for part in _joined(node)[1:])
            return length + UNLIKE * unlike + 3 * shared + 2 * UNLIKE * bool(same)
        case "np_either":
            return (UNLIKE + 2) * any(_negative(part) for node in nodes for part in _joined(node)[1:])
        case "n_co":
            return 1 + sum(node.end - node.start for node in nodes[:-1]) + 2 * UNLIKE * _ends_before_and(tree)
        case "np":
            return 2 * UNLIKE * (nodes[0].kind in ("d_a", "d_no") and _number_changes(nodes[1]))
        case _ if tree.kind in _OF_COUNTS:
            second = nodes[-1]
            while second.kind == "n_mod":
                second = second.nodes[0]
            return 3 * UNLIKE * (second.kind == "n_co" and second is not nodes[-1])
        case "s_either" | "s_xor":
            return UNLIKE * any((a.kind == "fragment") != (b.kind == "fragment") for a, b in pairwise(nodes))
        case "s_and" | "s_or" | "p_and" | "p_or":
            fragments = all(_plain_fragment(node) for node in nodes)  # then the things are joined, not sentences
            length = sum(node.end - node.start for node in nodes[:-1])
            if tree.kind in ("p_and", "p_or"):
                return length + 1 + 8 * (len({node.kind in _COMPARING for node in nodes}) > 1)
            denies = tree.kind == "s_and" and nodes[0].kind == "s_not" and not tree.has("COMMA")  # it denies both
            unlinked = tree.kind == "s_and" and not tree.has("AND", "BUT", "THOUGH")
            return length + 1 + 3 * UNLIKE * fragments + 2 * unlinked + UNLIKE * denies
        case "m_except":
            return 3 * (nodes[0].kind == "p_is" and _modified(nodes[0].nodes[0]))
        case _ if tree.kind in _RELATING or tree.kind in _COMPARING:
            return _reaching_too_far(nodes[-1], tree.kind == "p_without") if nodes else 0
        case "np_with":
            return nodes[0].end - nodes[0].start + (-2 * UNLIKE if has_between_them(nodes[1]) else 4 * UNLIKE)
        case "np_shared":
            return UNLIKE + nodes[0].end - nodes[0].start
        case "f_it":
            return 2 * FRAGMENT
        case "it_has":
            return 1  # where "it" may be a thing that was spoken of, it is not the image
        case "fragment":
            return FRAGMENT
        case "m_where_there" | "m_where_clause":
            return 1  # "where a ship is near it" says itself how the two stand
        case "fronted" | "fronted_there":
            return FRONTED
        case "fronted_things" | "clause_noun" | "cover_share" | "cover_bare":
            return 2 * FRAGMENT
        case "place_bare" | "np_counted":
            return FRAGMENT
        case _:
            return 0


_SAYS = ("pm", "m_rel", "vp_be", "vp_not", "p_adj", "p_not", "p_and", "p_or")  # what passes on what an adjective says


def _never_said(noun: Node, modifier: Node) -> bool:
    """Whether a modifier says by an adjective what the vocabulary never says of the noun's class."""
    while noun.kind == "n_mod":
        noun = noun.nodes[0]
    leaf = noun.leaf("NOUN")
    if leaf is None:
        return False
    stack = [modifier]
    while stack:
        top = stack.pop()
        if top.kind not in _SAYS:
            continue
        if top.has("ADJ") and leaf.value.cls in top.value("ADJ").never:
            return True
        stack.extend(top.nodes)
    return False


def _modified(np: Node) -> bool:
    return any(node.kind == "n_mod" for node in (np, *np.nodes))


def _joined(np: Node) -> tuple[Node, ...]:
    if np.kind == "things":
        return _joined(np.nodes[0])
    return np.nodes if np.kind in ("np_and", "np_or") else (np,)


def _reaching_too_far(np: Node, left_out: bool) -> int:
    """What it costs that the object of a preposition takes in what is rather said of the picture.

    left_out   of "without": ships and planes, not ships and two planes
    """
    while np.kind in ("things", "np_rel", "np_mod", "np_shared", "np_both"):
        np = np.nodes[0]
    if np.kind == "np_counted":
        return 2 * UNLIKE
    first, *others = _joined(np)
    if any(_universal(other) for other in others) and not _universal(first):
        return 2 * UNLIKE + 2
    if others and (_ends_before_and(np) or np.has("BUT") or (left_out and any(_counted(other) for other in others))):
        return 2 * UNLIKE
    return 2 * UNLIKE * (any(_negative(other) for other in others) and not _negative(first))


def _counted(np: Node) -> bool:
    return np.kind == "np" and np.nodes[0].kind == "d_count"


def _ends_before_and(tree: Node) -> bool:
    """Whether a comma stands before "and", and nowhere else: it ends what stands before it."""
    ended = False
    for before, after in pairwise(tree.parts):
        if before.kind == "COMMA":
            if after.kind not in ("AND", "BUT", "OR"):
                return False
            ended = ended or after.kind != "OR"
    return ended


def _number_changes(nbar: Node) -> bool:
    """a plane and vehicles, no plane and bridges: of one determiner, one noun, then others"""
    while nbar.kind == "n_mod":
        nbar = nbar.nodes[0]
    numbers = {_many(noun) for noun in nbar.nodes} if nbar.kind == "n_co" else set()
    return {True, False} <= numbers


def _plain_fragment(node: Node) -> bool:
    return node.kind == "fragment" and node.nodes[0].kind in ("things", "np", "np_bare")


def _of_all(np: Node) -> bool:
    return np.kind == "np_only" or (np.kind == "np" and np.nodes[0].kind in _SHARING)


def _negative(np: Node) -> bool:
    return np.kind == "np_without" or any(node.kind == "d_no" for node in np.nodes)


def has_between_them(node: Node) -> bool:
    """with a helicopter between them"""
    return any(
        a.kind == "PREP" and a.value.name == "between" and b.kind == "PRON" for a, b in pairwise(node.leaves())
    )


def _universal(np: Node) -> bool:
    return np.kind in _OF_COUNTS or (np.kind == "np" and np.nodes[0].kind in ("d_all", "d_not_all", "d_most"))


# --- number: "ships near a harbor that are large", "a ship near harbors that is large" --------------------------------

VERBS = ("BE", "DO", "HAVE", "RELV", "LOCV", "CONTAINV", "LACK")
_ONE = {"is", "was", "has", "does"}
_MANY = {"are", "were", "have", "do", "cross", "pass"}
_EITHER = {"must", "should", "can", "will", "may", "could", "would", "shall", "might", "had", "did", "be", "being"}


def _many(node: Node) -> bool | None:
    """Whether a noun or noun phrase speaks of several things; None where its words do not show it."""
    match node.kind:
        case "np_and":
            return True
        case "np" | "np_bare" | "n_mod" | "things" | "np_only":
            return _many(node.nodes[-1] if node.kind == "np" else node.nodes[0])
        case "n_co":
            return True if node.has("AND") else None
        case "noun" | "noun_super" | "noun_other" | "noun_comp":
            leaf = node.leaf("NOUN")
            assert leaf is not None
            text = leaf.word.text.lower()
            return None if plural(text) == text else leaf.value.plural
        case _:
            return None


def _spoken_of_many(node: Node) -> bool | None:
    """Whether the verb that a phrase begins with is said of several things; None where its form does not show it."""
    leaf = next(node.leaves())
    if leaf.kind in ("REL", "BOTH", "EITHER"):
        leaf = next((other for other in node.leaves() if other.kind in VERBS), leaf)
    if leaf.kind not in VERBS:
        return None
    verb = leaf.word.text.lower().split()[0].removesuffix("n't").removesuffix("n’t")
    if verb in _ONE | _MANY:
        return verb in _MANY
    if verb in _EITHER or verb.endswith(("ing", "ed", "not")):
        return None
    return not verb.endswith("s")


def _disagree(many: bool | None, node: Node) -> bool:
    if many is None or not node.kind.startswith(("m_rel", "p_and", "p_or", "vp", "p_with")):
        return False
    said = _spoken_of_many(node)
    return said is not None and said != many
