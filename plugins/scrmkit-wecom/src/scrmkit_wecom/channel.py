"""WeCom as a channel: callbacks in, welcomes, contact ways and tags out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

import attrs

from scrmkit.domain.identity import EXTERNAL_USERID, Identity
from scrmkit.domain.messages import (
    Accepted,
    Delivered,
    DeliveryOutcome,
    Operation,
    Outgoing,
    Refused,
    TryLater,
    Unknown,
)
from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.errors import CallbackRejectedError, InvalidValueError, RefusedError, TryLaterError, UnknownOutcomeError
from scrmkit.protocols import CallbackRequest, Inbound, PluginContext, Reply
from scrmkit.settings import Secret
from scrmkit_wecom.api import (
    BASE_URL,
    TIMEOUT,
    AlreadyWelcomedError,
    Credentials,
    LostReplyError,
    RateLimitedError,
    WrongSetupError,
    checked_address,
)
from scrmkit_wecom.bodies import (
    AddContactWay,
    AddCorpTags,
    DeleteContactWay,
    DeleteCorpTags,
    EditCorpTag,
    MarkTag,
    UpdateContactWay,
    Welcome,
)
from scrmkit_wecom.client import WeComClient
from scrmkit_wecom.crypto import CallbackCrypto, check_encoding_aes_key, check_token
from scrmkit_wecom.inbound import Reader
from scrmkit_wecom.kinds import WECOM_KINDS
from scrmkit_wecom.library import TagLibrary
from scrmkit_wecom.parsing import parse_event
from scrmkit_wecom.records import CorpTagGroup

CLOCK_SKEW = timedelta(minutes=10)
"""How far the platform's clock and ours may lie apart when a lost request is looked for."""

_NO_SUCH_TAG = "40068"


def _some(instance: object, attribute: object, value: str) -> None:
    if not value:
        raise InvalidValueError("the company's id is missing")


def _token(instance: object, attribute: object, value: Secret) -> None:
    check_token(value.reveal())


def _encoding_aes_key(instance: object, attribute: object, value: Secret) -> None:
    check_encoding_aes_key(value.reveal())


def _address(instance: object, attribute: object, value: str) -> None:
    checked_address(value)


def _above_zero(instance: object, attribute: object, value: timedelta) -> None:
    if value <= timedelta(0):
        raise InvalidValueError("a timeout is longer than nothing")


@attrs.frozen(kw_only=True)
class WeComSettings:
    """
    One self-built app (自建应用) of one company.

    Attributes:
        corp_id: The company's id, such as ``ww…``.
        agent_id: The app's number, for our own people.
        secret: The app's secret.
        token: Of the callback's configuration, up to 32 letters and digits.
        encoding_aes_key: Of the callback's configuration, 43 letters and digits.
        base_url: Another address than the platform's, such as the sandbox's.
        timeout: How long a reply may take. A welcome has 20 s in all.
    """

    corp_id: str = attrs.field(validator=_some)
    agent_id: str = ""
    secret: Secret
    token: Secret = attrs.field(validator=_token)
    encoding_aes_key: Secret = attrs.field(validator=_encoding_aes_key)
    base_url: str = attrs.field(default=BASE_URL, validator=_address)
    timeout: timedelta = attrs.field(default=TIMEOUT, validator=_above_zero)


class WeComChannel:
    """
    The channel WeCom (企业微信).

    A welcome may be tried again whatever happened: its code works once, so
    nobody is welcomed twice. Tags and contact ways are made anew by every call,
    so a lost answer is looked up in the platform's own lists.
    """

    Settings = WeComSettings
    touchpoint_kinds: ClassVar[tuple[TouchpointKind[Any], ...]] = WECOM_KINDS
    operations: ClassVar[Mapping[str, Operation]] = {
        "welcome": Operation(body=Welcome, idempotent=True, priority=0),
        "add_contact_way": Operation(body=AddContactWay, addressed=False),
        "update_contact_way": Operation(body=UpdateContactWay, addressed=False, idempotent=True),
        "del_contact_way": Operation(body=DeleteContactWay, addressed=False, idempotent=True),
        "add_corp_tag": Operation(body=AddCorpTags, addressed=False),
        "edit_corp_tag": Operation(body=EditCorpTag, addressed=False, idempotent=True),
        "del_corp_tag": Operation(body=DeleteCorpTags, addressed=False, idempotent=True),
        "mark_tag": Operation(body=MarkTag, addressed=False, idempotent=True),
    }

    def __init__(self, context: PluginContext[WeComSettings]) -> None:
        settings = context.settings
        self._clock = context.clock
        self._corp_id = settings.corp_id
        self._crypto = CallbackCrypto(settings.token.reveal(), settings.encoding_aes_key.reveal(), settings.corp_id)
        self._reader = Reader(source=context.name, corp_id=settings.corp_id)
        self._client = WeComClient(
            Credentials(corp_id=settings.corp_id, secret=settings.secret.reveal()),
            context.clock,
            base_url=settings.base_url,
            timeout=settings.timeout,
        )
        self._lost_welcomes: deque[str | None] = deque(maxlen=1_000)
        self._library = TagLibrary(self._client)
        self._doers: Mapping[str, Callable[[Any], DeliveryOutcome]] = {
            "welcome": self._welcome,
            "add_contact_way": self._add_contact_way,
            "update_contact_way": _done(self._client.update_contact_way),
            "del_contact_way": self._del_contact_way,
            "add_corp_tag": self._add_corp_tag,
            "edit_corp_tag": _done(self._client.edit_corp_tag),
            "del_corp_tag": _done(self._client.del_corp_tag),
            "mark_tag": self._mark_tag,
        }

    def close(self) -> None:
        """Close the connections to the platform."""
        self._client.close()

    def reach(self, identities: Sequence[Identity]) -> Identity | None:
        """The customer's ``external_userid`` in this company."""
        return next(
            (
                identity
                for identity in identities
                if identity.kind == EXTERNAL_USERID and identity.scope == self._corp_id
            ),
            None,
        )

    def receive(self, request: CallbackRequest) -> Inbound:
        """
        Read a URL verification (GET) or an event (POST).

        The answer to an event is empty: welcomes and everything else are sent
        afterwards, since the platform waits no longer than five seconds.

        Raises:
            CallbackRejectedError: It is not authentic or not readable.
        """
        query = request.query
        signature, timestamp = query.get("msg_signature", ""), query.get("timestamp", "")
        nonce = query.get("nonce", "")
        if request.method == "GET":
            # Some proxies undo the escape of '+', which then reads as a space;
            # base64 has none, and the signature tells whether this was it.
            echo = query.get("echostr", "").replace(" ", "+")
            message = self._crypto.verify_url(signature, timestamp, nonce, echo)
            return Inbound(reply=Reply(body=message.encode()))
        if request.method == "POST":
            xml = self._crypto.decrypt(signature, timestamp, nonce, request.body)
            found = self._reader.touchpoints(parse_event(xml), self._clock.now())
            return Inbound(touchpoints=found)
        raise CallbackRejectedError("WeCom calls with GET and POST only", code="method")

    def send(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Do each item once; see `Connector.send`."""
        do = self._doers[operation]
        return [_outcome(do, item.body) for item in batch]

    def ask(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Look up in the platform's lists what became of items; see `Connector.ask`."""
        finders: Mapping[str, Callable[[Outgoing], DeliveryOutcome]] = {
            "add_contact_way": self._find_contact_way,
            "add_corp_tag": self._find_corp_tags,
        }
        return [_found(finders.get(operation, _harmless), item) for item in batch]

    def _welcome(self, body: Welcome) -> DeliveryOutcome:
        try:
            self._client.send_welcome_msg(body)
        except LostReplyError:
            self._lost_welcomes.append(body.welcome_code)
            raise
        except AlreadyWelcomedError:
            # Most likely ours, whose reply was lost a moment ago.
            if body.welcome_code not in self._lost_welcomes:
                raise
        return Accepted()

    def _add_contact_way(self, body: AddContactWay) -> DeliveryOutcome:
        added = self._client.add_contact_way(body)
        return _way_added(added.config_id, added.qr_code)

    def _del_contact_way(self, body: DeleteContactWay) -> DeliveryOutcome:
        self._client.del_contact_way(body.config_id)
        return Delivered()

    def _add_corp_tag(self, body: AddCorpTags) -> DeliveryOutcome:
        return _tags_added(self._client.add_corp_tag(body))

    def _mark_tag(self, body: MarkTag) -> DeliveryOutcome:
        try:
            self._client.mark_tag(self._by_id(body))
        except RefusedError as error:
            if error.code != _NO_SUCH_TAG or not body.add_named:
                raise
            # Somebody has deleted a tag since we read the library.
            self._library.forget()
            self._client.mark_tag(self._by_id(body))
        return Delivered()

    def _by_id(self, body: MarkTag) -> MarkTag:
        if not body.add_named:
            return body
        found = self._library.ids(body.add_named)
        return attrs.evolve(body, add_tag=(*body.add_tag, *found), add_named=())

    def _find_contact_way(self, item: Outgoing) -> DeliveryOutcome:
        wanted: AddContactWay = item.body
        if not wanted.state:
            return Unknown(reason="a contact way without a state cannot be told from others")
        for config_id in self._client.list_contact_way(item.planned_at - CLOCK_SKEW):
            way = self._client.get_contact_way(config_id)
            if (way.state, way.user) == (wanted.state, wanted.user):
                return _way_added(config_id, way.qr_code)
        return TryLater(reason="WeCom lists no such contact way")

    def _find_corp_tags(self, item: Outgoing) -> DeliveryOutcome:
        wanted: AddCorpTags = item.body
        names = {tag.name for tag in wanted.tags}
        for group in self._client.get_corp_tag_list():
            if group.id == wanted.group_id or (not wanted.group_id and group.name == wanted.group_name):
                ours = tuple(tag for tag in group.tags if tag.name in names)
                if {tag.name for tag in ours} == names:
                    return _tags_added(attrs.evolve(group, tags=ours))
        return TryLater(reason="WeCom lists no such tags")


def _done(call: Callable[[Any], None]) -> Callable[[Any], DeliveryOutcome]:
    def do(body: Any) -> DeliveryOutcome:
        call(body)
        return Delivered()

    return do


def _outcome(do: Callable[[Any], DeliveryOutcome], body: Any) -> DeliveryOutcome:
    """What became of one call; here the client's errors become outcomes."""
    try:
        return do(body)
    except WrongSetupError as error:
        # Nothing is wrong with the item: it can go once somebody has mended the set-up.
        return TryLater(reason=str(error), lane=True)
    except RefusedError as error:
        return Refused(code=error.code, reason=str(error))
    except InvalidValueError as error:
        return Refused(code="invalid", reason=str(error))
    except TryLaterError as error:
        limited = isinstance(error, RateLimitedError)
        return TryLater(reason=str(error), after=error.retry_after, lane=limited)
    except UnknownOutcomeError as error:
        return Unknown(reason=str(error))


def _found(find: Callable[[Outgoing], DeliveryOutcome], item: Outgoing) -> DeliveryOutcome:
    try:
        return find(item)
    except (RefusedError, TryLaterError) as error:
        return Unknown(reason=str(error))


def _harmless(item: Outgoing) -> DeliveryOutcome:
    return TryLater(reason="doing it again does no harm")


def _way_added(config_id: str, qr_code: str) -> Delivered:
    return Delivered(provider_id=config_id, answer={"config_id": config_id, "qr_code": qr_code})


def _tags_added(group: CorpTagGroup) -> Delivered:
    return Delivered(
        provider_id=group.id, answer={"group_id": group.id, "tags": {tag.name: tag.id for tag in group.tags}}
    )
