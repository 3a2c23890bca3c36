"""Settings: which source wins, where a value came from, and how mistakes are answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from agentcom import config
from agentcom.config import ConfigError, load, seconds


def test_flags_win_over_variables_over_files_over_defaults(tmp_path: Path) -> None:
    project, user = tmp_path / "agentcom.toml", tmp_path / "config.toml"
    project.write_text('grace = "20s"\nlease = 40\n')
    user.write_text('grace = "30s"\nretry_cap = "1h"\n')
    loaded = load({"port": "4100"}, {"AGENTCOM_PORT": "4200", "AGENTCOM_LEASE": "50s"}, [project, user])
    assert (loaded.port, loaded.lease_s, loaded.grace_s, loaded.retry_cap_s) == (4100, 50.0, 20.0, 3600.0)
    assert loaded.max_restarts == 20
    assert loaded.origins["port"] == "--port"
    assert loaded.origins["lease"] == "AGENTCOM_LEASE"
    assert loaded.origins["grace"] == f"{project}:1"
    assert loaded.origins["retry_cap"] == f"{user}:2"
    assert loaded.origins["max_restarts"] == "default"


def test_only_a_port_that_was_named_is_strict() -> None:
    assert not load({}, {}, []).port_explicit
    assert load({}, {"AGENTCOM_PORT": "4000"}, []).port_explicit


def test_an_unknown_key_is_an_error_that_names_the_line_and_the_nearest_key(tmp_path: Path) -> None:
    file = tmp_path / "agentcom.toml"
    file.write_text("port = 4000\nmax_restart = 3\n")
    with pytest.raises(ConfigError) as caught:
        load({}, {}, [file])
    assert f"{file}:2" in str(caught.value) and "max_restarts" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [("500ms", 0.5), ("30s", 30.0), ("5m", 300.0), ("2h", 7200.0), ("7", 7.0), (1.5, 1.5), ("1d", 86400.0)],
)
def test_durations(text: object, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "-1s", "5 weeks", True, None, float("inf"), float("nan")])
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="30s"):
        seconds(text)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("port", "70000"), ("port", "http"), ("web_processes", "0"), ("lease", "0"), ("dashboard_auth", "maybe")),
        *(("log_level", "loud"), ("retention_days", "-1"), ("insecure_lan", "perhaps"), ("host", " ")),
    ],
)
def test_a_wrong_value_names_its_source_and_what_to_write(key: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({}, {f"AGENTCOM_{key.upper()}": value}, [])
    assert f"AGENTCOM_{key.upper()}" in str(caught.value) and caught.value.hint.startswith("Write ")


def test_a_retry_base_above_the_cap_is_refused() -> None:
    with pytest.raises(ConfigError, match="longer than"):
        load({"retry_base": "10m"}, {}, [])


def test_lists_come_from_toml_and_from_commas(tmp_path: Path) -> None:
    file = tmp_path / "agentcom.toml"
    file.write_text('allowed_hosts = ["hub.lan", "hub"]\n')
    assert load({}, {}, [file]).allowed_hosts == ("hub.lan", "hub")
    assert load({}, {"AGENTCOM_ALLOWED_HOSTS": "a, b"}, [file]).allowed_hosts == ("a", "b")
    assert load({"allowed_hosts": ("c",)}, {}, [file]).allowed_hosts == ("c",)


def test_every_setting_is_documented() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "configuration.md").read_text()
    missing = [setting.key for setting in config.SETTINGS if f"| `{setting.key}` | `{setting.flag}` |" not in page]
    assert not missing


def test_an_environment_is_a_short_word() -> None:
    assert load({"environment": " staging "}, {}, ()).environment == "staging"
    for wrong in ("x" * 21, "two\nlines", ""):
        with pytest.raises(ConfigError):
            load({"environment": wrong}, {}, ())
