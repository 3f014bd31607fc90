"""Our way of calling hooks does what mitmproxy's does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

import pytest
from mitmproxy import hooks, http
from mitmproxy.addonmanager import AddonManager
from mitmproxy.exceptions import AddonHalt, AddonManagerError, OptionsError
from mitmproxy.master import Master
from mitmproxy.proxy.layers.http._hooks import HttpRequestHook, HttpResponseHook
from mitmproxy.test import tflow

from addons.dispatch import Dispatch

type Seen = list[tuple[str, str]]


class Named:
    """Takes note of what it is asked; `act` says what it does besides."""

    def __init__(self, name: str, seen: Seen, act: Callable[[], object] = lambda: None) -> None:
        self.name, self._seen, self._act = name, seen, act

    def request(self, flow: http.HTTPFlow) -> object:
        self._seen.append((self.name, flow.request.path))
        return self._act()


class Slow(Named):
    async def response(self, flow: http.HTTPFlow) -> None:
        await asyncio.sleep(0)
        self._seen.append((self.name, f"response to {flow.request.path}"))

    def update(self, flows: list[http.HTTPFlow]) -> None:
        self._seen.append((self.name, f"update of {len(flows)}"))


class Holding(Named):
    """Has others in it, which come and go."""

    def __init__(self, name: str, seen: Seen) -> None:
        super().__init__(name, seen)
        self.addons: list[Any] = [Named(f"{name} 1", seen)]


def fail(error: type[BaseException]) -> Callable[[], object]:
    def act() -> object:
        raise error("made up")

    return act


async def wait() -> None:
    await asyncio.sleep(0)
    raise ValueError("made up")


def module(seen: Seen) -> ModuleType:
    """A script as mitmproxy loads it: functions of a module are its hooks, modules that it imports are none."""
    script = ModuleType("script")
    script.request = lambda flow: seen.append(("script", flow.request.path))  # type: ignore[attr-defined]
    script.response = asyncio  # type: ignore[attr-defined]
    return script


def managed(ours: bool, use: Callable[[AddonManager], Awaitable[None]]) -> None:
    """Runs `use` with the addons of a proxy that has none yet."""

    async def run() -> None:
        master = Master(None)
        if ours:
            Dispatch(master.addons)
        try:
            await use(master.addons)
        finally:
            await master.done()

    asyncio.run(run())


def story(ours: bool) -> tuple[Seen, list[str]]:
    """Some events over addons of all sorts -> what they saw, and what was logged."""
    seen: Seen = []
    logged: list[str] = []

    class Log(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            logged.append(record.getMessage())

    async def use(manager: AddonManager) -> None:
        holding, last = Holding("holding", seen), Named("last", seen)
        manager.add(Named("first", seen), Slow("slow", seen), holding, module(seen))
        manager.add(Named("faulty", seen, fail(ValueError)), Named("waiting", seen, wait))
        manager.add(Named("again", seen, lambda: "not awaited"), last)
        flow = tflow.tflow(resp=True)

        async def all_events(path: str) -> None:
            flow.request.path = path
            for event in (HttpRequestHook(flow), HttpResponseHook(flow)):
                await manager.handle_lifecycle(event)
            await manager.trigger_event(hooks.RunningHook())

        await all_events("/1")
        holding.addons.append(Named("holding 2", seen))
        manager.add(Named("added", seen))
        manager.chain.insert(0, manager.register(Named("before all", seen)))
        await all_events("/2")
        holding.addons.clear()
        manager.remove(last)
        await all_events("/3")
        manager.chain.insert(2, manager.register(Named("halting", seen, fail(AddonHalt))))
        await all_events("/4")

    handler = Log()
    logging.getLogger().addHandler(handler)
    try:
        managed(ours, use)
    finally:
        logging.getLogger().removeHandler(handler)
    return seen, logged


def test_who_is_asked_in_which_order_and_what_is_logged_are_those_of_mitmproxy() -> None:
    assert story(ours=True) == story(ours=False)


def test_a_fault_is_logged_and_the_next_is_asked() -> None:
    seen, logged = story(ours=True)
    assert ("again", "/1") in seen
    assert "Addon error: made up" in logged


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("error", [OptionsError, KeyboardInterrupt, asyncio.CancelledError])
def test_who_ends_the_program_or_the_task_is_not_held_up(ours: bool, error: type[BaseException]) -> None:
    async def use(manager: AddonManager) -> None:
        manager.add(Named("ending", [], fail(error)))
        await manager.trigger_event(HttpRequestHook(tflow.tflow()))

    with pytest.raises(error):
        managed(ours, use)


@pytest.mark.parametrize("ours", [True, False])
def test_a_hook_that_cannot_be_called_is_a_logged_fault(ours: bool, caplog: pytest.LogCaptureFixture) -> None:
    class Odd:
        request = 7

    async def use(manager: AddonManager) -> None:
        manager.add(Odd())
        await manager.trigger_event(HttpRequestHook(tflow.tflow()))

    managed(ours, use)
    (record,) = caplog.records
    assert record.exc_info
    assert record.exc_info[0] is AddonManagerError


def test_an_addon_is_asked_once_which_hooks_it_has() -> None:
    asked: list[str] = []

    class Counting:
        def __getattr__(self, name: str) -> object:
            asked.append(name)
            raise AttributeError

    async def use(manager: AddonManager) -> None:
        manager.add(Counting())
        for _ in range(5):
            await manager.handle_lifecycle(HttpRequestHook(tflow.tflow()))

    managed(True, use)
    assert [name for name in asked if name in ("request", "update")] == ["request", "update"]
