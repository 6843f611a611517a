"""What the desk's routes work with, put together once per process."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from argon2 import PasswordHasher

from core.clock import Clock
from desk.audit import Audit
from desk.clock import WallClock
from desk.engine_client import EngineClient
from desk.first_admin import FirstAdmin
from desk.idempotency import Idempotency
from desk.imports import Imports
from desk.listening import Listening
from desk.lists.service import Lists
from desk.lists_told import telling
from desk.live.hub import Hub
from desk.logins import Logins
from desk.passwords import Passwords
from desk.past_notes import PastNotes
from desk.people import People
from desk.settings import Settings
from desk.tokens import Tokens, signing_key
from desk.uploads import Uploads
from store.sql.accounts import AuditLog, IdempotencyKeys
from store.sql.database import LEADS, Database
from store.sql.lead_imports import SqlListStore

__all__ = ["Cookies", "Services", "WallClock"]


@dataclass(frozen=True, slots=True)
class Cookies:
    """Cookie names carry the port: browsers do not tell desks on one host apart."""

    access: str
    refresh: str
    language: str
    secure: bool

    @classmethod
    def of(cls, settings: Settings) -> Cookies:
        secure = settings.url.startswith("https:")
        prefix = "__Host-centralita" if secure else f"centralita_{settings.port}"
        return cls(f"{prefix}_access", f"{prefix}_refresh", f"{prefix}_language", secure)


@dataclass(slots=True)
class Services:
    settings: Settings
    clock: Clock
    database: Database
    engine: EngineClient
    hub: Hub
    tokens: Tokens
    passwords: Passwords
    audit: Audit
    people: People
    logins: Logins
    idempotency: Idempotency
    first_admin: FirstAdmin
    cookies: Cookies
    leads: Database
    """Where lists are kept."""
    list_store: SqlListStore
    lists: Lists
    imports: Imports
    uploads: Uploads
    listening: Listening
    past_notes: PastNotes
    open_phones: Counter[str] = field(default_factory=Counter)
    """Browsers' phones, by account."""

    def tenants(self) -> list[str]:
        """Those that were there when the desk started, and those that a reload has added since."""
        known = list(self.settings.tenants)
        views = [*self.hub.board.queues(), *self.hub.board.agents()]
        return known + sorted({view["tenant"] for view in views} - set(known))

    @classmethod
    def make(cls, settings: Settings, clock: Clock | None = None, hasher: PasswordHasher | None = None) -> Services:
        """Nothing is connected and nothing runs yet.

        Raises:
            OSError: the state directory cannot be written.
            DatabaseUnusable: the database's URL names none.
        """
        clock = clock or WallClock()
        database = Database(settings.database_url)
        engine = EngineClient(settings.engine_socket)
        tokens = Tokens(signing_key(settings.state))
        passwords = Passwords(hasher)
        audit = Audit(AuditLog(database), clock)
        leads = Database(settings.leads_url, LEADS)
        list_store = SqlListStore(leads)
        lists = Lists(list_store, settings.state, clock.now_s, telling(engine))
        people = People(database, tokens, passwords, audit, clock)
        return cls(
            settings=settings,
            clock=clock,
            database=database,
            engine=engine,
            hub=Hub(engine, clock),
            tokens=tokens,
            passwords=passwords,
            audit=audit,
            people=people,
            logins=Logins(people.accounts, people.refresh_tokens, tokens, passwords, audit, clock),
            idempotency=Idempotency(IdempotencyKeys(database), clock),
            first_admin=FirstAdmin(settings.state, settings.address),
            cookies=Cookies.of(settings),
            leads=leads,
            list_store=list_store,
            lists=lists,
            imports=Imports(lists, list_store, settings.state, clock),
            listening=Listening(settings.state, audit, clock),
            past_notes=PastNotes(engine, clock),
            uploads=Uploads(settings.state / "uploads", settings.upload_mb * 1_000_000),
        )
