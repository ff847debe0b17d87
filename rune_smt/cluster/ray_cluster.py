"""A Ray cluster as what carries out tasks: the same functions as in one process, over parts, on any number of machines.

Every machine needs this package and the archive's folder at the same path (a shared file system). Tasks hand over names
of files and formulas, and get verdicts back; they write nothing but whole files of their own, so a task may be done
twice. Where a worker is lost, Ray has its task done again elsewhere.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from ..deciding import name_task, tasks_of
from ..errors import DataError, LimitError, MissingExtra, QueryError, RuneError
from ..progress import visible

if TYPE_CHECKING:
    from ..entities.archive import Archive
    from ..indexing import Indexed, IndexOptions, PathLike, Sources
    from ..query import QueryLike
    from ..searching import SearchResult

LOCAL = "local"
AT_HOME = "127.0.0.1"
KNOCK_S = 10
RETRIES = 5  # of a task whose worker is lost
AHEAD = 2  # tasks for each processor, under way or waiting
GROUPS = 8  # of short tasks for each processor
STORE_BYTES = 128 << 20  # Ray's shared memory on a cluster of one machine: tasks and answers are small


@dataclass(frozen=True, slots=True)
class PartFound:
    """The answers of one part, as soon as it is done.

    part      its number, from 0; parts how many there are, done how many are done with this one
    ids       images that satisfy the query, sorted; undecided those that cannot be told
    """

    part: int
    parts: int
    done: int
    images: int
    ids: tuple[str, ...]
    undecided: tuple[str, ...]


class Cluster:
    """Ray, joined or started; see `connected`.

    processors  how many the cluster has
    """

    def __init__(self, ray: Any, progress: bool):
        self._ray = ray
        self._progress = progress
        self.processors = max(1, int(ray.cluster_resources().get("CPU", 1)))

    def index(self, sources: Sources, out: PathLike, **options: Unpack[IndexOptions]) -> Indexed:
        """`index_with_report` with its shards read and its parts built on the cluster."""
        from ..indexing import index_with_report

        options.setdefault("progress", self._progress)
        return index_with_report(sources, out, runner=self.run, **options)

    def search(self, archive: Archive, query: QueryLike, **options: Any) -> SearchResult:
        """`rune_smt.search` with each part decided on the cluster: the same answers.

        options  those of `rune_smt.search` but workers; verify and witnesses are found in this process
        """
        from ..searching import search

        return search(archive, query, runner=self.run_in_groups, **options)

    def stream(
        self, archive: str | Path, query: QueryLike, *, mode: str = "threshold", engine: str = "auto",
        min_score: float = 0.5, min_degree: float = 0.0,
    ) -> Iterator[PartFound]:  # fmt: skip
        """The answers part by part, each as soon as it is there, in whatever order they are done.

        Of an archive of many parts only archive.json is read here, and workers hand over names: it may have more images
        than this machine could hold the names of.
        """
        from ..entities.archive import open_archive
        from ..entities.archive_folder import HEADER, MANY_PARTS, read_header
        from ..query import archived_vocabulary, vocabulary_of
        from ..searching import question

        path = Path(archive)
        header = read_header(path)
        text = (path / HEADER).read_bytes()
        if header["version"] == MANY_PARTS:
            toml = (header["vocabulary"] or {}).get("toml", "")
            vocabulary = archived_vocabulary(toml, path.stem, header["classes"], header["attributes"])
        else:
            vocabulary = vocabulary_of(open_archive(path))
        _, asked = question(vocabulary, query, mode, engine, min_score, min_degree)
        tasks = tasks_of(path, text, asked)
        groups = self._groups(len(tasks))
        done = 0
        for group, several in self.as_they_end(_each(name_task), [[tasks[i] for i in group] for group in groups]):
            for number, found in zip(groups[group], several, strict=True):
                done += 1
                yield PartFound(number, len(tasks), done, found.images, found.satisfied, found.undecided)

    def run(self, function: Callable[[Any], Any], tasks: Sequence[Any], /) -> Iterator[Any]:
        """The result of each task, in their order; see `rune_smt.side_by_side.Runner`."""
        remote = self._remote(function)
        waiting: deque[Any] = deque()
        with _bar(len(tasks), self._progress) as tell:
            for number in range(len(tasks)):
                waiting.append(remote.remote(tasks[number]))
                if len(waiting) > AHEAD * self.processors:
                    yield self._result(waiting.popleft())
                    tell()
            while waiting:
                yield self._result(waiting.popleft())
                tell()

    def run_in_groups(self, function: Callable[[Any], Any], tasks: Sequence[Any], /) -> Iterator[Any]:
        """The same for tasks so short that handing them out one by one would take longer than doing them."""
        groups = [[tasks[i] for i in group] for group in self._groups(len(tasks))]
        for results in self.run(_each(function), groups):
            yield from results

    def _groups(self, count: int) -> list[range]:
        """Numbers of tasks in groups, as many as keep all processors busy to the end."""
        size = max(1, count // (GROUPS * self.processors))
        return [range(start, min(start + size, count)) for start in range(0, count, size)]

    def as_they_end(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """(number of the task, its result), whichever ends first."""
        remote = self._remote(function)
        waiting: dict[Any, int] = {}
        following = 0
        with _bar(len(tasks), self._progress) as tell:
            while waiting or following < len(tasks):
                while following < len(tasks) and len(waiting) <= AHEAD * self.processors:
                    waiting[remote.remote(tasks[following])] = following
                    following += 1
                (done, *_), _ = self._ray.wait(list(waiting), num_returns=1)
                number = waiting.pop(done)
                result = self._result(done)
                tell()
                yield number, result

    def _remote(self, function: Callable[[Any], Any]) -> Any:
        return self._ray.remote(num_cpus=1, max_retries=RETRIES)(function)

    def _result(self, reference: Any) -> Any:
        """What a task gave, or its own error; LimitError where its workers were lost again and again."""
        exceptions = self._ray.exceptions
        try:
            return self._ray.get(reference)
        except exceptions.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, RuneError):
                raise cause from None
            if isinstance(cause, OSError):
                raise DataError(f"A machine of the cluster cannot read or write: {cause}.", hint=SHARED) from None
            raise
        except (exceptions.WorkerCrashedError, exceptions.OutOfMemoryError, exceptions.NodeDiedError) as error:
            raise LimitError(
                f"A task was given up after {RETRIES} retries: {type(error).__name__}.",
                hint="Give the workers more memory, or make smaller parts.",
            ) from None


def _each(function: Callable[[Any], Any]) -> Callable[[Sequence[Any]], list[Any]]:
    return lambda tasks: [function(task) for task in tasks]


TOKEN = "Is it running? If it wants a token: set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN here as on its machines."
SHARED = "Sources and archive must lie at the same path on every machine."


@contextmanager
def connected(address: str = LOCAL, *, workers: int | None = None, progress: bool = True) -> Iterator[Cluster]:
    """A cluster, for as long as the `with` lasts.

    address   local: one is started on this machine alone, listens on 127.0.0.1 and stops at the end; auto, HOST:PORT,
              ray://HOST:PORT: one that runs is joined, and goes on
    workers   processors of a local one, None for all of the machine
    progress  show bars on a terminal
    raises    MissingExtra without ray, QueryError where the cluster cannot be reached
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if address == LOCAL:  # read when ray is imported: without it, a machine's other address is taken and all are open
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    try:
        import ray
    except ImportError:
        raise MissingExtra("ray is not installed.", hint="pip install 'rune-smt[cluster]'") from None
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
    if ray.is_initialized():
        raise QueryError("This process is connected to Ray already.", hint="Call ray.shutdown() first.")
    try:
        if address == LOCAL:
            ray.init(
                LOCAL,
                num_cpus=workers,
                include_dashboard=False,
                object_store_memory=STORE_BYTES,
                _node_ip_address=AT_HOME,
                **quiet,
            )
        else:
            _knock(address)
            ray.init(address, **quiet)
    except (OSError, ValueError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise QueryError(f"The Ray cluster at '{address}' cannot be joined: {first}", hint=TOKEN) from None
    try:
        if address == LOCAL and any(node["NodeManagerAddress"] != AT_HOME for node in ray.nodes()):
            raise QueryError(
                "Ray was imported before, and would listen on the network.",
                hint="Set RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0 before ray is imported.",
            )
        yield Cluster(ray, progress)
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """OSError where nobody listens there; Ray itself would try for minutes."""
    host, colon, port = address.rpartition("/")[2].rpartition(":")
    if colon and port.isdecimal():
        with socket.create_connection((host, int(port)), timeout=KNOCK_S):
            pass


@contextmanager
def _bar(total: int, wanted: bool) -> Iterator[Callable[[], None]]:
    """What to call when one of `total` tasks is done."""
    if not wanted or not visible():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("parts", total=total)
        yield lambda: bar.advance(task)

