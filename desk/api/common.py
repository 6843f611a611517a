"""What the route files share."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request

from desk.access import Admitted
from desk.api.models import ProblemBody
from desk.problems import MEDIA_TYPE, NotFound
from desk.roles import Principal
from desk.services import Services
from desk.web import admitted_of, services_of


def _principal(request: Request) -> Principal:
    principal = admitted_of(request).principal
    assert principal is not None, "the guard lets nobody in here without a name"
    return principal


def _tenant(request: Request) -> str:
    """The one tenant a path is about."""
    tenant = admitted_of(request).tenant
    if tenant is None:
        raise NotFound("name one tenant: ?tenant=main")
    return tenant


Desk = Annotated[Services, Depends(services_of)]
Asking = Annotated[Admitted, Depends(admitted_of)]
Who = Annotated[Principal, Depends(_principal)]
Tenant = Annotated[str, Depends(_tenant)]


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=`: what else a route may answer, beside what every route may."""
    return {
        status: {
            "model": ProblemBody,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
        }
        for status in (400, 401, 403, 413, 422, 503, *statuses)
    }
