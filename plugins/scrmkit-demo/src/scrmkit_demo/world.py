"""The demo's world: one directory, one virtual clock, two sandboxes and an engine between them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from scrmkit.clock import VirtualClock
from scrmkit.domain.ids import BrandId, GuideId, ShopId, StateToken
from scrmkit.domain.organisation import Brand, Entrance, Guide, Incentive, Shop
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit.settings import Settings, settings_from
from scrmkit.testing.sandbox_server import LocalServer
from scrmkit.web import create_app
from scrmkit_audience import Audience
from scrmkit_demo.invented import Invented, invent
from scrmkit_sms.sandbox import create as create_sms
from scrmkit_wecom.sandbox import create as create_wecom

SEED = 1
STRATEGIES: dict[str, tuple[str, str]] = {
    "111": ("SMS_600000111", "老朋友，新唱片优先为您预留，到店即可试听。拒收请回复R"),
    "011": ("SMS_600000011", "好久不见，导购为您留了一张专属券，欢迎回来。拒收请回复R"),
    "101": ("SMS_600000101", "三十天内再来一次，第二张立减二十元。拒收请回复R"),
    "001": ("SMS_600000001", "为您准备了一份小礼物，到店领取即可。拒收请回复R"),
    "110": ("SMS_600000110", "两张八折，三张七折，任意品牌同享。拒收请回复R"),
    "010": ("SMS_600000010", "您的积分即将到期，欢迎到店使用。拒收请回复R"),
    "100": ("SMS_600000100", "感谢首次光临，十四天内第二单立减十元。拒收请回复R"),
    "000": ("SMS_600000000", "会员日全场八折，欢迎光临！拒收请回复R"),
}
"""What each RFM segment's strategy says: a registered text's code, and the text."""

ENTRANCES = (
    ("table-card", "Table card", "tingshan-lakeside"),
    ("guide-badge", "Guide's badge", "tingshan-old-town"),
    ("lift-poster", "Lift poster", "bayin-station"),
)
_CALLBACK_TOKEN = "demo-callback-0123456789"


@attrs.define(slots=True, eq=False)
class World:
    """Everything that the chapters of the demo share."""

    folder: Path
    clock: VirtualClock
    engine: Engine
    audience: Audience
    invented: Invented
    wecom: Any
    sms: Any
    corp_id: str
    since: int
    progress: Callable[[str, int], Any]
    duplicates: int = 0
    paid: int = 0

    def record(self, touchpoint: Touchpoint[Any]) -> Any:
        """Record one touchpoint and count it if it is a repetition."""
        outcome = self.engine.record(touchpoint)
        self.duplicates += outcome.duplicate
        return outcome

    def pass_time(self, by: timedelta) -> None:
        """Move the clock on, and let everything happen that is due by then."""
        self.clock.advance(by)
        self.work()

    def work(self) -> None:
        """Deliver, let the platforms call back, and deliver what follows from that."""
        self.engine.run_once()
        self.wecom.callbacks.wait_idle()
        self.sms.settle()
        self.engine.run_once()


@contextlib.contextmanager
def world(folder: Path, start: datetime, progress: Callable[[str, int], Any]) -> Iterator[World]:
    """Open the demo's directory and start its servers; all of it ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = VirtualClock(start)
    wecom, sms = create_wecom(clock, seed=SEED), create_sms(clock, seed=SEED)
    invented = invent(SEED)
    with contextlib.ExitStack() as stack:
        wecom_url, sms_url = stack.enter_context(wecom), stack.enter_context(sms)
        settings = _settings(folder, wecom.credentials() | {"url": wecom_url}, sms.credentials() | {"url": sms_url})
        engine = stack.enter_context(Engine(settings, clock=clock, create=True))
        server = LocalServer(create_app(engine))
        stack.callback(server.stop)
        _organise(engine, invented)
        opened = World(
            folder, clock, engine, Audience(engine), invented, wecom, sms,
            wecom.credentials()["corp_id"], engine.ids.take(), progress,
        )  # fmt: skip
        _connect(opened, server.url)
        yield opened


def token_of(entrance: str) -> StateToken:
    """An entrance's state token: drawn, as always, but from the seed."""
    world_of = invent(SEED)
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
    return StateToken("".join(letters[world_of.draw("token", entrance, n, below=len(letters))] for n in range(24)))


def _settings(folder: Path, wecom: dict[str, str], sms: dict[str, str]) -> Settings:
    database = f"sqlite:///{folder / 'scrmkit.db'}"
    templates = {f"rfm-{code}": {"code": sms_code, "text": text} for code, (sms_code, text) in STRATEGIES.items()}
    plugins: dict[str, Any] = {
        "wecom": {
            "use": "channel.wecom", "corp_id": wecom["corp_id"], "agent_id": wecom["agent_id"],
            "base_url": wecom["url"], "secret": {"env": "WECOM_SECRET"},
            "token": {"env": "WECOM_TOKEN"}, "encoding_aes_key": {"env": "WECOM_AES_KEY"},
        },
        "sms": {
            "use": "channel.sms", "endpoint": sms["url"], "sign_name": sms["sign_name"],
            "access_key_id": {"env": "SMS_KEY_ID"}, "access_key_secret": {"env": "SMS_KEY_SECRET"},
            "callback_token": {"env": "SMS_TOKEN"}, "templates": templates,
        },
        "payments": {"use": "connector.demo-payments"},
        "entrance-tags": {"use": "rule.entrance-tags", "mark_in": "wecom"},
        "welcome": {"use": "rule.wecom-welcome", "channel": "wecom", "text": "欢迎！"},
        "bargain": {"use": "mechanic.bargain", "payments": "payments"},
        "group-buy": {"use": "mechanic.group-buy", "payments": "payments"},
        "rfm": {
            "use": "scorer.rfm", "window_days": 0, "recency": "quintile", "frequency": "quintile",
            "monetary": "quintile",
        },
        "value-score": {"use": "scorer.value-score", "gross_margin_pct": 50},
        "strategy": {"use": "rule.demo"},
    }  # fmt: skip
    environ = {
        "SCRMKIT_SECRET": "the demo draws from this and hides nothing",
        "WECOM_SECRET": wecom["secret"],
        "WECOM_TOKEN": wecom["token"],
        "WECOM_AES_KEY": wecom["encoding_aes_key"],
        "SMS_KEY_ID": sms["access_key_id"],
        "SMS_KEY_SECRET": sms["access_key_secret"],
        "SMS_TOKEN": _CALLBACK_TOKEN,
    }
    core = {
        "database": database,
        "stage_from": "value-score",
        # A busy machine must not change what the demo shows: nobody is stopped for being slow.
        "calls": {"budget_ms": 60_000, "quarantine_after": 1_000_000},
    }
    return settings_from({"scrmkit": core, "plugins": plugins}, environ)


def _organise(engine: Engine, invented: Invented) -> None:
    """Enter the invented brands, shops, guides and entrances."""
    values: list[Brand | Shop | Guide | Entrance] = [
        Brand(id=BrandId(brand.id), name=brand.name) for brand in invented.brands
    ]
    values += [Shop(id=ShopId(shop.id), name=shop.name, brand=BrandId(shop.brand_id)) for shop in invented.shops]
    values += [
        Guide(id=GuideId(guide.id), name=guide.name, shop=ShopId(guide.shop_id), accounts={"wecom": guide.id})
        for guide in invented.guides
    ]
    for name, title, shop in ENTRANCES:
        values.append(
            Entrance(
                token=token_of(name), name=title, source="wecom", shop=ShopId(shop),
                guide=GuideId(f"{shop}-1"), tags=(("source", name),),
                welcome=f"欢迎来到{title}，您的礼物已备好。",
                incentive=Incentive(benefit="gift:sticker", text="贴纸一张"),
            )
        )  # fmt: skip
    engine.organisation.put("main", *values)


def _connect(opened: World, url: str) -> None:
    """Tell the platforms where to call back, and register what they know beforehand."""
    opened.wecom.set_callback(f"{url}/callbacks/wecom")
    opened.sms.set_callback_urls(
        report=f"{url}/callbacks/sms/{_CALLBACK_TOKEN}/report", reply=f"{url}/callbacks/sms/{_CALLBACK_TOKEN}/reply"
    )
    for code, text in STRATEGIES.values():
        opened.sms.set_template(code=code, text=text, type="promotion")
