"""Find the aerial and satellite images in which a logical query is true, with evidence that can be checked.

    import rune_smt as rune
    archive = rune.index("labelTxt/", out="harbors.rune")
    query = rune.translate("ships that are not near any harbor")
    for match in rune.search(archive, query):
        print(match.image_id, match.witness)

The names below are made on first use, so importing the package costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME = {
    "Archive": "entities.archive",
    "CertificateError": "errors",
    "CheckReport": "checking",
    "DataError": "errors",
    "DisagreementError": "errors",
    "Explanation": "solver.explain",
    "Formula": "grammar.nodes",
    "LimitError": "errors",
    "Match": "searching",
    "MissingExtra": "errors",
    "Query": "query",
    "QueryError": "errors",
    "Relation": "checking",
    "RuneError": "errors",
    "Scene": "entities.scene",
    "SearchResult": "searching",
    "Selection": "searching",
    "Verdict": "verdict",
    "Vocabulary": "grammar.vocabulary",
    "archive_from_arrow": "archives",
    "check": "checking",
    "entails": "checking",
    "equivalent": "checking",
    "explain": "explaining",
    "from_fiftyone": "from_detections",
    "from_supervision": "from_detections",
    "from_ultralytics": "from_detections",
    "index": "indexing",
    "load_vocabulary": "grammar.vocabulary",
    "open_archive": "entities.archive",
    "parse": "query",
    "search": "searching",
    "select": "searching",
    "translate": "query",
    "verify": "verification",
    "verify_all": "archive_certificates",
    "why_none": "explaining",
}

__all__ = [
    "Archive",
    "CertificateError",
    "CheckReport",
    "DataError",
    "DisagreementError",
    "Explanation",
    "Formula",
    "LimitError",
    "Match",
    "MissingExtra",
    "Query",
    "QueryError",
    "Relation",
    "RuneError",
    "Scene",
    "SearchResult",
    "Selection",
    "Verdict",
    "Vocabulary",
    "__version__",
    "archive_from_arrow",
    "check",
    "entails",
    "equivalent",
    "explain",
    "from_fiftyone",
    "from_supervision",
    "from_ultralytics",
    "index",
    "load_vocabulary",
    "open_archive",
    "parse",
    "search",
    "select",
    "translate",
    "verify",
    "verify_all",
    "why_none",
]

if TYPE_CHECKING:
    from .archives import archive_from_arrow
    from .checking import CheckReport, Relation, check, entails, equivalent
    from .entities.archive import Archive, open_archive
    from .entities.scene import Scene
    from .errors import (
        CertificateError,
        DataError,
        DisagreementError,
        LimitError,
        MissingExtra,
        QueryError,
        RuneError,
    )
    from .explaining import explain, why_none
    from .from_detections import from_fiftyone, from_supervision, from_ultralytics
    from .grammar.nodes import Formula
    from .grammar.vocabulary import Vocabulary, load_vocabulary
    from .indexing import index
    from .query import Query, parse, translate
    from .searching import Match, SearchResult, Selection, search, select
    from .solver.explain import Explanation
    from .verdict import Verdict
    from .verification import verify


class _Package(ModuleType):
    """Keeps `rune_smt.translate` the function when the subpackage of that name is imported and wants its place."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'rune_smt' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
