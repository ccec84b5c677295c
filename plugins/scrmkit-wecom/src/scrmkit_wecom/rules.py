"""Small rules for new contacts: greet them, and tag them by where they came from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import attrs

from scrmkit.domain.decisions import Decision, Now
from scrmkit.domain.effects import AddTag, Effect, Propose, Request
from scrmkit.domain.identity import EXTERNAL_USERID
from scrmkit.domain.kinds import ContactAdded
from scrmkit.domain.messages import Message, Purpose
from scrmkit.domain.organisation import Entrance
from scrmkit.domain.profile import TagSource
from scrmkit.domain.reads import Known, Read
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import InvalidValueError
from scrmkit.protocols import PluginContext
from scrmkit_wecom.bodies import MarkTag, Welcome
from scrmkit_wecom.limits import max_bytes

WELCOME_WINDOW = timedelta(seconds=20)
"""How long a WeCom ``welcome_code`` lives; it works once.
Source: WeCom API, 发送新客户欢迎语 (path/92137), read 2026-11."""


def welcome_slot(touchpoint: Touchpoint[Any]) -> str:
    """
    The slot in which all welcomes of one new contact compete.

    A rule of another package that proposes a welcome names it too, so that
    exactly one is sent.
    """
    return f"wecom.welcome/{touchpoint.key}"


@attrs.frozen(kw_only=True)
class WelcomeSettings:
    """
    How new contacts are greeted.

    Attributes:
        channel: The configured WeCom channel's name.
        text: For who came by no entrance, or by one without a text of its own;
            up to 4,000 bytes. Empty: no welcome for them.
    """

    channel: str = "wecom"
    text: str = attrs.field(default="", validator=max_bytes(4_000, called="text"))


class WelcomeRule:
    """Proposes the welcome (欢迎语) of the entrance, or the default one, inside its 20 s."""

    Settings = WelcomeSettings
    kinds = frozenset({"contact.added"})

    def __init__(self, context: PluginContext[WelcomeSettings]) -> None:
        self._settings = context.settings

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """Nothing: the event carries all of it."""
        return ()

    def decide(self, touchpoint: Touchpoint[ContactAdded], known: Known, now: Now) -> Decision | None:
        """Propose one welcome, or say why there is none."""
        if touchpoint.source != self._settings.channel:
            return None
        if not touchpoint.payload.welcome_code:
            return Decision(code="no_code", reason="the platform allows no welcome here")
        ends_at = touchpoint.occurred_at + WELCOME_WINDOW
        if now.at >= ends_at:
            return Decision(code="too_late", reason="the 20 s for a welcome were over on arrival")
        text = _text(touchpoint.entrance, self._settings.text)
        if not text:
            return Decision(code="no_text", reason="neither entrance nor settings name a text")
        try:
            welcome = Welcome(welcome_code=touchpoint.payload.welcome_code, text=text)
        except InvalidValueError as error:
            return Decision(code="bad_text", reason=f"the entrance's welcome: {error}")
        message = Message(
            channel=self._settings.channel,
            operation="welcome",
            content=welcome,
            purpose=Purpose.SERVICE,
            not_after=ends_at,
        )
        slot = welcome_slot(touchpoint)
        return Decision(reason="a new contact is greeted", effects=(Propose(message=message, once=slot, slot=slot),))


@attrs.frozen(kw_only=True)
class EntranceTagsSettings:
    """
    How customers are tagged by where they came from.

    Attributes:
        mark_in: Name of a configured WeCom channel in which a new contact gets
            the same tags as corp tags (企业标签); empty for none.
    """

    mark_in: str = ""


class EntranceTagsRule:
    """Gives who comes in by an entrance (入口) the tags that it names."""

    Settings = EntranceTagsSettings
    kinds = frozenset({"contact.added", "entrance.scanned"})

    def __init__(self, context: PluginContext[EntranceTagsSettings]) -> None:
        self._settings = context.settings

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """Nothing: the entrance comes with the touchpoint."""
        return ()

    def decide(self, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Decision | None:
        """Tag the customer with what the entrance names."""
        entrance = touchpoint.entrance
        if entrance is None or not entrance.tags:
            return None
        tags: tuple[Effect, ...] = tuple(
            AddTag(group=group, name=name, source=TagSource.SOURCE) for group, name in entrance.tags
        )
        return Decision(reason=f"came in by {entrance.name}", effects=(*tags, *self._marks(touchpoint, entrance)))

    def _marks(self, touchpoint: Touchpoint[Any], entrance: Entrance) -> Iterable[Effect]:
        if not self._settings.mark_in or touchpoint.source != self._settings.mark_in:
            return
        account = getattr(touchpoint.payload, "account", "")
        for identity in touchpoint.identities:
            if account and identity.kind == EXTERNAL_USERID:
                yield Request(
                    connector=self._settings.mark_in,
                    operation="mark_tag",
                    body=MarkTag(userid=account, external_userid=identity.value, add_named=entrance.tags),
                    once=f"mark/{touchpoint.key}",
                )


def _text(entrance: Entrance | None, default: str) -> str:
    """The entrance's welcome, else the default, with the entrance's promise if it lacks it."""
    if entrance is None:
        return default
    text = entrance.welcome or default
    promise = "" if entrance.incentive is None else entrance.incentive.text
    if not promise or promise in text:
        return text
    return f"{text}\n{promise}" if text else promise
