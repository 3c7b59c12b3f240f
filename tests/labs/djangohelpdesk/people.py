"""Fills a fresh django-helpdesk, inside its own environment: accounts, a queue, who may what."""

import json
import os

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from helpdesk.models import Queue  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

desk = User.objects.create_user(
    "desk", "desk@lab.example", os.environ["LAB_PASSWORD"], is_staff=True
)
User.objects.create_user("rex", "rex@lab.example", os.environ["LAB_PASSWORD"], is_staff=True)
User.objects.create_user("nobody", "nobody@lab.example", os.environ["LAB_PASSWORD"])
queue = Queue.objects.create(
    title="Sign-in", slug="signin", email_address="signin@lab.example", allow_public_submission=True
)
print(json.dumps({"token": Token.objects.create(user=desk).key, "queue": queue.pk}))  # noqa: T201
