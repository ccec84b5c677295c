"""
A plugin framework and SDK for building social CRM (SCRM, 私域) systems.

The public names, each from the module that defines it, loaded on first use:
importing this package loads nothing. ``__init__.pyi`` tells type checkers.
"""

from importlib import import_module as _import_module

__version__ = "0.1.0"

_NAMES = {
    "engine": "AsyncEngine Engine Joined",
    "settings": "Secret Settings load_settings settings_from",
    "clock": "Clock SystemClock VirtualClock",
    "hooks": "Failure Finding HookKind Proposal Route Sending hookimpl",
    "protocols": """Address Alias CallbackRequest Channel Connector Inbound Mechanic NewInstance
        OpenInstances PluginContext Reply Rule Scorer""",
    "worker": "Done Outbox Worker",
    "domain.campaign": "Campaign CampaignStatus Instance InstanceRef Participant",
    "domain.chance": "Chance",
    "domain.decisions": "Decision Deny Now Outcome Said Step",
    "domain.effects": """AddAlias AddTag CancelTimer ChangeParticipant CommitReservation Effect Emit
        Join Leave Leg OpenInstance Post Propose RecordConsent ReleaseReservation Remember
        RemoveTag Request Reserve SetAttribute SetScore StartTimer""",
    "domain.identity": "Identity personal",
    "domain.ids": """BrandId CampaignId CustomerId GuideId OutgoingId ShopId StateToken TenantId
        TouchpointId""",
    "domain.kinds": """Answered BroadcastPlanned CampaignChanged ConsentChanged ContactAdded
        ContactRemoved CustomerMerged CustomerSplit GroupChatJoined GroupChatLeft MessageReceived
        Noted Nothing OrderCancelled OrderPaid OrderRefunded ReservationExpired
        ScoreBanded ScoresComputed Settled TimerDue""",
    "domain.messages": """Accepted AnswerTo Delivered DeliveryOutcome Message Operation Outgoing
        Purpose Refund Refused Report Status TryLater Undelivered Unknown""",
    "domain.money": "split_fen",
    "domain.organisation": "Brand Entrance Guide Incentive Shop",
    "domain.policy": "Cap Facts Policy QuietHours Verdict",
    "domain.profile": "Consent Customer Part Score Tag TagGroup TagSource",
    "domain.reads": """Activity ActivityOf Attributes BalanceOf Consents Known Memo ParticipantOf
        Participants Parts PartsOf Read ScoreOf Stock StockOf Tags""",
    "domain.touchpoint": "Touchpoint TouchpointKind Witness",
    "errors": """CallbackRejectedError ChannelError ConflictError InvalidValueError LoopError
        MissingExtraError PluginError RefusedError SchemaOutOfDateError ScrmkitError
        SecondWriterError SettingsError StorageError StorageUnavailableError TenantRequiredError
        TryLaterError UndeclaredReadError UnknownKindError UnknownNameError UnknownOutcomeError""",
}
_OWNERS = {name: module for module, names in _NAMES.items() for name in names.split()}

__all__ = tuple(sorted(_OWNERS))


def __getattr__(name: str) -> object:
    if name not in _OWNERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_import_module(f"{__name__}.{_OWNERS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
