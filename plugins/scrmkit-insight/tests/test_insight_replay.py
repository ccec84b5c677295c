"""Replay rebuilds the same state from the stored decisions alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from histories import broadcast, courses, live, undo_last
from hypothesis import given, settings
from scripted import PLUGINS, Mail, engine, member, phone, played, told
from sqlalchemy import select, update

from scrmkit.domain.messages import Refused, TryLater, Unknown
from scrmkit.domain.organisation import Brand
from scrmkit.engine import Engine
from scrmkit.engine.intake import Intake
from scrmkit.errors import InvalidValueError
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database
from scrmkit_audience import Audience
from scrmkit_insight import Insight, digest, replay
from scrmkit_insight.digests import digest_from, sums_of


def busy(world: Engine, tenant: str = "main") -> None:
    """Let everything happen that there is: every effect, merges, timers, slots, deliveries."""
    world.organisation.put(tenant, Brand(id="b", name="a brand"))
    options: dict[str, Any] = {"tenant": tenant}
    world.record_many(
        [
            told(
                ["tag", "group", "name", "keyword", 9], ["untag", "group", "other"],
                ["set", "name", 2], ["remember", "mine"], ["score", 60, 1],
                ["consent", "mail", True], ["start", "wake", 7], ["start", "late", 500],
                ["post", "step", 5, None, "mine"], ["say", "news", "marketing"],
                ["say", "lost", "marketing"], ["say", "greeting", "service", "welcome"],
                ["say", "second", "service", "welcome"], ["say", "own", "service", "later", 30],
                ["tell", "next", [["tag", "group", "more"], ["say", "told"]]],
                who=[phone(1)], words="hello", **options,
            ),
            played(
                "one", ["join", "player"], ["alias", "o1"], ["reserve", "seat", "a", 2, 5, 20],
                ["reserve", "seat", "b", 2, 5], ["say", "game", "service", "later", 30, True],
                ["refund", "money"], ["start", "end", 25], who=[phone(1)], **options,
            ),
            played("one", ["join", "player"], ["commit", "seat", "b"], who=[member(1)], **options),
            played("one", ["reserve", "seat", "c", 9], who=[member(1)], **options),
            played("two", ["open", "three"], ["join", "guest"], who=[phone(2)], **options),
            played("two", ["change", "guest", 4], ["join", "player"], who=[phone(2)], **options),
            played("two", ["leave", "guest"], who=[phone(2)], closes=True, **options),
            told(["say", "nowhere"], who=[member(2)], **options),
        ]
    )  # fmt: skip
    world.run_once()
    Audience(world).score("counting", tenant=tenant)
    broadcast(world, "first", tenant)
    world.record(told(["set", "name", 3], who=[phone(1), member(1)], **options))
    world.clock.advance(timedelta(minutes=40))  # type: ignore[attr-defined]
    world.run_once()
    world.record_many(
        [
            played("one", ["leave", "player"], who=[member(1)], **options),
            played("one", ["join", "guest"], who=[member(2)], **options),
            told(who=[phone(2), member(2), phone(1)], **options),
            told(["tag", "after", "merge"], who=[member(2)], **options),
            played(
                "one", ["last", "tag", "who", "played"], ["last", "say", "last"],
                ["last", "refund", "last"], ["last", "leave", "guest"], who=[phone(1)], **options,
            ),
        ]
    )  # fmt: skip
    Audience(world).score("counting", tenant=tenant)
    broadcast(world, "second", tenant)
    undo_last(world)
    world.record(told(["tag", "after", "split"], who=[member(2)], **options))
    world.run_once()


def test_every_effect_is_rebuilt(url: str):
    with engine(url) as world:
        busy(world)

        found = replay(world.database)

    assert found.differences == ()
    assert found.is_same
    assert found.after.value == found.before.value
    assert found.touchpoints > 15


def test_what_was_replayed_has_something_of_everything(tmp_path: Path):
    with engine(f"sqlite:///{tmp_path / 'one.db'}") as world:
        busy(world)
        found = digest(world.database)
    with engine(f"sqlite:///{tmp_path / 'empty.db'}") as world:
        empty = digest(world.database)

    same = {part for part in found.parts if found.parts[part] == empty.parts[part]}
    assert same == {"campaign", "parked", "suppression"}


@settings(max_examples=25, deadline=None)
@given(courses)
def test_any_course_of_things_is_rebuilt(course: list[Any]):
    with engine("sqlite:///:memory:") as world:
        live(world, course)

        assert replay(world.database).differences == ()


def test_tenants_are_rebuilt_side_by_side(url: str):
    with engine(url, tenants=("one", "two")) as world:
        busy(world, "one")
        busy(world, "two")

        found = replay(world.database)

    assert found.differences == ()
    assert sorted(found.after.tenants) == ["one", "two"]


def test_nothing_is_sent_and_no_plugin_is_asked(url: str, monkeypatch: pytest.MonkeyPatch):
    with engine(url) as world:
        busy(world)
        before = digest(world.database)
        for plugin in set(PLUGINS.values()):
            for name in ("decide", "needs", "address", "act", "open", "due", "reach", "send"):
                if hasattr(plugin, name):
                    monkeypatch.setattr(plugin, name, _broken)

        found = Insight(world).replay()

        assert found.is_same
        assert digest(world.database) == before


def _broken(*args: Any) -> Any:
    raise AssertionError("replay asks no plugin")


def test_it_works_without_any_plugin_or_settings(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'one.db'}"
    with engine(url) as world:
        busy(world)
        before = digest(world.database)

    database = Database(url, writes=False)
    found = replay(database)
    database.close()

    assert found.after == before


def test_a_state_that_no_class_can_read_any_more_is_rebuilt_as_it_is(tmp_path: Path):
    with engine(f"sqlite:///{tmp_path / 'one.db'}") as world:
        world.record(played("one", ["join", "player"]))
        with world.database.engine.begin() as connection:
            text = '{"a":"state","of":["an","older","version"]}'
            connection.execute(update(schema.instance).values(state=text))
            row = connection.execute(select(schema.touchpoint).where(schema.touchpoint.c.kind == "game.played")).one()
            said = row.decisions.replace(f'{{"turns":1,"last":{row.customer}}}', text)
            connection.execute(update(schema.touchpoint).where(schema.touchpoint.c.id == row.id).values(decisions=said))

        assert replay(world.database).is_same


def test_every_outcome_of_a_message_is_rebuilt(url: str, monkeypatch: pytest.MonkeyPatch):
    outcomes = iter(
        [
            Refused(code="blocked", reason="the number is blocked", suppress=True),
            TryLater(reason="busy"),
            Unknown(reason="no answer"),
        ]
    )

    def send(self: Any, operation: str, batch: Any) -> list[Any]:
        return [next(outcomes) for _ in batch]

    monkeypatch.setattr(Mail, "send", send)
    with engine(url) as world:
        world.record_many([told(["say", "hello"], who=[phone(number)]) for number in (1, 2, 3)])
        world.run_once()
        world.record(told(["say", "again"], who=[phone(1)]))

        found = replay(world.database)

        assert found.differences == ()
        with world.database.engine.connect() as connection:
            states = connection.execute(select(schema.outgoing.c.code)).scalars().all()
        assert sorted(states) == ["blocked", "suppressed", "try_later", "unknown"]


def test_a_timer_started_again_for_a_moment_that_has_passed_fires_again(url: str):
    with engine(url) as world:
        fired = []
        for _ in range(2):
            world.record(told(["start", "wake", 5]))
            world.clock.advance(timedelta(minutes=10))  # type: ignore[attr-defined]
            fired.append(world.run_once().timers)

        assert fired == [1, 1]
        assert replay(world.database).differences == ()
        with world.database.engine.connect() as connection:
            kinds = connection.execute(select(schema.touchpoint.c.kind)).scalars().all()
        assert kinds.count("timer.due") == 2


def test_what_was_parked_when_it_was_due_is_rebuilt(url: str, monkeypatch: pytest.MonkeyPatch):
    with engine(url) as world:
        world.record_many(
            [
                told(["start", "wake", 5], ["reserve", "seat", "a", 1, 5, 5]),
                played("one", ["start", "end", 5], ["reserve", "seat", "b", 1, 5, 5]),
                played("one", ["start", "late", 900]),
            ]
        )
        world.clock.advance(timedelta(minutes=10))  # type: ignore[attr-defined]
        monkeypatch.setattr(Intake, "record_in", _refused)
        world.run_once()
        monkeypatch.undo()
        told_ = Insight(world).counts()

        assert replay(world.database).differences == ()
    assert (told_.parked, told_.timers) == (4, 1)


def _refused(intake: Any, wire: Any, touchpoints: Any) -> tuple[list[Any], list[Any]]:
    if touchpoints:
        raise OverflowError
    return [], []


def test_a_message_that_a_worker_holds_is_as_it_is(tmp_path: Path):
    with engine(f"sqlite:///{tmp_path / 'one.db'}") as world:
        world.record(told(["say", "hello"]))
        with world.database.engine.begin() as connection:
            connection.execute(update(schema.outgoing).values(status="sending", due_at=1))

        assert replay(world.database).is_same


def test_merges_and_their_undoing_can_be_undone_alike_in_the_copy(tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'copy.db'}"
    with engine(f"sqlite:///{tmp_path / 'one.db'}") as world:
        busy(world)
        Insight(world).replay(url, personal=True)
        undo_last(world)
        expected = digest(world.database)
        clock = world.clock
    with engine(url, clock=clock) as copy:
        undo_last(copy)
        found = digest(copy.database)

    assert found == expected


def test_what_was_changed_behind_the_log_is_found(tmp_path: Path):
    with engine(f"sqlite:///{tmp_path / 'one.db'}") as world:
        busy(world)
        with world.database.engine.begin() as connection:
            connection.execute(update(schema.resource).values(held=schema.resource.c.held + 1))

        found = replay(world.database)

    assert not found.is_same
    assert [difference.part for difference in found.differences] == ["resource"]
    difference = found.differences[0]
    assert difference.before is not None
    assert difference.after is not None
    assert difference.before != difference.after


def test_the_copy_is_kept_where_a_database_is_named(tmp_path: Path):
    copy = f"sqlite:///{tmp_path / 'copy.db'}"
    with engine(f"sqlite:///{tmp_path / 'one.db'}") as world:
        busy(world)
        before = digest(world.database)
        Insight(world).replay(copy)
        with pytest.raises(InvalidValueError, match="empty"):
            Insight(world).replay(copy)

    database = Database(copy)
    found = digest(database)
    database.close()
    assert {part for part in found.parts if found.parts[part] != before.parts[part]} == {"personal"}


def test_texts_and_names_are_copied_where_asked(tmp_path: Path, url: str):
    with engine(f"sqlite:///{tmp_path / 'source.db'}") as world:
        busy(world)
        before = digest(world.database)
        found = Insight(world).replay(url, personal=True)

    database = Database(url)
    assert digest(database) == before == found.after
    database.close()


def test_a_replay_sees_one_moment(url: str):
    with engine(url) as world:
        busy(world)
        with world.database.snapshot() as wire:
            before = digest_from(sums_of(world.database, wire))
            world.record(told(["tag", "in", "between"]))

            assert digest_from(sums_of(world.database, wire)) == before
        assert digest(world.database) != before


def test_progress_is_told_up_to_the_end(tmp_path: Path):
    told_: list[tuple[int, int]] = []
    with engine(f"sqlite:///{tmp_path / 'one.db'}") as world:
        world.record_many([told(key=f"{number}") for number in range(1_100)])

        found = Insight(world).replay(progress=lambda done, of: told_.append((done, of)))

    assert told_ == [(500, 1_101), (1_000, 1_101), (1_101, 1_101)]
    assert found.touchpoints == 1_101


def test_what_several_processes_decided_at_once_is_rebuilt(postgresql_url: str):
    with engine(postgresql_url) as one, engine(postgresql_url) as two, engine(postgresql_url) as three:
        worlds = (one, two, three)

        def play(place: int) -> None:
            world = worlds[place % 3]
            who = [phone(place % 7)]
            world.record_many(
                [
                    played(f"g{place % 4}", ["reserve", "seat", f"{place}", 1, 40], who=who),
                    played(f"g{place % 4}", ["join", f"player{place}"], ["alias", f"{place}"], who=who),
                    told(["tag", "place", str(place)], ["post", str(place), 1, -30], who=who),
                    played(f"g{place % 4}", ["start", "end", place], ["leave", f"player{place - 8}"]),
                ]
            )

        with ThreadPoolExecutor(6) as pool:
            list(pool.map(play, range(60)))

        assert Insight(one).replay().differences == ()


@pytest.mark.parametrize(
    "touchpoints",
    [
        pytest.param(
            [played("one"), played("one", ["alias", "o1"]), played("one", closes=True)], id="steps of one instance"
        ),
        pytest.param(
            [
                told(["reserve", "seat", "a", 1, 1]),
                told(["release", "seat", "a"]),
                told(["reserve", "seat", "b", 1, 1]),
            ],
            id="a seat that was free only then",
        ),
    ],
)
def test_what_was_decided_in_another_order_than_by_id_is_rebuilt(tmp_path: Path, touchpoints: list[Any]):
    with engine(f"sqlite:///{tmp_path / 'one.db'}") as world:
        outcomes = world.record_many(touchpoints)
        later, earlier = outcomes[1].touchpoint, outcomes[2].touchpoint
        with world.database.engine.begin() as connection:
            for old, new in ((later, -1), (earlier, later), (-1, earlier)):
                connection.execute(update(schema.touchpoint).where(schema.touchpoint.c.id == old).values(id=new))

        assert replay(world.database).differences == ()
