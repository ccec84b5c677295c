"""Checking texts and attachments of messages; limits in bytes and characters as the pages say."""

from __future__ import annotations

from typing import Any

from scrmkit_wecom.sandbox.errors import ATTACHMENT_COUNT, ATTACHMENT_TYPE, BAD_PARAMETER, EMPTY_PARAMETER, ApiError
from scrmkit_wecom.sandbox.fields import Fields

TEXT_BYTES = 4000
TITLE_BYTES = 128
DESCRIPTION_BYTES = 512
MINI_TITLE_BYTES = 64
MOST_ATTACHMENTS = 9
"""Limits of a welcome. Source: WeCom API, 发送新客户欢迎语 (path/92137), read 2026-11.
Which errcode a breach of them gets is not documented: 40058, except for the count."""


def check_welcome(body: Fields) -> tuple[str, list[Any]]:
    """
    The text and the attachments of a welcome.

    Raises:
        ApiError: They are both empty, or one is not as it should be.
    """
    text = body.part("text").text("content", most_bytes=TEXT_BYTES)
    attachments = body.parts("attachments")
    if not text and not attachments:
        raise ApiError(EMPTY_PARAMETER, "text and attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise ApiError(ATTACHMENT_COUNT)
    for attachment in attachments:
        kind = attachment.text("msgtype", missing=ATTACHMENT_TYPE, wrong=ATTACHMENT_TYPE)
        if kind not in ("image", "link", "miniprogram", "video", "file"):
            raise ApiError(ATTACHMENT_TYPE, kind)
        check_part(kind, attachment.part(kind))
    return text, body.raw("attachments") or []


def check_conclusions(body: Fields) -> dict[str, Any]:
    """
    What a temporary chat ends with (结束语).

    Source: WeCom API, 客户联系「联系我」管理 (path/92228), read 2026-11.

    Raises:
        ApiError: A part is not as it should be.
    """
    conclusions = body.part("conclusions")
    conclusions.part("text").text("content", most_bytes=TEXT_BYTES)
    for kind in ("image", "link", "miniprogram"):
        if kind in conclusions:
            check_part(kind, conclusions.part(kind))
    return dict(body.raw("conclusions") or {})


def check_part(kind: str, part: Fields) -> None:
    """
    Check one picture, link, mini-program page, film or file.

    Media ids are taken on trust: this sandbox has no media.

    Raises:
        ApiError: A member is missing or too long.
    """
    match kind:
        case "image":
            if not (part.text("media_id") or part.text("pic_url")):
                raise ApiError(BAD_PARAMETER, "image needs media_id or pic_url")
        case "link":
            part.text("title", most_bytes=TITLE_BYTES, missing=BAD_PARAMETER)
            part.text("picurl")
            part.text("desc", most_bytes=DESCRIPTION_BYTES)
            part.text("url", missing=BAD_PARAMETER)
        case "miniprogram":
            part.text("title", most_bytes=MINI_TITLE_BYTES, missing=BAD_PARAMETER)
            for name in ("pic_media_id", "appid", "page"):
                part.text(name, missing=BAD_PARAMETER)
        case _:
            part.text("media_id", missing=BAD_PARAMETER)
