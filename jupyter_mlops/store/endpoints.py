"""Endpoints, so that the next worker goes on with them."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from ..core.endpoints import Endpoint, EndpointStatus, Environment, Monitoring, Scorer
from ..core.runs import ProcessIdentity
from .base import Database
from .schema import endpoints


class EndpointLog:
    """A project's endpoints."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, endpoint: Endpoint, *, tell: bool = True) -> None:
        """Add an endpoint, or replace it; ``tell`` whether that is an event."""
        row = {**asdict(endpoint), "project": self._database.project}
        with self._database.transaction() as transaction:
            transaction.connection.execute(endpoints.delete().where(self._named(endpoint.name)))
            transaction.connection.execute(endpoints.insert().values(row))
            if tell:
                data = {"endpoint": endpoint.name, "state": str(endpoint.status)}
                transaction.emit("endpoint", data=data)

    def remove(self, name: str) -> None:
        """Forget an endpoint."""
        with self._database.transaction() as transaction:
            transaction.connection.execute(endpoints.delete().where(self._named(name)))
            transaction.emit("endpoint", data={"endpoint": name, "state": "stopped"})

    def all(self) -> list[Endpoint]:
        """Return the endpoints by name."""
        query = (
            sa.select(endpoints).where(self._database.mine(endpoints)).order_by(endpoints.c.name)
        )
        with self._database.engine.connect() as connection:
            return [_endpoint(row) for row in connection.execute(query).mappings()]

    def exist(self) -> bool:
        """Whether there is an endpoint that was ever ready."""
        wanted = endpoints.c.status != EndpointStatus.FAILED
        query = sa.select(endpoints.c.name).where(self._database.mine(endpoints), wanted).limit(1)
        with self._database.engine.connect() as connection:
            return connection.execute(query).first() is not None

    def _named(self, name: str) -> sa.ColumnElement[bool]:
        return sa.and_(self._database.mine(endpoints), endpoints.c.name == name)


def _endpoint(row: RowMapping) -> Endpoint:
    values = {name: value for name, value in row.items() if name != "project"}
    values["status"] = EndpointStatus(values["status"])
    if values["scorer"] is not None:
        identity = ProcessIdentity(**values["scorer"].pop("identity"))
        values["scorer"] = Scorer(**values["scorer"], identity=identity)
    values["environment"] = Environment(values["environment"])
    monitoring = values.pop("monitoring")
    monitoring["columns"] = tuple(monitoring["columns"])
    return Endpoint(**values, monitoring=Monitoring(**monitoring))
