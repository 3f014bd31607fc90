"""Calls the hooks of all addons as mitmproxy does, but asks each addon only once which of them it has.

mitmproxy has more than thirty addons of its own, and asks each of them anew at each of the eight events of a request.
That takes longer than what the addons do then, and every byte waits for it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from mitmproxy.addonmanager import AddonManager, safecall
from mitmproxy.exceptions import AddonHalt
from mitmproxy.hooks import Hook


class Dispatch:
    """Takes the place of `AddonManager.trigger_event`: same order, same faults, same end at `AddonHalt`.

    An addon that holds others, as the one for scripts does, is asked each time, since these come and go.  Of all others
    a hook is not seen that is set or replaced after the first event of its kind.
    """

    def __init__(self, manager: AddonManager) -> None:
        """`manager` holds the addons; from now on its events come here."""
        self._manager = manager
        self._chain: list[Any] = []
        self._hooks: dict[str, list[Callable[..., object]]] = {}
        vars(manager)["trigger_event"] = self.trigger_event

    async def trigger_event(self, event: Hook) -> None:
        """Calls, one after another, the hooks that there are for an event; a fault of one is logged."""
        if self._chain != self._manager.chain:
            self._chain, self._hooks = list(self._manager.chain), {}
        hooks = self._hooks.get(event.name)
        if hooks is None:
            found = [self._hook(addon, event.name) for addon in self._chain]
            hooks = self._hooks[event.name] = [hook for hook in found if hook]
        arguments = event.args() if hooks else ()
        for hook in hooks:
            try:
                result = hook(event, *arguments)
                if result is not None and inspect.isawaitable(result):
                    await result
            except AddonHalt:
                return
            except Exception:
                with safecall():
                    raise

    def _hook(self, addon: Any, name: str) -> Callable[..., object] | None:
        """What to call with an event and its arguments, if anything."""
        hook = getattr(addon, name, None)
        if hasattr(addon, "addons") or not (hook is None or callable(hook)):
            return lambda event, *_: self._manager.invoke_addon(addon, event)
        return (lambda _, *arguments: hook(*arguments)) if hook else None
