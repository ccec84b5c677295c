"""
A Django shop whose orders and touchpoints commit together.

One file, as Django allows it; in a project the settings, the model and the view
stand where they always do. What is special is in ``pay`` and in ``django_join.py``.
"""

from __future__ import annotations

import functools
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import django
from django.conf import settings
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django_shop.django_join import joined

from scrmkit import ConflictError, Engine, Identity, OrderPaid, StorageUnavailableError, Touchpoint, load_settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": "shop.db",
            # SQLite cannot turn a transaction that has read into one that writes while
            # another one writes: begin as a writer.
            "OPTIONS": {"transaction_mode": "IMMEDIATE"},
        }
    },
    ROOT_URLCONF=__name__,
    USE_TZ=True,
)
django.setup()


class Order(models.Model):
    """An order of the shop's own."""

    no = models.CharField(max_length=32, unique=True)
    amount_fen = models.IntegerField()

    class Meta:
        app_label = "shop"


@functools.cache
def scrm() -> Engine:
    """The engine of this process, in the shop's own database."""
    return Engine(load_settings(Path("scrmkit.toml"), os.environ))


@csrf_exempt
def pay(request: HttpRequest) -> HttpResponse:
    """Take an order's payment in: the order and the touchpoint, or none of the two."""
    told = json.loads(request.body)
    paid = Touchpoint(
        kind="order.paid",
        key=told["no"],
        occurred_at=datetime.now(UTC),
        payload=OrderPaid(order_no=told["no"], amount_fen=told["amount_fen"]),
        identities=(Identity(kind="phone", value=told["phone"]),),
        source="shop",
    )
    try:
        with transaction.atomic():
            Order.objects.create(no=told["no"], amount_fen=told["amount_fen"])
            with joined(scrm()) as recording:
                outcome = recording.record(paid)
    except (ConflictError, StorageUnavailableError):
        return HttpResponse(status=503, headers={"Retry-After": "1"})
    answers = {plugin: dict(answer) for plugin, answer in outcome.answers.items()}
    return JsonResponse({"answers": answers})


urlpatterns = [path("pay", pay)]
