"""The words of English that every vocabulary shares: what kind of word each phrase is, and what it stands for.

Nothing here names a class or an attribute; those come from the vocabulary, relations and functions from `words`.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

# kind -> phrases, separated by |, that stand for nothing more than their kind
PLAIN: dict[str, str] = {
    "AND": "and|as well as|and also|along with|together with|plus also",
    "OR": "or|and/or|or else",
    "NOR": "nor|or",
    "BUT": "but|yet|but also",
    "THOUGH": "although|though|even though|while|whereas",
    "BUTWITH": "but with|but has|but have|but contains|but contain|but shows|but show|but does contain|but do contain",
    "BUTNOTBOTH": "but not both|not both|and not both|but not both of them",
    "EITHER": "either",
    "NEITHER": "neither",
    "BOTH": "both",
    "NOT": "not|never",
    "IF": "if|whenever|when|provided that|provided",
    "THEN": "then",
    "ONLYIF": "only if|only when",
    "IFF": "if and only if|exactly if|exactly when|just in case",
    "UNLESS": "unless",
    "FORALL": "for every|for each|for all|for any",
    "NOTTRUE": "it is not true that|it is not the case that|it is false that",
    "ISTRUE": "it is true that|it is the case that|is it true that|is it the case that",
    "TRUE": "it is always true",
    "FALSE": "it is never true",
    "THERE": "there",
    "BE": (
        "is|are|am|be|was|were|being|has been|have been|must be|should be|can be|will be|may be|could be|would be|"
        "shall be|is being|are being"
    ),
    "DO": "do|does|did|must|should|shall|may|might|can|could|will|would|has to|have to|needs to",
    "HAVE": "has|have|had|having",
    "ABSENT": "absent|missing|lacking|nowhere to be seen",
    "OUTNUMBER": "outnumber|outnumbers|are more numerous than",
    "NONE": "none|none of them|not one of them",
    "FILLER": (
        "on all sides|on every side|too|also|please|as well|in total|altogether|really|of course|respectively|indeed|"
        "at all|maybe|perhaps"
    ),
    "LACK": "lacks|lack|lacking|misses",
    "FREEOF": "free of|free from|devoid of|clear of|empty of",
    "CONTAINV": (
        "contains|contain|containing|shows|show|showing|features|feature|featuring|includes|include|including|"
        "depicts|depict|depicting|displays|display|displaying|captures|capture"
    ),
    "SHOW": (
        "show|show me|show us|show me all|find|find me|find all|give me|give me all|get|get me|search for|"
        "look for|looking for|i am looking for|i'm looking for|list|list all|i want|i want to see|"
        "i would like to see|i'd like to see|i need|we need|retrieve|return|display|select|search|pick|pick out|"
        "locate|fetch|find me all|retrieve all|return all|show all|please show|please show me|please find|"
        "please find me|please give me|can you find|can you show me|could you find|could you show me|"
        "i'd like to find|i would like to find|i want to find|i'd like|i would like|help me find|can you get me|"
        "could you give me|could you please find|could you please show me|can you please show me|can you please find|"
        "can you give me|please list|please give me all|please find all|please show me all|i would like to have|"
        "i'm searching for|looking for all|let me see|bring up"
    ),
    "YOU": "i|we|you|anybody|anyone",
    "ME": "me|us",
    "SHOWV": (
        "show|find|see|give|get|provide|list|retrieve|display|identify|spot|detect|locate|search for|look for|want|"
        "need|require|fetch|bring|return|recommend|offer|pick|select|point out"
    ),
    "SEEKING": (
        "searching for|looking for|seeking|interested in|hunting for|in need of|trying to find|trying to locate|after|"
        "looking at|viewing|in search of"
    ),
    "LIKE": "would like|want|wish|would love|would want|like|need|would prefer|hope",
    "KNOWV": "know|tell|check|find out|see|determine|verify|wonder|say|ask|make sure|confirm|check for me",
    "WHETHER": "whether|if|that",
    "SEE": (
        "we can see|you can see|one can see|i can see|i see|we see|you see|here are|here is|this is|these are|"
        "here we can see|here you can see|here one can see|here lies|here lie|here stands|here stand|"
        "can you see|can we see|do you see|do we see|here we see|here you can see|we have|it shows"
    ),
    "WHICH": "which|what|which of the",
    "WHERE": "where|in which|on which|in that",
    "SUCHTHAT": "such that|so that|with the property that",
    "REL": "that|which|who",
    "WITH": "with|together with",
    "BETWEEN": "between",
    "WHOSE": "whose",
    "WITHOUT": "without|without having|excluding",
    "OF": "of",
    "TO": "to",
    "FROM": "from|away from|distant from|apart from",
    "THAN": "than",
    "AS": "as",
    "THE": "the|this|that|these|those",
    "AWAY": "away|apart|distant|off|far away|far",
    "A": "a|an",
    "SOME": "some|at least some",
    "ANY": "any|any of|any single",
    "NO": "no|not any|not a single|not one|none of|no single|not even one|none of the|no any",
    "ALL": "all|every|each|all of|each of|every one of|each one of|every single|all the|all of the|each and every",
    "NOTALL": "not all|not every|not each|not all of|not all the|not all of the|not every one of",
    "MOST": "most|the majority|a majority",
    "MOSTOF": "the most|the largest number of|the highest number of|the greatest number of",
    "LEASTOF": "the fewest|the smallest number of|the lowest number of",
    "SAME": "the same|same|one and the same|a common|the very same|a single|one common",
    "SEVERAL": "several|a number of|a group of|several of|multiple",
    "FEW": "a few|some few|a handful of|quite a few|a few of",
    "HEDGE": "few|very few|hardly any|almost|nearly|barely|hardly|rarely|seldom|scarcely any",
    "MANY": (
        "many|lots of|a lot of|plenty of|numerous|a large number of|a great number of|large numbers of|many of|"
        "a great many|a great deal of|very many|a lots of|a good many|tons of|loads of"
    ),
    "ATLEAST": (
        "at least|no fewer than|no less than|not fewer than|not less than|a minimum of|minimum|a minimum|"
        "at the least|at minimum|≥|>="
    ),
    "MORETHAN": "more than|over|above|greater than|in excess of|upwards of|exceeding|>|higher than|beyond|"
        "worse than|more severe than",
    "ATMOST": (
        "no farther than|no further than|not farther than|not further than|at most|up to|no more than|"
        "not more than|a maximum of|maximum|a maximum|at the most|at maximum|≤|<=|no greater than|not exceeding"
    ),
    "FEWER": "fewer than|less than|under|below|<|lower than|better than|less severe than|milder than",
    "EXACTLY": "exactly|only|just|precisely|equal to|equals|exactly equal to|the same as",
    "DIFFERENTFROM": "different from|not equal to|other than|unequal to",
    "IFANY": "if any|if anything|if there are any|if there is any|if there is one|if they exist|if present",
    "ORMORE": "or larger|or bigger|or more|or worse|or greater|or longer|or wider|or higher",
    "ORFEWER": "or smaller|or narrower|or fewer|or less|or better|or shorter",
    "MORE": "more",
    "LESSER": "fewer|less",
    "AREA": "area|ground|space|surface",
    "OTHERTHAN": "other than|except|except for|apart from|excluding",
    "EXCEPT": "but|except|except for|save|apart from|bar",
    "ONLY": "only|nothing but|solely|exclusively",
    "SUM": "together|combined|put together|taken together|in sum|added together",
    "THOSE": "those",
    "OTHER": "other|different|distinct|separate|further|additional",
    "ANOTHER": "another|a different|another one|a second|some other|one another one|yet another",
    "SELF": "itself|themselves",
    "POSS": "its|their",
    "THINGWORD": "thing|object|entity|item",
    "CLOSER": "closer|nearer|less far",
    "FARTHER": "farther|further|more distant|further away|farther away|more far",
    "WITHIN": "within|within a distance of|within a radius of|inside a radius of|at a distance within",
    "EACHOTHER": "each other|one another",
    "APART": "apart|from each other|from one another",
    "PART": (
        "corner|side|part|third|area|region|half|portion|edge|hand side|section|zone|hand part|most part|"
        "hand corner|quarter|quadrant"
    ),
    "CORNER": "corner|corners",
    "ELSEWHERE": "elsewhere|anywhere else|somewhere else",
    "OUTOF": "out of|out of every|in every",
    "EQUALLY": "equally|just as",
    "EQUAL": "equal|identical",
    "REST": "the other|the others|the rest|the remaining ones|the remaining",
    "EDGE": "edge|border|side|margin|end",
    "ATBORDER": (
        "at the border|on the border|at the edge|on the edge|at an edge|at the image border|at the image edge|"
        "along the border|along the edge|at the margin|touching the border|touching the edge|cut by the border|"
        "at the boundary|cut off by the edge"
    ),
    "SAMECLASS": (
        "of the same class|of the same kind|of the same type|of the same category|of one kind|of one class|"
        "the same kind|the same class"
    ),
    "SAMEAS": "the same as|identical to|identical with|the same thing as|the same entity as",
    "STAR": "times|multiplied by|*",
    "PLUS": "plus|+",
    "MINUS": "minus|-|–",
    "SLASH": "divided by|/",
    "NUMBEROF": "number of|count of|total number of|amount of",
    "AREACOVEREDBY": (
        "area covered by|total area of|combined area of|covered area of|area taken up by|area occupied by"
    ),
    "COVEREDBY": (
        "covered by|covered with|taken up by|occupied by|made up of|filled with|filled by|covered in|taken by|"
        "made of"
    ),
    "COVERV": (
        "cover|covers|take up|takes up|occupy|occupies|make up|makes up|fill|fills|covering|account for|accounts for"
    ),
    "ASMANY": "as many",
    "SAMENUMBEROF": (
        "the same number of|an equal number of|equal numbers of|equally many|as many|the same amount of|"
        "the same count of"
    ),
    "AT": "at a distance of|a distance of|at distance",
    "LOC": (
        "located|situated|positioned|lying|placed|standing|found|sitting|seen|lined|visible|present|somewhere|"
        "arranged|here|shown|pictured|depicted|displayed|captured|to be seen|in sight|in view|"
        "spread|scattered"
    ),
    "BY": "by",
    "JUST": "right|directly|still",
    "LOCV": "lie|lies|stand|stands|sit|sits|lay|stay|stays|can be seen|can be found|appear|appears|go|run|runs",
    "PLACEPREP": "on|in|at|to|towards|toward|near|along|inside|within|close to|by",
    "HOLDSOF": "holds of|holds for|is true of",
    "SAMENUM": "same number|the same number|equal number|equal numbers|in equal numbers|equally many|equal in number",
    "COMMA": ",|:",
    "DOT": ".|?|!|;",
    "LPAR": "(",
    "RPAR": ")",
}

# kind -> word -> phrases
VALUED: dict[str, dict[object, str]] = {
    "PRON": {False: "it", True: "them|they"},
    "SIDE": {
        "left": "left|left hand|leftmost|left most",
        "right": "right|right hand|rightmost|right most",
        "top": "top|upper|uppermost",
        "bottom": "bottom|lower|lowermost|lowest",
        "center": "center|centre|middle|central|very center|very middle",
    },
    "PLACEOF": {
        "left": (
            "on the left of|left of|to the left of|on the left side of|at the left of|in the left part of|"
            "at the left side of|to the left side of|in the left of|on the left hand side of"
        ),
        "right": (
            "on the right of|right of|to the right of|on the right side of|at the right of|in the right part of|"
            "at the right side of|to the right side of|in the right of|on the right hand side of"
        ),
        "top": "at the top of|on top of|on the top of|in the top of",
        "bottom": "at the bottom of|on the bottom of|in the bottom of",
        "center": "in the middle of|in the center of|in the centre of|at the center of|at the centre of",
        "border": "at the edge of|on the edge of|at the border of|along the edge of|at an edge of|on the border of",
    },
    "SUPER": {
        "larger": "largest|biggest|greatest",
        "smaller": "smallest|tiniest|littlest",
        "left_of": "leftmost|left most|furthest left|farthest left",
        "right_of": "rightmost|right most|furthest right|farthest right",
        "above": "topmost|uppermost|top most|highest|upmost",
        "below": "bottommost|lowermost|bottom most|lowest",
        "north_of": "northernmost|most northern",
        "south_of": "southernmost|most southern",
        "east_of": "easternmost|most eastern",
        "west_of": "westernmost|most western",
        ("length", ">"): "longest",
        ("length", "<"): "shortest",
        ("width", ">"): "widest|broadest",
        ("width", "<"): "narrowest|thinnest",
        ("score", ">"): "most certain|highest scoring|most confident|best scored",
        ("score", "<"): "least certain|lowest scoring|least confident",
    },
    "COMP": {
        ("area", ">"): "larger|bigger|larger in area|greater|larger in size|bigger in size",
        ("area", "<"): "smaller|smaller in area|tinier|smaller in size",
        ("length", ">"): "longer|longer in length",
        ("length", "<"): "shorter",
        ("width", ">"): "wider|broader",
        ("width", "<"): "narrower|thinner",
    },
    "MEASURE": {
        "area": "large|big|in area|in size|of area|small",
        "length": "long|in length|of length|short",
        "width": "wide|in width|broad|across|of width|narrow",
    },
    "SIZEADJ": {
        "large": "large|big|huge|giant|enormous",
        "small": "small|little|tiny",
    },
    "CLOSEST": {
        "<": "closest|nearest",
        ">": "farthest|furthest",
    },
    "TIMES": {
        Fraction(2, 1): "twice|two times|double",
        Fraction(3, 1): "three times|thrice|triple",
        Fraction(4, 1): "four times",
        Fraction(5, 1): "five times",
        Fraction(6, 1): "six times",
        Fraction(10, 1): "ten times",
        Fraction(1, 2): "half",
        Fraction(3, 2): "one and a half times",
    },
    "ORDINAL": {2: "second", 3: "third", 4: "fourth", 5: "fifth"},
    "FRACTION": {
        Fraction(1, 2): "half|a half|one half",
        Fraction(1, 4): "a quarter|one quarter",
        Fraction(3, 4): "three quarters",
    },
    "UNIT": {
        "px": "px|pixel|pixels",
        "px2": "px2|px²|square pixels|square pixel|pixels squared|sq px",
        "m": "m|meter|meters|metre|metres",
        "km": "km|kilometer|kilometers|kilometre|kilometres",
        "m2": "m2|m²|square meters|square meter|square metres|square metre|sq m|sqm|sq meters",
        "ha": "ha|hectare|hectares",
        "km2": "km2|km²|square kilometers|square kilometer|square kilometres|square kilometre|sq km",
        "deg": "deg|degree|degrees|°",
        "%": "%|percent|per cent|pct",
    },
    "PREPWHICH": {
        "inside": "in which|on which|inside which|within which|at which|on top of which|inside of which",
        "near": "near which|next to which|beside which|by which|close to which|around which|along which",
        "above": "above which",
        "below": "below which|under which",
        "left_of": "to the left of which|left of which",
        "right_of": "to the right of which|right of which",
        "far": "far from which",
        "touches": "touching which",
    },
    "COMPARE": {
        ">=": ">=|≥",
        "<=": "<=|≤",
        ">": ">",
        "<": "<",
        "=": "=",
    },
    "EXCEED": {
        ">": "exceeds|exceed|surpasses",
        "=": "equals|equal|matches|match",
        "<": "falls below|stays below",
    },
    "THING": {
        "some": "something",
        "all": "everything",
        "no": "nothing",
        "any": "anything",
    },
    "GROUP": {
        "aligned": (
            "in a row|in a line|in a column|aligned|lined up|in line|in rows|in a straight line|in one row|"
            "in one line|side by side in a row|in a single row|all in a row|in a single line|arranged in a row|"
            "arranged in a line|forming a row|forming a line|standing in a row|in columns|in lines"
        ),
        "clustered": (
            "clustered|grouped|together|grouped together|clustered together|in a group|in a cluster|in groups|"
            "in clusters|close together|bunched together|bunched|huddled together|forming a cluster|"
            "forming a group"
        ),
    },
    "ROWOF": {
        "aligned": "a row of|a line of|one row of|one line of|a column of|rows of|lines of|a straight line of|row of",
        "clustered": "a cluster of|a group of|clusters of|groups of|one group of|cluster of|group of",
    },
    "RECIPROCAL": {
        "parallel": "parallel",
        "perpendicular": "perpendicular|orthogonal|at right angles",
        "touches": "touching",
        "overlaps": "overlapping",
        "near": "adjacent|neighboring|neighbouring|next to each other|side by side",
    },
    "ADV": {
        "near": (
            "nearby|close by|close at hand|around it|alongside|next to it|in the vicinity|in its vicinity|around|"
            "beside it|close to it|on both sides|on either side|on each side|at its side|by its side"
        ),
        "inside": "inside|inside it|within it|in it|on it|in them|on them|on top|on top of it",
        "far": "far away",
        "left_of": (
            "on its left|to its left|on their left|to their left|to the left|left of it|on its left side|"
            "to the left of it"
        ),
        "right_of": (
            "on its right|to its right|on their right|to their right|to the right|right of it|on its right side|"
            "to the right of it"
        ),
        "above": "above it",
        "below": "below it|under it|beneath it",
    },
    "PREP": {
        "near": (
            "near|near to|close to|next to|beside|besides|adjacent to|by|alongside|around|along|"
            "in the vicinity of|near by|nearby|very near|very close to|right next to|by the side of|"
            "at the side of|side by side with|neighboring|neighbouring|bordering|close by|along side|"
            "at the edge of|on both sides of|on either side of|on two sides of|on one side of|on the sides of|"
            "on each side of|at both sides of|in front of|behind|in proximity to|in close proximity to|"
            "in the neighborhood of|in the surroundings of"
        ),
        "far": "far from|far away from|a long way from|remote from|distant from|far off from|away from",
        "touches": "touching|in contact with|in touch with",
        "overlaps": "overlapping|overlapping with|partly covering|partially covering|crossing",
        "inside": (
            "inside|in|on|within|at|inside of|on top of|contained in|contained by|enclosed in|over|"
            "in the middle of|docked in|docked at|enclosed by|across|upon|onto|into|covered by"
        ),
        "contains": "containing|including|enclosing|holding|that holds|full of|filled with",
        "left_of": (
            "left of|to the left of|on the left of|on the left side of|at the left of|leftwards of|"
            "at the left side of|to the left side of"
        ),
        "right_of": (
            "right of|to the right of|on the right of|on the right side of|at the right of|at the right side of|"
            "to the right side of"
        ),
        "above": "above|higher than|further up than|at the top of",
        "below": "below|under|beneath|underneath|lower than|further down than|at the bottom of",
        "north_of": "north of|to the north of",
        "south_of": "south of|to the south of",
        "east_of": "east of|to the east of",
        "west_of": "west of|to the west of",
        "parallel": "parallel to|parallel with|running parallel to|in parallel with|aligned with",
        "perpendicular": "perpendicular to|at right angles to|at a right angle to|orthogonal to",
        "between": "between|in between|in the middle between|halfway between",
        "surrounded_by": "surrounded by|encircled by|ringed by|surrounded with",
        "same_class": "of the same class as|of the same kind as|of the same type as|of the same category as",
        "~inside": "outside|outside of",
        "-surrounded_by": "surrounding|encircling",
    },
    "RELV": {
        "touches": "touches|touch|touched",
        "overlaps": (
            "overlaps|overlap|overlaps with|overlap with|overlapped|crosses|cross|passes through|pass through|"
            "runs through|run through|goes through|go through|passes over|pass over|passes across|pass across|"
            "runs across|run across|goes across|spans|span|crossed"
        ),
        "contains": "contains|contain|includes|include|holds|hold|encloses|enclose",
        "-surrounded_by": "surrounds|surround|encircles|encircle|surrounded",
    },
}

IMAGES = (
    "image", "images", "picture", "pictures", "photo", "photos", "photograph", "photographs", "scene", "scenes", "view",
    "views", "tile", "tiles", "shot", "shots", "frame", "frames", "snapshot", "snapshots",
)  # fmt: skip
IMAGE_KINDS = ("", "aerial ", "satellite ", "remote sensing ", "overhead ", "drone ")
IMAGE_DETERMINERS = (
    "the ", "this ", "an ", "a ", "these ", "those ", "that ", "each ", "every ", "any ", "which ", "what ",
)  # fmt: skip

UP_TO_TWENTY = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
NUMBERS: dict[str, Decimal] = {word: Decimal(value) for value, word in enumerate(UP_TO_TWENTY)}
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
NUMBERS |= {ten: Decimal(value) for ten, value in TENS.items()}
NUMBERS |= {
    f"{ten} {unit}": Decimal(value + int(NUMBERS[unit]))
    for ten, value in TENS.items()
    for unit in UP_TO_TWENTY[1:10]
}
NUMBERS |= {
    "a hundred": Decimal(100), "one hundred": Decimal(100), "hundred": Decimal(100), "two hundred": Decimal(200),
    "a thousand": Decimal(1000), "one thousand": Decimal(1000), "a dozen": Decimal(12), "dozen": Decimal(12),
    "a dozen of": Decimal(12), "one dozen": Decimal(12), "half a dozen": Decimal(6), "half a dozen of": Decimal(6),
    "half dozen": Decimal(6), "a half dozen": Decimal(6), "two dozen": Decimal(24), "three dozen": Decimal(36),
    "a pair of": Decimal(2), "pair of": Decimal(2), "a couple of": Decimal(2), "a couple": Decimal(2),
    "couple of": Decimal(2), "a hundred and": Decimal(100), "three hundred": Decimal(300),
    "five hundred": Decimal(500), "a trio of": Decimal(3),
}  # fmt: skip

FRACTIONS: dict[str, Fraction] = {
    phrase: Fraction(number, parts)
    for parts, name in ((3, "third"), (4, "fourth"), (5, "fifth"), (6, "sixth"), (8, "eighth"), (10, "tenth"))
    for number, word in enumerate(UP_TO_TWENTY[:parts])
    if number
    for phrase in ((f"a {name}", f"one {name}", f"1 {name}") if number == 1 else (f"{word} {name}s",))
}

# spellings taken apart before anything is looked up
CONTRACTIONS = {
    "don't": "do not", "doesn't": "does not", "didn't": "did not", "isn't": "is not", "aren't": "are not",
    "wasn't": "was not", "weren't": "were not", "there's": "there is", "there're": "there are", "that's": "that is",
    "haven't": "have not", "hasn't": "has not", "can't": "can not", "it's": "it is", "they're": "they are",
    "cannot": "can not", "i'd": "i would", "we'd": "we would", "i'm": "i am", "we're": "we are", "i've": "i have",
    "wouldn't": "would not", "couldn't": "could not", "shouldn't": "should not", "won't": "will not",
}  # fmt: skip
