"""One function over many tasks, in this process or in several; results come in the order of the tasks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from .errors import LimitError

Task = TypeVar("Task")
Result = TypeVar("Result")

AHEAD = 2  # tasks for each process, under way or waiting


class Runner(Protocol):
    """Whatever carries out tasks: it may do them in any order and place, and hands the results back in theirs."""

    def __call__(self, function: Callable[[Task], Result], tasks: Sequence[Task], /) -> Iterator[Result]:
        """The result of each task."""


def in_this_process(function: Callable[[Task], Result], tasks: Sequence[Task], /) -> Iterator[Result]:
    """One task after the other."""
    return map(function, tasks)


@contextmanager
def in_processes(workers: int) -> Iterator[Runner]:
    """A runner of that many processes, started when there is work for them; function and tasks must be picklable.

    The error that is raised is that of the first task that has one, whatever ended first. Raises LimitError where a
    process is killed, as it is where memory runs out.
    """
    if workers <= 1:
        yield in_this_process
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:

        def run(function: Callable[[Any], Any], tasks: Sequence[Any], /) -> Iterator[Any]:
            waiting: deque[Any] = deque()
            try:
                for number in range(len(tasks)):
                    waiting.append(pool.submit(function, tasks[number]))
                    if len(waiting) > AHEAD * workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            except BrokenProcessPool:
                raise LimitError(
                    "A worker process ended before its work was done, as it does where memory runs out.",
                    hint="What is done is kept: run the same again, with fewer --workers.",
                ) from None
            finally:
                for future in waiting:
                    future.cancel()

        yield run
