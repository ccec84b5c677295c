"""The company's tags by name: looked up, kept, and made where they are missing."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from scrmkit.errors import RefusedError, TryLaterError, UnknownOutcomeError
from scrmkit_wecom.bodies import AddCorpTags, NewTag
from scrmkit_wecom.client import WeComClient

Name = tuple[str, str]
_NAME_EXISTS = "40071"


class TagLibrary:
    """The ids of the company's tags (企业客户标签) by ``(group, name)``; safe to share."""

    def __init__(self, client: WeComClient) -> None:
        self._client = client
        self._ids: dict[Name, str] = {}
        # One at a time, or two threads make the same tag.
        self._lock = threading.Lock()

    def ids(self, names: Sequence[Name]) -> tuple[str, ...]:
        """
        The ids of *names*, in their order.

        Raises:
            RefusedError: A missing tag may not be made.
            TryLaterError: The library cannot be read, or may be changing.
        """
        with self._lock:
            if not self._has(names):
                self._read()
            if not self._has(names):
                self._make([name for name in dict.fromkeys(names) if name not in self._ids])
            return tuple(self._ids[name] for name in names)

    def forget(self) -> None:
        """Read the library anew at the next question; somebody has deleted from it."""
        with self._lock:
            self._ids.clear()

    def _has(self, names: Sequence[Name]) -> bool:
        return all(name in self._ids for name in names)

    def _read(self) -> None:
        self._ids = {
            (group.name, tag.name): tag.id
            for group in self._client.get_corp_tag_list()
            for tag in group.tags
            if not (group.deleted or tag.deleted)
        }

    def _make(self, missing: Sequence[Name]) -> None:
        for group in dict.fromkeys(group for group, _ in missing):
            tags = tuple(NewTag(name=name) for one, name in missing if one == group)
            try:
                self._client.add_corp_tag(AddCorpTags(group_name=group, tags=tags))
            except UnknownOutcomeError as error:
                # The next try finds it in the library if it was made after all.
                raise TryLaterError(str(error)) from None
            except RefusedError as error:
                if error.code != _NAME_EXISTS:
                    raise
        self._read()
        if not self._has(missing):
            raise TryLaterError("WeCom does not list the tags that were just added yet")
