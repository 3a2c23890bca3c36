"""One measurement of one actor library in a process of its own: ``python -m bench.actor_programs LIBRARY TEST COUNT``.

Prints one number: messages, hops or actors a second, or bytes of memory for an idle actor. Every library does the same work:
``tell``: one sender, one actor. ``fan``: one sender to 1,000 actors in turn. ``ring``: one message round 100 actors.
``spawn``: start so many, until all have started. ``memory``: what one of so many idle ones adds to the process.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pykka

RING = 100
FAN = 1_000


def resident_bytes() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


class Pykkas:
    """Pykka's interface, for its own actors and for ours."""

    def __init__(self, base: type[pykka.Actor]) -> None:
        class Sink(base):  # type: ignore[misc, valid-type]
            seen = 0

            def on_receive(self, message: Any) -> Any:
                self.seen += 1
                return self.seen

        class Link(base):  # type: ignore[misc, valid-type]
            def __init__(self, done: pykka.Future[Any]) -> None:
                super().__init__()
                self.next: Any = None
                self.done = done

            def on_receive(self, message: Any) -> Any:
                if type(message) is not int:
                    self.next = message
                elif message > 0:
                    self.next.tell(message - 1)
                else:
                    self.done.set(None)

        self.sink, self.link = Sink, Link

    def tell(self, count: int) -> float:
        ref = self.sink.start()
        started = time.perf_counter()
        for _ in range(count):
            ref.tell(1)
        assert ref.ask(1, timeout=600) == count + 1
        return count / (time.perf_counter() - started)

    def fan(self, count: int) -> float:
        refs = [self.sink.start() for _ in range(FAN)]
        started = time.perf_counter()
        for _ in range(count // FAN):
            for ref in refs:
                ref.tell(1)
        assert all(ref.ask(1, timeout=600) == count // FAN + 1 for ref in refs)
        return count / (time.perf_counter() - started)

    def ring(self, count: int) -> float:
        done = pykka.ThreadingFuture[None]()
        refs = [self.link.start(done) for _ in range(RING)]
        for ref, after in zip(refs, [*refs[1:], refs[0]], strict=True):
            ref.ask(after, timeout=60)
        started = time.perf_counter()
        refs[0].tell(count)
        done.get(timeout=600)
        return count / (time.perf_counter() - started)

    def spawn(self, count: int) -> float:
        started = time.perf_counter()
        refs = [self.sink.start() for _ in range(count)]
        refs[-1].ask(1, timeout=600)
        return count / (time.perf_counter() - started)

    def memory(self, count: int) -> float:
        self.sink.start().ask(1, timeout=60)
        before = resident_bytes()
        refs = [self.sink.start() for _ in range(count)]
        for ref in refs:
            ref.ask(1, timeout=600)
        assert len(pykka.ActorRegistry.get_all()) > count
        return (resident_bytes() - before) / count


def ours() -> Pykkas:
    from supervision.actor import Actor

    return Pykkas(Actor)


def pykkas() -> Pykkas:
    return Pykkas(pykka.ThreadingActor)


class Thespian:
    """``simpleSystemBase``: its fastest, synchronous in one thread, so that a message is handled before ``tell`` returns."""

    def __init__(self) -> None:
        from thespian.actors import ActorSystem

        from bench import thespian_actors

        self.system = ActorSystem("simpleSystemBase")
        self.actors = thespian_actors

    def tell(self, count: int) -> float:
        sink = self.system.createActor(self.actors.Sink)
        started = time.perf_counter()
        for _ in range(count):
            self.system.tell(sink, 1)
        assert self.system.ask(sink, "seen", 60) == count
        return count / (time.perf_counter() - started)

    def fan(self, count: int) -> float:
        sinks = [self.system.createActor(self.actors.Sink) for _ in range(FAN)]
        started = time.perf_counter()
        for _ in range(count // FAN):
            for sink in sinks:
                self.system.tell(sink, 1)
        assert self.system.ask(sinks[-1], "seen", 60) == count // FAN
        return count / (time.perf_counter() - started)

    def ring(self, count: int) -> float:
        links = [self.system.createActor(self.actors.Link) for _ in range(RING)]
        for link, after in zip(links, [*links[1:], links[0]], strict=True):
            self.system.ask(link, after, 60)
        started = time.perf_counter()
        assert self.system.ask(links[0], self.actors.Hop(count), 600) == "done"
        return count / (time.perf_counter() - started)

    def spawn(self, count: int) -> float:
        started = time.perf_counter()
        sinks = [self.system.createActor(self.actors.Sink) for _ in range(count)]
        self.system.ask(sinks[-1], "seen", 60)
        return count / (time.perf_counter() - started)


class Xoscar:
    """One process, coroutines; its ``tell`` is awaited."""

    def run(self, work: Callable[[str], Any]) -> float:
        async def main() -> float:
            import xoscar

            pool = await xoscar.create_actor_pool("127.0.0.1", n_process=0)
            async with pool:
                return float(await work(pool.external_address))

        return asyncio.run(main())

    def tell(self, count: int) -> float:
        from bench import xoscar_actors

        return self.run(lambda address: xoscar_actors.tell(address, count))

    def ring(self, count: int) -> float:
        from bench import xoscar_actors

        return self.run(lambda address: xoscar_actors.ring(address, count, RING))

    def spawn(self, count: int) -> float:
        from bench import xoscar_actors

        return self.run(lambda address: xoscar_actors.spawn(address, count))


LIBRARIES: dict[str, Callable[[], Any]] = {"ours": ours, "pykka": pykkas, "thespian": Thespian, "xoscar": Xoscar}


def main() -> None:
    library, test, count = sys.argv[1:]
    measure = getattr(LIBRARIES[library](), test, None)
    if measure is None:
        sys.exit(3)
    print(measure(int(count)), flush=True)
    os._exit(0)  # threads of actors that nobody stopped would keep it alive


if __name__ == "__main__":
    main()
