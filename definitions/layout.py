"""Whose file it is: what lies directly under `config/` and `flows/` is the tenant `main`'s, `tenants/<name>/` with the
same inner layout is another's. Names are relative paths with `/`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def tenant_of(name: str) -> str:
    """The tenant a file belongs to: `main` unless it lies under `tenants/<name>/`."""
    parts = name.split("/")
    return parts[1] if parts[0] == "tenants" and len(parts) > 2 else "main"


def within_tenant(name: str) -> str:
    """The path as it would be for the tenant `main`."""
    parts = name.split("/")
    return "/".join(parts[2:]) if parts[0] == "tenants" and len(parts) > 2 else name


def file_of(tenant: str, folder: str, name: str) -> str:
    """Where a thing of a tenant stands: `config/campaigns/renewals.yaml`."""
    return place_of(tenant, f"config/{folder}/{name}.yaml")


def place_of(tenant: str, path: str) -> str:
    """Where a tenant keeps what the main one has at `path`: `config/agents.yaml`, `flows/`."""
    return path if tenant == "main" else f"tenants/{tenant}/{path}"


def stem_of(name: str) -> str:
    """The file's own name without its ending: what the thing in it is called."""
    return name.rpartition("/")[2].rpartition(".")[0]


def in_folder(names: Iterable[str], folder: str) -> Iterator[tuple[str, str]]:
    """(file, tenant) of every file directly in `config/<folder>/`, of every tenant, sorted."""
    beginning = f"config/{folder}/"
    for name in sorted(names):
        rest = within_tenant(name)
        if rest.startswith(beginning) and "/" not in rest[len(beginning) :]:
            yield name, tenant_of(name)


def each_tenants(names: Iterable[str], path: str) -> Iterator[tuple[str, str]]:
    """(file, tenant) of this one path, such as `config/agents.yaml`, of every tenant that has it, sorted."""
    for name in sorted(names):
        if within_tenant(name) == path:
            yield name, tenant_of(name)
