"""What a project's settings say of its Dask cluster."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from ....core.exceptions import InvalidInput
from ....core.resources import parse_memory


class DaskResources(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What workers of the cluster call what they have, where they declare it."""

    #: Cores; workers that do not declare them have as many as they have threads.
    cpus: str = "CPU"
    #: Bytes of memory; workers that do not declare them have what their memory limit says.
    memory: str = "MEMORY"
    #: GPUs; workers that do not declare them have those that they see.
    gpus: str = "GPU"


class DaskSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Dask cluster that attempts may run on: one that is there, or one that is made."""

    #: Address of its scheduler, such as ``tcp://host:8786`` or ``tls://host:8786``.
    address: str | None = None
    #: Class that makes one, such as ``distributed.LocalCluster``, in place of an address.
    cluster: str | None = None
    #: Arguments of that class.
    arguments: dict[str, Any] = {}
    #: Workers that a cluster which is made shall have; unset means what its arguments say.
    workers: Annotated[int, msgspec.Meta(ge=1)] | None = None
    #: Fewest workers that it keeps, if there is a ``maximum``.
    minimum: Annotated[int, msgspec.Meta(ge=0)] = 0
    #: Most workers that it gets while runs wait; unset means that their number stays.
    maximum: Annotated[int, msgspec.Meta(ge=1)] | None = None
    #: File with the authority's certificate, for TLS; unset means what Dask's configuration says.
    tls_ca: str | None = None
    #: File with our own certificate.
    tls_cert: str | None = None
    #: File with its key.
    tls_key: str | None = None
    #: Names of Dask resources, as ``[dask.resources]``.
    resources: DaskResources = msgspec.field(default_factory=DaskResources)
    #: How nodes get the project's files: ``shared`` if they see its folder, ``sent`` if they get
    #: a copy; ``auto`` looks at each node.
    files: Literal["auto", "shared", "sent"] = "auto"
    #: Most that is sent of a project's files.
    max_sent: str = "1GB"


def read(table: Any) -> DaskSettings:
    """Read and check the settings. Raises `InvalidInput`."""
    try:
        found = msgspec.convert(table, DaskSettings)
    except msgspec.ValidationError as error:
        raise InvalidInput(f"mlops.toml: [dask]: {error}.") from error
    if (found.address is None) == (found.cluster is None):
        raise InvalidInput(
            "mlops.toml: [dask] needs either the address of a scheduler, or the class of a cluster."
        )
    if found.address is not None and (found.workers or found.maximum or found.arguments):
        raise InvalidInput(
            "mlops.toml: [dask]: arguments, workers and maximum belong to a cluster that is made, "
            "not to an address."
        )
    if found.maximum is not None and found.maximum < found.minimum:
        raise InvalidInput("mlops.toml: [dask]: maximum is less than minimum.")
    if found.workers is not None and found.maximum is not None:
        raise InvalidInput("mlops.toml: [dask]: give either workers, or minimum and maximum.")
    try:
        parse_memory(found.max_sent)
    except InvalidInput as error:
        raise InvalidInput(f"mlops.toml: [dask]: max_sent: {found.max_sent} is no size.") from error
    return found
