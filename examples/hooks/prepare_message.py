"""Signs every text with the name of the business."""

from __future__ import annotations

import attrs

from scrmkit import Message, PluginContext, Sending, hookimpl


@attrs.frozen(kw_only=True)
class SignatureSettings:
    """Settings of ``hooks.signature``."""

    name: str


class Signature:
    """Adds the signature to contents that are a text, once."""

    Settings = SignatureSettings

    def __init__(self, context: PluginContext[SignatureSettings]) -> None:
        self.signature = f" — {context.settings.name}"

    @hookimpl
    def scrmkit_prepare_message(self, sending: Sending) -> Message | None:
        text = getattr(sending.message.content, "text", None)
        if not isinstance(text, str) or text.endswith(self.signature):
            return None
        content = attrs.evolve(sending.message.content, text=text + self.signature)
        return attrs.evolve(sending.message, content=content)
