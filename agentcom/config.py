"""Every setting of a hub: name, unit, default and reason in one place; ``docs/configuration.md`` is checked against it.

``load`` lays four sources over each other, the first that names a setting wins: flags, ``AGENTCOM_*`` variables, TOML files
(``./agentcom.toml``, then the user's own file), defaults. It remembers where each value came from, for ``agentcom config show
--origin``. A wrong value or an unknown key is a ``ConfigError``, whose ``hint`` says what to write instead.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, TypeVar, cast

import platformdirs

from wire.outgoing import parse_networks

#: A field of ``Config`` has one of these types.
Value: TypeAlias = "str | int | float | bool | tuple[str, ...] | None"
Parser: TypeAlias = Callable[[object], Value]
_T = TypeVar("_T")

PREFIX = "AGENTCOM_"
PROJECT_FILE = "agentcom.toml"
DEFAULT_PORT = 4000

#: Longer than this it is no badge.
LABEL_CHARS = 20

LANES = 4

LOG_LEVELS = ("debug", "info", "warning", "error")
DASHBOARD_AUTH = ("open", "token")


class ConfigError(Exception):
    """A setting cannot be used. The message says which and why, ``hint`` what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


# --- parsers: from text (flags, variables) or TOML values to the field's type; ValueError says what is expected ------


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(value: object) -> float:
    """A duration in seconds: a number (seconds) or text such as ``500ms``, ``30s``, ``5m``, ``2h``. Raises ``ValueError``."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return float(value)
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return float(match[1]) * _UNIT_S[match[2] or "s"]
    raise ValueError("a duration such as 30s, 5m or 2h")


def _positive_seconds(value: object) -> float:
    parsed = seconds(value)
    if parsed <= 0:
        raise ValueError("a duration longer than 0, such as 30s, 5m or 2h")
    return parsed


def _whole(minimum: int, maximum: int) -> Parser:
    expected = f"a whole number from {minimum} to {maximum}"

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError(expected)
        try:
            number = int(value)
        except ValueError:
            raise ValueError(expected) from None
        if not minimum <= number <= maximum:
            raise ValueError(expected)
        return number

    return parse


def _days(value: object) -> float:
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else -1.0
    except ValueError:
        number = -1.0
    if not 0 < number <= 36_500:
        raise ValueError("a number of days above 0")
    return number


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text that is not empty")
    return value.strip()


def _label(value: object) -> str:
    text = _text(value)
    if len(text) > LABEL_CHARS or not text.isprintable():
        raise ValueError(f"a word of at most {LABEL_CHARS} characters")
    return text


def _path(value: object) -> str:
    return str(Path(_text(value)).expanduser().absolute())


def _choice(*choices: str) -> Parser:
    def parse(value: object) -> str:
        if isinstance(value, str) and value.lower() in choices:
            return value.lower()
        raise ValueError("one of " + ", ".join(choices))

    return parse


_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def _switch(value: object) -> bool:
    word = str(value).lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("true or false")


def _networks(value: object) -> tuple[str, ...]:
    names = _names(value)
    try:
        parse_networks(names)
    except ValueError:
        raise ValueError("a list of networks such as 127.0.0.0/8 or 10.1.0.0/16") from None
    return names


def _contact(value: object) -> str:
    text = _text(value)
    if not text.startswith(("mailto:", "https://")) or not text.isascii() or " " in text:
        raise ValueError("mailto:you@example.org or an https address")
    return text


def _names(value: object) -> tuple[str, ...]:
    """A TOML list, or text with commas."""
    parts: Iterable[object] = value.split(",") if isinstance(value, str) else cast("Iterable[object]", value)
    if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
        raise ValueError("a list of names")
    return tuple(part.strip() for part in parts if isinstance(part, str) and part.strip())


def _lane_durations(value: object) -> str:
    """One duration for each lane, urgent first, with commas between them."""
    text = _text(value)
    if len(lane_seconds(text)) != LANES:
        raise ValueError("four durations, urgent first, such as 60s,5m,15m,1h")
    return text


def lane_seconds(text: str) -> tuple[float, ...]:
    """Raises ``ValueError``."""
    return tuple(_positive_seconds(part) for part in text.split(","))


# --- the settings -----------------------------------------------------------------------------------------------


def _setting(default: _T, parser: Parser, about: str, key: str = "") -> _T:
    """A field of ``Config``. ``key`` is its name outside, where that is not the field's own (``grace`` for ``grace_s``)."""
    return field(default=default, metadata={"parser": parser, "about": about, "key": key})


def default_data_dir() -> str:
    return str(platformdirs.user_data_path("agentcom"))


def default_web_processes() -> int:
    return min(os.cpu_count() or 1, 4)


@dataclass(frozen=True)
class Config:
    """The settings of one hub. Durations are seconds, whatever they were written in."""

    host: str = _setting("127.0.0.1", _text, "address to listen on; anything but loopback needs insecure_lan")
    port: int = _setting(
        DEFAULT_PORT,
        _whole(0, 65535),
        "port to listen on; 0 picks one; a taken default port moves on to the next free one",
    )
    data_dir: str = field(
        default_factory=default_data_dir,
        metadata={"parser": _path, "about": "directory of the database, the lock and the admin token", "key": ""},
    )
    web_processes: int = field(
        default_factory=default_web_processes,
        metadata={
            "parser": _whole(1, 64),
            "about": "processes that speak HTTP and WebSocket; default: the processor cores, at most 4",
            "key": "",
        },
    )
    max_restarts: int = _setting(
        20, _whole(0, 10_000), "restarts of processes within max_seconds before the root gives up"
    )
    max_seconds: float = _setting(10.0, _positive_seconds, "window of max_restarts")
    hub_max_restarts: int = _setting(
        3, _whole(0, 10_000), "restarts of actors within hub_max_seconds before their supervisor gives up"
    )
    hub_max_seconds: float = _setting(5.0, _positive_seconds, "window of hub_max_restarts")
    grace_s: float = _setting(
        10.0, seconds, "how long a dropped agent may come back before its task is taken back", "grace"
    )
    acceptance_timeout_s: float = _setting(
        60.0,
        _positive_seconds,
        "how long an agent may take to accept a task that was assigned to it",
        "acceptance_timeout",
    )
    lease_s: float = _setting(
        90.0, _positive_seconds, "how long an attempt lives without a sign of life from its agent", "lease"
    )
    boot_grace_s: float = _setting(
        30.0,
        seconds,
        "how long agents may take to reconnect after the hub started, before their tasks are taken back",
        "boot_grace",
    )
    offline_after_s: float = _setting(
        60.0, seconds, "how long a lost agent may be away before health warns of it", "offline_after"
    )
    stuck_after_s: float = _setting(
        300.0,
        _positive_seconds,
        "how long an assigned task may show no sign of work before health warns",
        "stuck_after",
    )
    wait_targets: str = _setting(
        "60s,5m,15m,1h",
        _lane_durations,
        "how long the oldest task of each lane may wait before health warns, urgent first",
    )
    retention_days: float = _setting(30.0, _days, "days that completed and cancelled tasks are kept")
    retry_base_s: float = _setting(
        1.0, seconds, "wait before the first retry of a failed task; doubles each time", "retry_base"
    )
    retry_cap_s: float = _setting(300.0, seconds, "longest wait before a retry", "retry_cap")
    max_reclaims: int = _setting(
        5, _whole(1, 1_000), "hand-outs of a task that may end in silence before it goes to the dead letters"
    )
    max_queued: int = _setting(
        1_000_000, _whole(1, 100_000_000), "tasks that may wait; more are answered with queue_full"
    )
    allowed_hosts: tuple[str, ...] = _setting(
        (), _names, "further names that browsers and clients may call this hub by"
    )
    trusted_origins: tuple[str, ...] = _setting(
        (), _names, "further web origins that may use the API, as https://name:port"
    )
    dashboard_auth: str = _setting(
        "open", _choice(*DASHBOARD_AUTH), "open: reading the dashboard needs no token; token: everything does"
    )
    environment: str | None = _setting(
        None, _label, "word that every page shows beside the hub's name, such as staging or production"
    )
    outgoing_networks: tuple[str, ...] = _setting(
        (), _networks, "networks that are not public and that webhooks may reach all the same, such as 10.1.0.0/16"
    )
    notify_retry_s: float = _setting(
        5.0,
        _positive_seconds,
        "wait before a notification that was not delivered is tried again; grows with each time",
        "notify_retry",
    )
    push_contact: str = _setting(
        "mailto:push@agentcom.invalid", _contact, "whom a browser's push service may write to about this hub"
    )
    insecure_lan: bool = _setting(
        False, _switch, "allow an address that other machines reach, although there is no TLS"
    )
    log_level: str = _setting("info", _choice(*LOG_LEVELS), "least severity that is logged: " + ", ".join(LOG_LEVELS))
    ready_file: str | None = _setting(None, _path, "file to write {url, pid, ...} to as soon as the hub serves")
    drain_s: float = _setting(
        10.0, seconds, "longest time from the first stop signal to the end of all processes", "drain"
    )
    port_explicit: bool = False
    """Somebody named the port: then it is this one or an error, never the next free one."""
    origins: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Setting to the place its value comes from: ``--port``, ``AGENTCOM_PORT``, ``agentcom.toml:3`` or ``default``."""


@dataclass(frozen=True, slots=True)
class Setting:
    """How one field of ``Config`` is named outside: ``key`` in TOML, ``--key-with-dashes``, ``AGENTCOM_KEY``."""

    key: str
    field_name: str
    about: str
    parser: Parser

    @property
    def variable(self) -> str:
        return PREFIX + self.key.upper()

    @property
    def flag(self) -> str:
        singular = {
            "allowed_hosts": "allowed_host",
            "trusted_origins": "trusted_origin",
            "outgoing_networks": "outgoing_network",
        }
        return "--" + singular.get(self.key, self.key).replace("_", "-")


SETTINGS: tuple[Setting, ...] = tuple(
    Setting(each.metadata["key"] or each.name, each.name, each.metadata["about"], each.metadata["parser"])
    for each in dataclasses.fields(Config)
    if "parser" in each.metadata
)


# --- loading ------------------------------------------------------------------------------------------------------


def default_files() -> tuple[Path, ...]:
    """The TOML files that are looked at, the stronger one first."""
    return (Path(PROJECT_FILE), platformdirs.user_config_path("agentcom") / "config.toml")


def load(
    flags: Mapping[str, object],
    environ: Mapping[str, str],
    files: Sequence[Path] | None = None,
) -> Config:
    """The configuration of this call. ``flags``: setting key to value, None or missing = not given. Raises ``ConfigError``."""
    layers = [_read_toml(file) for file in (default_files() if files is None else files)]
    values: dict[str, Value] = {}
    origins: dict[str, str] = {}
    for setting in SETTINGS:
        found = _find(setting, flags, environ, layers)
        if found is None:
            origins[setting.key] = "default"
            continue
        raw, origin = found
        try:
            values[setting.field_name] = setting.parser(raw)
        except ValueError as error:
            raise ConfigError(f"{origin}: {setting.key} cannot be {raw!r}", f"Write {error}.") from None
        origins[setting.key] = origin
    _check_together(values)
    return Config(**values, port_explicit="port" in values, origins=origins)  # type: ignore[arg-type]


def value_of(config: Config, setting: Setting) -> Value:
    return cast("Value", getattr(config, setting.field_name))


_Layer: TypeAlias = dict[str, tuple[object, str]]


def _find(
    setting: Setting, flags: Mapping[str, object], environ: Mapping[str, str], layers: Sequence[_Layer]
) -> tuple[object, str] | None:
    flag = flags.get(setting.key)
    if flag is not None and flag != ():
        return flag, setting.flag
    variable = environ.get(setting.variable)
    if variable:
        return variable, setting.variable
    for layer in layers:
        if setting.key in layer:
            return layer[setting.key]
    return None


def _read_toml(path: Path) -> _Layer:
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}", "Mend or remove the file.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}", "Mend the line that it names.") from error
    known = [setting.key for setting in SETTINGS]
    layer: _Layer = {}
    for key, value in table.items():
        origin = f"{path}:{_line_of(key, text)}"
        if key not in known:
            raise ConfigError(f"{origin}: there is no setting {key!r}", _nearest(key, known))
        layer[key] = (value, origin)
    return layer


def _line_of(key: str, text: str) -> int:
    pattern = re.compile(rf"\s*\[*\s*[\"']?{re.escape(key)}\b")
    return next((number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line)), 1)


def _nearest(key: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    if near:
        return f"Did you mean {near[0]}?"
    return "All settings:  agentcom config show"


def _check_together(values: Mapping[str, Value]) -> None:
    base, cap = values.get("retry_base_s", Config.retry_base_s), values.get("retry_cap_s", Config.retry_cap_s)
    if isinstance(base, float) and isinstance(cap, float) and base > cap:
        raise ConfigError(
            f"retry_base ({base:g}s) is longer than retry_cap ({cap:g}s)", "Raise retry_cap or lower retry_base."
        )
