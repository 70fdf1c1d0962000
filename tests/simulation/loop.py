"""An event loop on virtual time: nothing sleeps, no thread runs, and chance decides what asyncio leaves open.

Whatever a replica does carries its `Process` in its context, its tasks and timers too. So a process can be
killed (nothing of it is ever run again, not even a `finally`), or stopped for a while and let go on.
"""

import asyncio
import contextlib
import contextvars
import heapq
from asyncio import events
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from random import Random
from typing import Any

RUNNING: ContextVar["Process | None"] = ContextVar("process", default=None)
OUTSIDE = contextvars.Context()
"""What belongs to no process: the database's server, the messengers."""


class Process:
    """Everything that dies and stands still together."""

    def __init__(self, name: str, loop: "Loop") -> None:
        self.name = name
        self.alive = True
        self.stopped = False
        self.stops = 0
        self.woke = -1.0
        """When it went on last after it had been stopped."""
        self.fuse: int | None = None
        """After so many callbacks more it dies, wherever it is."""
        self.context = copy_context()
        self.context.run(RUNNING.set, self)
        self.tasks: list[asyncio.Task[Any]] = []
        self._held: list[asyncio.Handle] = []
        self._loop = loop

    def start(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        return self.context.run(self._loop.create_task, coroutine)

    def soon(self, callback: Callable[..., Any], *args: Any) -> None:
        self._loop.call_soon(callback, *args, context=self.context)

    def kill(self) -> None:
        """SIGKILL: what it has under way stays where it is for ever."""
        self.alive = False
        self.stopped = False
        self._held.clear()

    def stop(self) -> None:
        """SIGSTOP."""
        self.stopped = True
        self.stops += 1

    def go_on(self) -> None:
        """SIGCONT: whatever has come due meanwhile is due at once."""
        self.stopped, self.woke = False, self._loop.time()
        held, self._held = self._held, []
        self._loop.again(held)

    def may_run(self, handle: asyncio.Handle) -> bool:
        if self.stopped:
            self._held.append(handle)
            return False
        if self.alive and self.fuse is not None:
            self.fuse -= 1
            if self.fuse <= 0:
                self.kill()
        return self.alive

    def bury(self) -> None:
        """Its coroutines are taken apart once nothing can come of that any more."""
        for task in self.tasks:
            if not task.done():
                task._log_destroy_pending = False  # type: ignore[attr-defined]
                with contextlib.suppress(Exception):
                    task.get_coro().close()  # type: ignore[union-attr]
        self.tasks.clear()


class Loop(asyncio.BaseEventLoop):
    """`advance` lets time go by. Callbacks of one process keep their order, as asyncio promises; which
    process comes first, and which of the timers that are due at once, is drawn by lot."""

    def __init__(self, chance: Random) -> None:
        super().__init__()
        self._chance = chance
        self._moment = 0.0
        self.callbacks = 0
        self.failures: list[str] = []
        self.set_exception_handler(self._failed)
        self.set_task_factory(_remembered)

    def time(self) -> float:
        return self._moment

    def again(self, handles: list[asyncio.Handle]) -> None:
        self._ready.extend(handles)

    def outside(self, after: float, callback: Callable[..., Any], *args: Any) -> None:
        """Do this whatever becomes of the process that asks for it."""
        self.call_later(after, callback, *args, context=OUTSIDE)

    def advance(self, span: float, *, leap: bool = False) -> None:
        """Let so many seconds go by. With `leap` everybody sleeps meanwhile, and is late afterwards."""
        until = self._moment + span
        if leap:
            self._moment = until
        events._set_running_loop(self)
        try:
            while self._ready or self._due(until):
                self._run_some()
        finally:
            events._set_running_loop(None)
        self._moment = until

    def _due(self, until: float) -> bool:
        """Whether there is a timer until then; time goes by up to it."""
        waiting = self._scheduled
        while waiting and waiting[0]._cancelled:
            heapq.heappop(waiting)._scheduled = False
        if not waiting or waiting[0].when() > until:
            return False
        self._moment = max(self._moment, waiting[0].when())
        due = []
        while waiting and waiting[0].when() <= self._moment:
            handle = heapq.heappop(waiting)
            handle._scheduled = False
            if not handle._cancelled:
                due.append(handle)
        if len(due) > 1:
            self._chance.shuffle(due)
        self._ready.extend(due)
        return True

    def _run_some(self) -> None:
        batch = list(self._ready)
        self._ready.clear()
        if len(batch) > 1:
            self._interleave(batch)
        for handle in batch:
            process = handle._context.get(RUNNING)
            if not handle._cancelled and (process is None or process.may_run(handle)):
                self.callbacks += 1
                handle._run()

    def _interleave(self, batch: list[asyncio.Handle]) -> None:
        turns: dict[Process | None, float] = {}
        for handle in batch:
            process = handle._context.get(RUNNING)
            if process not in turns:
                turns[process] = self._chance.random()
        if len(turns) > 1:
            batch.sort(key=lambda handle: turns[handle._context.get(RUNNING)])

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """There are no threads: it is done at once."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - handed to whoever awaits it
            future.set_exception(error)
        return future

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        raise AssertionError("there is but one thread")

    def _failed(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        process = RUNNING.get()
        if process is None or process.alive:
            self.failures.append(f"{context.get('message')}: {context.get('exception')!r}")


def _remembered(loop: Any, coroutine: Any, **more: Any) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **more)
    process = RUNNING.get()
    if process is not None:
        if len(process.tasks) > 256:
            process.tasks = [each for each in process.tasks if not each.done()]
        process.tasks.append(task)
    return task
