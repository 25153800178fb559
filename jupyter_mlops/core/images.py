"""Images of projects: what they run, and where."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .exceptions import InvalidInput
from .exports import IMAGE
from .resources import Request

#: What an image may run: what ends by itself.
COMMANDS = ("run", "sweep", "pipeline run")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectImage:
    """What an image is to run, and what a cluster is told of it."""

    #: Words after ``jupyter mlops``.
    command: tuple[str, ...]
    #: Its name, with the registry's.
    image: str
    #: Cores, memory and GPUs of a job.
    resources: Request
    #: Five fields of a cron line and a time zone; None: it runs once.
    schedule: tuple[str, str] | None = None
    #: Volume claim that keeps the state, and secret whose entries become variables.
    claim: str | None = None
    secret: str | None = None


def check(image: ProjectImage) -> None:
    """Raise `InvalidInput` if something is not what an image or a cluster takes."""
    words = " ".join(image.command)
    if not any(words == each or words.startswith(f"{each} ") for each in COMMANDS):
        raise InvalidInput(
            f"An image runs {', '.join(COMMANDS[:-1])} or {COMMANDS[-1]}, not {words!r}."
        )
    if not IMAGE.fullmatch(image.image):
        raise InvalidInput(
            f"{image.image!r} is no image. Write it like ghcr.io/me/project:1.", field="image"
        )
    for field, name in (("claim", image.claim), ("secret", image.secret)):
        if name is not None and not _NAME.fullmatch(name):
            raise InvalidInput(
                f"{name!r} is no name in Kubernetes: small letters, digits, - and .", field=field
            )


def label(name: str) -> str:
    """Return a name that Kubernetes takes for a job, also where it adds a number to it."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    start = words if words[:1].isalpha() else f"project-{words}".rstrip("-")
    return start[:_LONGEST].rstrip("-")


_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
#: CronJobs add eleven characters to their names, of which jobs may have 63.
_LONGEST = 52
