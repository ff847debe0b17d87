"""What the laws of meaning are held on: a vocabulary with something of everything, its formulas and its scenes."""

from rune_smt.grammar.definitions import expand_definitions
from rune_smt.grammar.vocabulary import Vocabulary
from rune_smt.testing.formulas import formulas
from rune_smt.testing.scenes import scenes

VOCABULARY = Vocabulary.from_toml(
    """
name = "laws"
[classes.vehicle]
[classes.small_vehicle]
parent = "vehicle"
[classes.ship]
[classes.harbor]
[attributes.flooded]
type = "boolean"
[attributes.height]
type = "number"
[attributes.damage]
type = "text"
ordered = ["none", "minor", "major"]
[near]
default = "1 x"
"harbor ship" = "3 m"
[definitions]
"isolated(x)" = "~(exists y (y != x & near(x, y)))"
[links]
connected = "vehicle(x) & vehicle(y) & ~flooded(x) & distance(x, y) <= 2 px"
""",
    source="laws",
)

CLASSES = ("ship", "harbor", "vehicle", "small_vehicle")


def queries(**options):
    """Closed, well-dimensioned formulas with definitions expanded."""
    return formulas(VOCABULARY, definitions=True, **options).map(lambda f: expand_definitions(f, VOCABULARY))


def law_scenes(**options):
    """Scenes of at most four entities, with attributes, some of their values and metadata missing."""
    attributes = {"flooded": "boolean", "height": "number", "damage": ("none", "minor", "major")}
    return scenes(classes=CLASSES, max_entities=options.pop("max_entities", 4), attributes=attributes, **options)


def joined(several):
    """One table with the scenes in order, as images s0, s1, ..."""
    import numpy as np
    import pyarrow as pa

    from rune_smt.entities.table import Attribute, EntityTable, ImageTable

    rows = [scene.table.images.arrow.set_column(0, "image_id", pa.array([f"s{i}"])) for i, scene in enumerate(several)]
    tables = [scene.table for scene in several]
    classes = sorted({name for table in tables for name in table.classes})
    names = sorted({name for table in tables for name in table.attributes})
    attributes = {}
    for name in names:
        columns = [table.attributes.get(name) for table in tables]
        texts = tuple(sorted({text for column in columns if column for text in column.texts}))
        values = []
        for table, column in zip(tables, columns, strict=True):
            if column is None:
                values.append(np.full(len(table), np.nan))
            elif column.kind == "text":
                ranks = np.array([float(texts.index(text)) for text in column.texts] + [np.nan])
                codes = np.where(np.isnan(column.values), len(column.texts), column.values).astype(int)
                values.append(ranks[codes])
            else:
                values.append(column.values)
        kind = next(column.kind for column in columns if column is not None)
        attributes[name] = Attribute(kind, np.concatenate(values), texts)
    return EntityTable.build(
        ImageTable.from_arrow(pa.concat_tables(rows)),
        image=np.concatenate([np.full(len(table), i) for i, table in enumerate(tables)]),
        entity_id=np.concatenate([table.entity_id for table in tables]),
        label=np.concatenate([[classes.index(table.classes[c]) for c in table.label] for table in tables]).astype(int),
        classes=classes,
        score=np.concatenate([table.score for table in tables]),
        shapes=np.concatenate([table.outlines(np.arange(len(table))) for table in tables]),
        attributes=attributes,
    )
