"""Equal input gives equal digests, in whatever database, batches and order."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from histories import histories, profiles
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import engine, phone, played, told

from scrmkit.engine.digest import Digest, digest


def fed(touchpoints: Sequence[Any], batch: int = 100) -> Digest:
    """The digest of a fresh database that took all of them."""
    with (
        tempfile.TemporaryDirectory() as folder,
        engine(f"sqlite:///{Path(folder) / 'fresh.db'}") as made,
    ):
        for start in range(0, len(touchpoints), batch):
            made.record_many(touchpoints[start : start + batch])
        return digest(made.database)


@settings(max_examples=60, deadline=None)
@given(histories, st.sampled_from([1, 2, 3, 5]))
def test_the_size_of_a_batch_changes_nothing(touchpoints: list[Any], batch: int):
    assert fed(touchpoints, batch) == fed(touchpoints)


@settings(max_examples=60, deadline=None)
@given(profiles, st.randoms(use_true_random=False))
def test_duplicates_and_order_change_no_profile(touchpoints: list[Any], chance: random.Random):
    again = [*touchpoints, *chance.sample(touchpoints, len(touchpoints) // 5)]
    chance.shuffle(again)

    assert fed(again, 3).profile == fed(touchpoints).profile
