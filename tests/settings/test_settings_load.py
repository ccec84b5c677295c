"""Reading the settings' file: what counts, what is refused, and where it lies."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scrmkit.domain.messages import Purpose
from scrmkit.domain.policy import Cap, Policy, QuietHours
from scrmkit.errors import SettingsError
from scrmkit.settings import Calls, Durability, PluginSettings, Secret, Settings, load_settings, settings_from

SECRET = "correct-horse-battery"
ENVIRON = {"SCRMKIT_SECRET": SECRET}


def problems_of(mapping, environ=ENVIRON, **options):
    with pytest.raises(SettingsError) as caught:
        settings_from(mapping, environ, **options)
    return list(caught.value.problems)


def write(folder: Path, text: str) -> Path:
    path = folder / "scrmkit.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_but_the_secret_has_to_be_said():
    assert settings_from({}, ENVIRON) == Settings(
        tenants=("main",),
        database=Secret("sqlite:///scrmkit.db"),
        secret=Secret(SECRET),
        zone=ZoneInfo("Asia/Shanghai"),
        durability=Durability.FULL,
        calls=Calls(budget_ms=50, quarantine_after=20),
        policy=Policy(),
        plugins=(),
    )


def test_a_whole_file_is_read(tmp_path):
    path = write(
        tmp_path,
        """
        [scrmkit]
        tenants = ["hq", "outlet"]
        database = { env = "DB" }
        secret = { file = "secret.txt" }
        zone = "Asia/Urumqi"
        durability = "normal"
        stage_from = "value"
        calls.budget_ms = 80
        [scrmkit.policy]
        quiet = { start = "22:00", end = "08:30" }
        caps = [{ purpose = "marketing", limit = 2, days = 7, channel = "sms" }]
        consent = ["marketing", "service"]
        [plugins.wecom-hq]
        use = "channel.wecom"
        tenant = "hq"
        corp_id = "ww1"
        [plugins.bargain]
        use = "mechanic.bargain"
        enabled = false
        """,
    )
    (tmp_path / "secret.txt").write_text(SECRET + "\n", encoding="utf-8")
    url = "postgresql+psycopg://user:word@db/scrm"

    settings = load_settings(path, {"DB": url})

    assert settings == Settings(
        tenants=("hq", "outlet"),
        database=Secret(url),
        secret=Secret(SECRET),
        zone=ZoneInfo("Asia/Urumqi"),
        durability=Durability.NORMAL,
        stage_from="value",
        calls=Calls(budget_ms=80),
        policy=Policy(
            quiet=QuietHours(start=time(22), end=time(8, 30)),
            caps=(Cap(purpose=Purpose.MARKETING, limit=2, days=7, channel="sms"),),
            consent=frozenset({Purpose.MARKETING, Purpose.SERVICE}),
        ),
        plugins=(
            PluginSettings(name="wecom-hq", use="channel.wecom", tenant="hq", options={"corp_id": "ww1"}),
            PluginSettings(name="bargain", use="mechanic.bargain", enabled=False),
        ),
    )
    assert settings.plugins[0].path == "plugins.wecom-hq"


def test_quiet_hours_can_be_switched_off():
    settings = settings_from({"scrmkit": {"policy": {"quiet": False}}}, ENVIRON)

    assert settings.policy.quiet is None


def test_every_problem_is_said_at_once_with_its_path():
    found = problems_of(
        {
            "scrmkit": {
                "tenants": [],
                "databse": "sqlite://",
                "zone": "Asia/Shangai",
                "durability": "ful",
                "calls": {"budget_ms": "50", "quarantine_after": True},
                "policy": {"caps": [{"purpose": "marketting", "limit": 1, "days": 1}]},
            },
            "plugins": {"Wecom HQ": {"use": "channel.wecom"}, "sms": {"tenant": "main"}},
            "plugin": {},
        }
    )

    assert sorted(found) == sorted(
        [
            "plugin: unknown setting; did you mean 'plugins'?",
            "scrmkit.databse: unknown setting; did you mean 'database'?",
            "scrmkit.tenants: name at least one tenant, and each once",
            'scrmkit.zone: this is no IANA time zone; write one such as "Asia/Shanghai"',
            "scrmkit.durability: this is none of the values that are known here; did you mean 'full'?",
            "scrmkit.calls.budget_ms: expected a whole number, found a text",
            "scrmkit.calls.quarantine_after: expected a whole number, found true or false",
            "scrmkit.policy.caps[0].purpose: this is none of the values that are known here; did you mean 'marketing'?",
            'plugins."Wecom HQ".name: a plugin\'s name has 1 to 64 of a-z 0-9 - _ and starts with a letter or a digit',
            "plugins.sms.use: this setting is missing and has no default",
        ]
    )


@pytest.mark.parametrize("key", ["plugins", "segments", "environ", "folder"])
def test_what_stands_elsewhere_does_not_stand_in_the_table_of_the_core(key):
    (found,) = problems_of({"scrmkit": {key: {}}})

    assert found.startswith(f"scrmkit.{key}: unknown setting")


def test_a_plugin_may_have_settings_of_any_name():
    own = {"name": "a", "path": "b", "options": {"c": 1}}

    settings = settings_from({"plugins": {"x": {"use": "rule.x", **own}}}, ENVIRON)

    assert settings.plugins[0].options == own
    assert settings.plugins[0].path == "plugins.x"


@pytest.mark.parametrize(
    "tenant",
    [
        pytest.param("Main", id="capitals"),
        pytest.param("", id="empty"),
        pytest.param("a" * 33, id="33 characters"),
        pytest.param("a b", id="a blank"),
    ],
)
def test_a_tenant_that_is_no_id_is_refused(tenant):
    assert problems_of({"scrmkit": {"tenants": [tenant]}}) == [
        "scrmkit.tenants: a tenant's id has 1 to 32 of a-z 0-9 - _"
    ]


def test_a_plugin_for_an_unknown_tenant_is_refused():
    mapping = {"plugins": {"sms": {"use": "channel.sms", "tenant": "man"}}}

    assert problems_of(mapping) == ["plugins.sms.tenant: unknown tenant; did you mean 'main'?"]


@pytest.mark.parametrize(
    ("core", "environ", "problem"),
    [
        pytest.param({}, {}, "this setting is missing", id="nothing"),
        pytest.param({"secret": SECRET}, {}, "does not stand in the settings", id="in the file"),
        pytest.param({"secret": {"evn": "X"}}, {}, "no reference", id="a misspelt reference"),
        pytest.param({"secret": {"env": "X"}}, {}, "variable X is not set", id="not set"),
        pytest.param({"secret": {"env": "X"}}, {"X": ""}, "variable X is not set", id="empty"),
        pytest.param({"secret": {"file": "no"}}, {}, "file no cannot be read", id="no file"),
        pytest.param({"secret": {"env": "X"}}, {"X": "short"}, "16 characters", id="too short"),
    ],
)
def test_a_secret_that_cannot_be_had_is_refused(core, environ, problem):
    found = problems_of({"scrmkit": core}, environ)

    assert len(found) == 1
    assert found[0].startswith("scrmkit.secret: ")
    assert problem in found[0]
    assert "short" not in found[0]
    assert SECRET not in found[0]


def test_a_database_url_with_a_password_does_not_stand_in_the_file():
    found = problems_of({"scrmkit": {"database": "postgresql://user:word@db/scrm"}})

    assert found == ['scrmkit.database: this URL holds a password; write { env = "NAME" } or { file = "PATH" }']


def test_a_database_of_another_kind_is_refused():
    assert "scrmkit.database" in problems_of({"scrmkit": {"database": "mysql://db/scrm"}})[0]


def test_a_relative_database_lies_beside_the_file(tmp_path):
    path = write(tmp_path, '[scrmkit]\ndatabase = "sqlite:///data/scrm.db"\n')

    settings = load_settings(path, ENVIRON)

    assert settings.database.reveal() == f"sqlite:///{tmp_path}/data/scrm.db"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:////var/x.db"])
def test_other_sqlite_urls_stay_as_they_are(tmp_path, url):
    path = write(tmp_path, f'[scrmkit]\ndatabase = "{url}"\n')

    assert load_settings(path, ENVIRON).database.reveal() == url


def test_the_environment_overrides_scalars():
    settings = settings_from(
        {"scrmkit": {"database": {"env": "UNSET"}, "zone": "UTC", "calls": {"budget_ms": 1}}},
        {
            **ENVIRON,
            "SCRMKIT_DATABASE": "sqlite:///other.db",
            "SCRMKIT_ZONE": "Asia/Tokyo",
            "SCRMKIT_DURABILITY": "normal",
            "SCRMKIT_STAGE_FROM": "value",
            "SCRMKIT_CALLS_BUDGET_MS": "7",
            "SCRMKIT_CALLS_QUARANTINE_AFTER": "3",
        },
    )

    assert settings == Settings(
        database=Secret("sqlite:///other.db"),
        secret=Secret(SECRET),
        zone=ZoneInfo("Asia/Tokyo"),
        durability=Durability.NORMAL,
        stage_from="value",
        calls=Calls(budget_ms=7, quarantine_after=3),
    )


def test_an_override_that_is_no_number_is_refused():
    found = problems_of({}, {**ENVIRON, "SCRMKIT_CALLS_BUDGET_MS": "soon"})

    assert found == ["scrmkit.calls.budget_ms: expected a whole number, found a text"]


def test_a_file_that_is_not_there_names_the_command_that_writes_one(tmp_path):
    with pytest.raises(SettingsError, match="scrmkit init"):
        load_settings(tmp_path / "scrmkit.toml", ENVIRON)


def test_a_file_that_is_not_toml_says_the_line(tmp_path):
    with pytest.raises(SettingsError, match="line 2"):
        load_settings(write(tmp_path, "[scrmkit]\nzone\n"), ENVIRON)


def test_a_byte_order_mark_is_no_problem(tmp_path):
    path = write(tmp_path, '\ufeff[scrmkit]\nzone = "UTC"\n')

    assert load_settings(path, ENVIRON).zone == ZoneInfo("UTC")


@pytest.mark.parametrize("mapping", [{"scrmkit": 1}, {"plugins": []}, {"plugins": {"a": "b"}}])
def test_what_is_no_table_is_refused(mapping):
    assert "expected a table" in problems_of(mapping)[0]


def test_settings_show_no_secret():
    settings = settings_from({"scrmkit": {"database": {"env": "DB"}}}, {**ENVIRON, "DB": "sqlite:///canary.db"})

    assert SECRET not in repr(settings)
    assert "canary" not in repr(settings)
