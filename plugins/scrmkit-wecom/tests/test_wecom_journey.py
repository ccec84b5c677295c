"""Channel, rules and sandbox together: a scan becomes a welcome and tags at the platform."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import attrs
import pytest

from scrmkit.clock import VirtualClock
from scrmkit.domain.chance import Chance
from scrmkit.domain.decisions import Now
from scrmkit.domain.effects import Propose, Request
from scrmkit.domain.ids import OutgoingId, StateToken, TenantId
from scrmkit.domain.messages import Accepted, Delivered, Outgoing, Refused, TryLater, Unknown
from scrmkit.domain.organisation import Entrance
from scrmkit.errors import CallbackRejectedError
from scrmkit.protocols import CallbackRequest, Inbound, PluginContext, Reply
from scrmkit.settings import Secret
from scrmkit.testing.sandbox import running
from scrmkit.testing.sandbox_faults import Fault
from scrmkit_wecom.bodies import AddContactWay, AddCorpTags, NewTag, Welcome
from scrmkit_wecom.channel import WeComChannel, WeComSettings
from scrmkit_wecom.client import WeComClient
from scrmkit_wecom.rules import EntranceTagsRule, EntranceTagsSettings, WelcomeRule, WelcomeSettings
from scrmkit_wecom.sandbox.server import WecomSandbox

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENTRANCE = Entrance(token=StateToken("table7"), name="table 7", tags=(("来源", "桌卡"),), welcome="欢迎光临")


class Shop:
    """What an engine does with the channel, by hand: callbacks in, effects out."""

    def __init__(self, sandbox: WecomSandbox, clock: VirtualClock) -> None:
        self.clock = clock
        self.sandbox = sandbox
        self.touchpoints: list[Any] = []
        settings = WeComSettings(
            corp_id=sandbox.corp_id,
            secret=Secret(sandbox.secret),
            token=Secret(sandbox.token),
            encoding_aes_key=Secret(sandbox.encoding_aes_key),
            base_url=sandbox.url,
        )
        self.channel = WeComChannel(PluginContext(name="wecom", settings=settings, clock=clock))
        self.rules = (
            WelcomeRule(PluginContext(name="w", settings=WelcomeSettings(), clock=clock)),
            EntranceTagsRule(PluginContext(name="t", settings=EntranceTagsSettings(mark_in="wecom"), clock=clock)),
        )
        shop = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shop.serve(self, b"")

            def do_POST(self) -> None:
                shop.serve(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *args: object) -> None:
                """Keep still."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def serve(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        query = {k: v[0] for k, v in parse_qs(urlsplit(handler.path).query).items()}
        try:
            inbound = self.channel.receive(CallbackRequest(method=handler.command, query=query, body=body))
        except CallbackRejectedError:
            inbound = Inbound(reply=Reply(status=403))
        self.touchpoints.extend(inbound.touchpoints)
        handler.send_response(inbound.reply.status)
        handler.end_headers()
        handler.wfile.write(inbound.reply.body)

    def send(self, operation: str, body: object, attempt: int = 1) -> Any:
        item = Outgoing(
            id=OutgoingId(1), tenant=TenantId("main"), key="k", body=body, attempt=attempt, planned_at=self.clock.now()
        )
        return self.channel.send(operation, [item])[0]

    def customer_scans(self) -> Any:
        """A new customer scans the table's code; the touchpoint, with its entrance found."""
        self.sandbox.scan(state="table7")
        assert self.sandbox.callbacks.wait_idle()
        return attrs.evolve(self.touchpoints[-1], entrance=ENTRANCE)

    def decide_and_send(self, touchpoint: Any) -> list[Any]:
        """Everything that the rules want done at the platform, done; the outcomes."""
        at = self.clock.now()
        now = Now(at=at, counts_at=at, zone=ZoneInfo("UTC"), chance=Chance(b"0"))
        outcomes = []
        for rule in self.rules:
            for effect in rule.decide(touchpoint, {}, now).effects:
                if isinstance(effect, Propose):
                    message = effect.message
                    outcomes.append(self.send(message.operation, message.content))
                elif isinstance(effect, Request):
                    outcomes.append(self.send(effect.operation, effect.body))
        return outcomes

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        self.channel.close()


@pytest.fixture
def shop() -> Iterator[Shop]:
    clock = VirtualClock(START)
    sandbox = WecomSandbox(clock)
    with running(sandbox):
        made = Shop(sandbox, clock)
        sandbox.set_callback(f"http://127.0.0.1:{made.server.server_port}/")
        member = made.channel._client.get_follow_user_list()[0]
        made.send("add_contact_way", AddContactWay(user=(member,), state="table7"))
        yield made
        made.close()


def welcomes(shop: Shop) -> list[str]:
    return [one["text"] for one in shop.sandbox.list_welcomes()["welcomes"]]


def test_a_customer_who_scans_is_greeted_once_and_tagged(shop):
    touchpoint = shop.customer_scans()

    outcomes = shop.decide_and_send(touchpoint)

    assert [type(one) for one in outcomes] == [Accepted, Delivered]
    assert welcomes(shop) == ["欢迎光临"]
    client: WeComClient = shop.channel._client
    customer = client.get_customer(touchpoint.identities[0].value)
    assert [(t.group, t.name) for t in customer.followers[0].tags] == [("来源", "桌卡")]
    assert customer.followers[0].state == "table7"


def test_a_second_welcome_of_one_contact_is_refused_by_the_platform(shop):
    touchpoint = shop.customer_scans()
    shop.decide_and_send(touchpoint)

    again = shop.send("welcome", Welcome(welcome_code=touchpoint.payload.welcome_code, text="x"))

    assert isinstance(again, Refused)
    assert again.code == "41051"
    assert welcomes(shop) == ["欢迎光临"]


def test_a_welcome_after_20_seconds_is_refused_by_the_platform(shop):
    touchpoint = shop.customer_scans()
    shop.clock.advance(timedelta(seconds=21))

    late = shop.send("welcome", Welcome(welcome_code=touchpoint.payload.welcome_code, text="x"))

    assert isinstance(late, Refused)
    assert late.code == "41050"


def test_a_welcome_passes_once_the_other_app_has_given_up(shop):
    touchpoint = shop.customer_scans()
    code = touchpoint.payload.welcome_code
    shop.sandbox.claim_welcome(code, "other_app_sending")
    busy = shop.send("welcome", Welcome(welcome_code=code, text="hello"))
    shop.sandbox.claim_welcome(code, "")

    passed = shop.send("welcome", Welcome(welcome_code=code, text="hello"), attempt=2)

    assert isinstance(busy, TryLater)
    assert passed == Accepted()


def test_a_token_that_the_platform_revoked_is_renewed_without_anyone_noticing(shop):
    touchpoint = shop.customer_scans()
    shop.sandbox.revoke_tokens()

    assert [type(one) for one in shop.decide_and_send(touchpoint)] == [Accepted, Delivered]


def test_a_repeated_callback_has_the_key_of_the_first(shop):
    shop.sandbox.scan(state="table7", duplicate=True)
    assert shop.sandbox.callbacks.wait_idle()

    assert len(shop.touchpoints) == 2
    assert len({one.key for one in shop.touchpoints}) == 1


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("add_contact_way", AddContactWay(user=("zhangsan",), state="lost")),
        ("add_corp_tag", AddCorpTags(group_name="Level", tags=(NewTag(name="Gold"),))),
    ],
)
def test_what_was_done_but_not_answered_is_found_again(shop, operation, body):
    shop.sandbox.faults.add(Fault(kind="drop", path=f"*/{operation}"))

    lost = shop.send(operation, body)
    item = Outgoing(id=OutgoingId(1), tenant=TenantId("m"), key="k", body=body, planned_at=shop.clock.now())
    (found,) = shop.channel.ask(operation, [item])

    assert isinstance(lost, Unknown)
    assert isinstance(found, Delivered)


def test_a_welcome_whose_reply_was_lost_is_found_to_have_arrived_by_trying_again(shop):
    touchpoint = shop.customer_scans()
    welcome = Welcome(welcome_code=touchpoint.payload.welcome_code, text="hello")
    shop.sandbox.faults.add(Fault(kind="drop", path="*/send_welcome_msg"))

    outcomes = [shop.send("welcome", welcome), shop.send("welcome", welcome, attempt=2)]

    assert [type(one) for one in outcomes] == [TryLater, Accepted]
    assert welcomes(shop) == ["hello"]
