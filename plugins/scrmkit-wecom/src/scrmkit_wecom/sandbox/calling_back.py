"""The sandbox's side that calls back: events, signed and encrypted, to one verified address."""

from __future__ import annotations

import hashlib
import random
import re
import string
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from scrmkit.clock import Clock
from scrmkit.errors import InvalidValueError
from scrmkit.testing.sandbox import Callback, Sandbox, control, exchange, local_address
from scrmkit_wecom.crypto import RANDOM_BYTES, CallbackCrypto
from scrmkit_wecom.sandbox.corp import Corp
from scrmkit_wecom.xmltext import cdata

VERIFICATION_TIMEOUT = timedelta(seconds=1)
"""How soon a URL verification must be answered.
Source: WeCom API, 回调配置 (path/90930), read 2026-11."""

AGENT_ID = "1000002"
_KEPT = 10_000
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)
_LETTERS = string.ascii_letters + string.digits

Value = str | int | Sequence[str]


class CallingBack(Sandbox):
    """A company with one app, and the address that its events are pushed to."""

    name = "wecom"
    secrets = ("access_token", "corpsecret")

    def __init__(self, clock: Clock | None = None, seed: int = 0) -> None:
        super().__init__(clock, seed)
        draw = random.Random(f"scrmkit-wecom:{seed}")
        self.corp_id = "ww" + "".join(draw.choices("0123456789abcdef", k=16))
        self.secret = "".join(draw.choices(_LETTERS, k=43))
        self.token = "".join(draw.choices(_LETTERS, k=24))
        self.encoding_aes_key = "".join(draw.choices(_LETTERS, k=43))
        self._crypto = CallbackCrypto(self.token, self.encoding_aes_key, self.corp_id)
        self.forget()

    def credentials(self) -> dict[str, str]:
        """Address, company, app, and what its callbacks are signed and encrypted with."""
        return {
            "url": self.url,
            "corp_id": self.corp_id,
            "secret": self.secret,
            "agent_id": AGENT_ID,
            "token": self.token,
            "encoding_aes_key": self.encoding_aes_key,
        }

    def forget(self) -> None:
        """Start with an empty company and no callback address."""
        self.corp = Corp(self.seed)
        self.callback_url = ""
        self._bad_signatures = 0
        self._events: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    # The address

    @control("POST", "callback", locked=False, example={"url": "http://127.0.0.1:8000/callback"})
    def set_callback(self, url: Annotated[str, "where events go, on this machine; empty to stop"]) -> dict[str, str]:
        """Set the callback address, after it has answered a URL verification within 1 s."""
        if url:
            self._verify(local_address(url))
        with self.lock:
            self.callback_url = url
        return {"url": url}

    @control("GET", "callback")
    def show_callback(self) -> dict[str, str]:
        """Show the callback address."""
        return {"url": self.callback_url}

    def _verify(self, url: str) -> None:
        with self.lock:
            message = "".join(self.chance.choices(string.digits, k=19))
            echostr = self._crypto.seal(message, random16=self.chance.randbytes(RANDOM_BYTES))
            timestamp, nonce = self._stamp()
        signature = self._crypto.signature(timestamp, nonce, echostr)
        query = {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": echostr}
        request = Callback(url=_with_query(url, query), method="GET")
        try:
            answer = exchange(request, timeout=VERIFICATION_TIMEOUT)
        except OSError as error:
            raise InvalidValueError(
                "the callback address was not saved: it did not answer the verification within 1 s"
            ) from error
        if answer.status != 200 or answer.body != message.encode():
            raise InvalidValueError(
                "the callback address was not saved: it answered the verification with status "
                f"{answer.status} and something else than the bare decrypted message; the token, "
                "the key or the corp id may differ"
            )

    # Events

    @control("POST", "callback-faults", example={"kind": "duplicate"})
    def spoil_callbacks(
        self,
        kind: Annotated[
            Literal["duplicate", "drop", "reorder", "slow", "bad_signature"],
            "sent twice, never, after the next one, late, or signed wrongly",
        ],
        times: Annotated[int, "how many callbacks; from 1"] = 1,
        seconds: Annotated[float, "how late slow is, on the sandbox's clock"] = 10.0,
    ) -> dict[str, Any]:
        """Let the next callbacks go wrong."""
        if kind != "bad_signature":
            return super().spoil_callbacks(kind, times, seconds)
        if times < 1:
            raise InvalidValueError("'times' starts at 1")
        self._bad_signatures += times
        return {"kind": kind, "times": times}

    @control("POST", "emit", example={"members": {"Event": "brand_new", "ChangeType": "x"}})
    def emit(
        self,
        members: Annotated[dict[str, Any], "the event's own members; the head is added"],
        from_user: Annotated[str, "FromUserName"] = "sys",
        agent: Annotated[bool, "whether it concerns the app: the envelope names it"] = False,
        duplicate: Annotated[bool, "push it twice, as the platform may"] = False,
    ) -> dict[str, Any]:
        """Cause any callback, also one of a kind that nobody knows."""
        for name, value in members.items():
            if not _NAME.fullmatch(name) or not _is_value(value):
                raise InvalidValueError("'members' have XML names, and hold a text, an integer or a list of texts")
        head: dict[str, Value] = {
            "ToUserName": self.corp_id,
            "FromUserName": from_user,
            "CreateTime": int(self.clock.now().timestamp()),
            "MsgType": "event",
        }
        event = {**head, **members}
        is_pushed = bool(self.callback_url)
        self._events.append({"members": event, "pushed": is_pushed})
        if is_pushed:
            callback = self._callback(event, agent)
            for _ in range(1 + duplicate):
                self.callbacks.push(callback)
        return {"members": event, "pushed": is_pushed}

    @control("GET", "events")
    def list_events(self) -> dict[str, Any]:
        """List what people did, as the members of its callbacks; also where no address was set."""
        return {"events": list(self._events)}

    def _callback(self, event: Mapping[str, Value], agent: bool) -> Callback:
        timestamp, nonce = self._stamp()
        delivery = self._crypto.deliver(
            xml_of(event),
            timestamp,
            nonce,
            random16=self.chance.randbytes(RANDOM_BYTES),
            agent_id=AGENT_ID if agent else "",
        )
        query = dict(delivery.query)
        if self._bad_signatures:
            self._bad_signatures -= 1
            signature = query["msg_signature"]
            query["msg_signature"] = hashlib.sha1(signature.encode(), usedforsecurity=False).hexdigest()
        about = "/".join(str(event[name]) for name in ("MsgType", "Event", "ChangeType") if name in event)
        return Callback(
            url=_with_query(self.callback_url, query),
            body=delivery.body,
            headers={"Content-Type": "text/xml; charset=UTF-8"},
            about=about,
        )

    def _stamp(self) -> tuple[str, str]:
        timestamp = str(int(self.clock.now().timestamp()))
        return timestamp, "".join(self.chance.choices(string.digits, k=10))


def xml_of(members: Mapping[str, Value]) -> str:
    """The XML of an event: numbers plain, texts in CDATA, lists as items; what XML cannot hold is replaced."""
    return f"<xml>{''.join(_element(name, value) for name, value in members.items())}</xml>"


def _element(name: str, value: Value) -> str:
    if isinstance(value, int):
        inner = str(int(value))
    elif isinstance(value, str):
        inner = _text(value)
    else:
        inner = "".join(f"<Item>{_text(each)}</Item>" for each in value)
    return f"<{name}>{inner}</{name}>"


def _is_value(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str) for each in value)
    return isinstance(value, str | int)


def _text(value: str) -> str:
    return cdata(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value))


def _with_query(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
