"""The bench of the delivery tests serves the tests of timers as well."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_DELIVERY = Path(__file__).parent.parent / "delivery"
sys.path.insert(0, str(_DELIVERY))
_SPEC = importlib.util.spec_from_file_location("delivery_conftest", _DELIVERY / "conftest.py")
assert _SPEC is not None
assert _SPEC.loader is not None
_SHARED = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_SHARED)

_no_failpoint_stays_armed = _SHARED._no_failpoint_stays_armed
make_bench = _SHARED.make_bench
make_quick_bench = _SHARED.make_quick_bench
make_postgresql_bench = _SHARED.make_postgresql_bench
