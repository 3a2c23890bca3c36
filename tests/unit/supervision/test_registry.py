"""Keys belong to actors and go with them; names of original cases are in the test names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pykka
import pytest

from supervision.actor import Actor
from supervision.names import AlreadyRegistered
from supervision.registry import Change, NotRegistered, Registry
from supervision.runtime import Runtime


class Holder(Actor):
    def on_receive(self, message: Any) -> Any:
        return message(self)

    expected_errors = (AlreadyRegistered, NotRegistered)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = Runtime()
    yield made
    made.close()


def do(holder: pykka.ActorRef[Any], step: Any) -> Any:
    return holder.ask(step, timeout=5)


def test_has_unique_registrations_across_processes(runtime: Runtime) -> None:
    """Case 172: the second is refused, also to the owner itself; everybody sees only its own keys."""
    registry = Registry()
    one, other = runtime.spawn(Holder), runtime.spawn(Holder)
    do(one, lambda actor: registry.register("key", actor, 1))
    for holder in (one, other):
        with pytest.raises(AlreadyRegistered):
            do(holder, lambda actor: registry.register("key", actor, 2))
    assert [(entry.owner, entry.value) for entry in registry.lookup("key")] == [(one, 1)]
    assert do(one, registry.keys) == ["key"] and do(other, registry.keys) == []
    assert registry.count() == 1, "refused registrations leave nothing behind (case 183)"


def test_clean_up_registry_on_process_crash(runtime: Runtime) -> None:
    """Cases 171 and 184: gone before anybody can see the death, and free for the next."""
    registry = Registry()
    holder = runtime.spawn(Holder)
    do(holder, lambda actor: [registry.register(key, actor) for key in ("a", "b")])
    seen: list[object] = []
    cell = runtime.cell_of(holder)
    assert cell is not None
    cell.monitor(lambda _: seen.append((registry.count(), registry.whereis("a"))))
    cell.revoke("brutal")
    assert seen == [(0, None)]
    successor = runtime.spawn(Holder)
    do(successor, lambda actor: registry.register("a", actor))
    assert registry.whereis("a") == successor


def test_updates_current_process_value(runtime: Runtime) -> None:
    """Case 175: only by the owner."""
    registry = Registry()
    one, other = runtime.spawn(Holder), runtime.spawn(Holder)
    do(one, lambda actor: registry.register("key", actor, 1))
    assert do(one, lambda actor: registry.update_value("key", actor, lambda old: old + 1)) == (2, 1)
    for holder, key in ((other, "key"), (one, "unknown")):
        with pytest.raises(NotRegistered):
            do(holder, lambda actor, key=key: registry.update_value(key, actor, str))


def test_unregisters_process_by_key_and_with_no_entries(runtime: Runtime) -> None:
    """Case 176."""
    registry = Registry()
    holder = runtime.spawn(Holder)
    do(holder, lambda actor: [registry.register(key, actor) for key in ("a", "b")])
    for key in ("a", "a", "never"):
        do(holder, lambda actor, key=key: registry.unregister(key, actor))
    assert do(holder, registry.keys) == ["b"]


def test_select_and_supports_reserved_keys(runtime: Runtime) -> None:
    """Case 177: keys are compared as Python compares them."""
    registry = Registry()
    holder = runtime.spawn(Holder)
    for key, value in (("_", 1), (("$1", "*"), 2), (1, 3)):
        do(holder, lambda actor, key=key, value=value: registry.register(key, actor, value))
    assert [entry.value for entry in registry.select(lambda entry: isinstance(entry.key, str))] == [1]
    assert registry.lookup(1.0)[0].value == 3
    with pytest.raises(AlreadyRegistered):
        do(holder, lambda actor: registry.register(True, actor))


def test_dispatches_to_a_single_key_of_many_owners(runtime: Runtime) -> None:
    """Cases 179 and 185."""
    registry = Registry("duplicate")
    got: list[str] = []

    class Listener(Holder):
        def on_receive(self, message: Any) -> Any:
            return got.append(message) if isinstance(message, str) else message(self)

    listeners = [runtime.spawn(Listener) for _ in range(3)]
    for listener in listeners:
        do(listener, lambda actor: registry.register("topic", actor))
    listeners[0].stop()
    runtime.settle()
    assert registry.dispatch("topic", "hello") == 2 and registry.dispatch("empty", "hello") == 0
    runtime.settle()
    assert got == ["hello", "hello"]
    with pytest.raises(TypeError):
        registry.whereis("topic")


def test_allows_listeners(runtime: Runtime) -> None:
    """Case 180: also when the owner dies."""
    registry = Registry()
    changes: list[Change] = []
    undo = registry.listen(changes.append)
    holder = runtime.spawn(Holder)
    do(holder, lambda actor: registry.register("key", actor, 7))
    holder.stop()
    runtime.settle()
    assert [(change.key, change.value, change.is_registered) for change in changes] == [
        ("key", 7, True),
        ("key", 7, False),
    ]
    undo()
    do(runtime.spawn(Holder), lambda actor: registry.register("key", actor))
    assert len(changes) == 2
