"""Who may do what: one table. Everything that asks for leave asks here.

A person has one role in one tenant; only an `admin` may be of every tenant (`*`). What a table entry allows is
allowed within that tenant and nowhere else; what is one's own (an agent's presence, a conversation she is in) needs
`WORK` alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

EVERY_TENANT = "*"


class Role(Enum):
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    COORDINATOR = "coordinator"
    CAMPAIGN_MANAGER = "campaign_manager"
    QUALITY = "quality"
    PLANNER = "planner"
    TRAINER = "trainer"
    CLIENT_VIEWER = "client_viewer"
    ADMIN = "admin"


class Permission(Enum):
    NOBODY = "nobody"
    """Held by no role: what needs it is open to whom it belongs to, and to nobody else."""
    SELF = "self"
    """One's own login."""
    WORK = "work"
    """Be an agent: own presence, offers, conversations, wrap-up."""
    PHONE = "phone"
    """Have a phone in the browser: its device's secret is asked for all the same."""
    SEE_QUEUES = "see_queues"
    SEE_AGENTS = "see_agents"
    SEE_STAYS = "see_stays"
    FORCE_PRESENCE = "force_presence"
    OPEN_QUEUES = "open_queues"
    STEER_STAYS = "steer_stays"
    """Move who waits to another queue, or give her another priority."""
    READ_CONTACTS = "read_contacts"
    """Personal data of people who call: their number, name, path."""
    EXPLAIN = "explain"
    SUPERVISE = "supervise"
    """Listen to conversations of others, whisper, barge in, take over."""
    HEAR_RECORDINGS = "hear_recordings"
    """Messages and conversations that were kept. Who listens is in the audit log."""
    SEE_SURVEYS = "see_surveys"
    """What callers answered to surveys, by agent too, without who they are."""
    SEE_CAMPAIGNS = "see_campaigns"
    """Without anybody's name or number."""
    RUN_CAMPAIGNS = "run_campaigns"
    """Start, pause, drain, stop."""
    WRITE_CAMPAIGNS = "write_campaigns"
    """Put a campaign's file into the configuration, or replace it."""
    SEE_LEADS = "see_leads"
    """Personal data of people on lists: why they were or were not dialed, whether they may be."""
    LIST_NUMBERS = "list_numbers"
    """Put numbers on do-not-call."""
    MANAGE_LISTS = "manage_lists"
    """Import, undo and export lists; take numbers off do-not-call."""
    MANAGE_AGENTS = "manage_agents"
    """Add, change and remove agents whom no file declares."""
    GRANT_SUPERVISION = "grant_supervision"
    """Say which agents may follow conversations of others by phone, and change how those log in there."""
    MANAGE_ACCOUNTS = "manage_accounts"
    READ_AUDIT = "read_audit"


_R, _P = Role, Permission
_LEADS = frozenset({_R.SUPERVISOR, _R.COORDINATOR})
_WATCHES = _LEADS | {_R.CAMPAIGN_MANAGER, _R.QUALITY, _R.PLANNER, _R.TRAINER, _R.ADMIN}

ALLOWED: Mapping[Permission, frozenset[Role]] = {
    _P.NOBODY: frozenset(),
    _P.SELF: frozenset(Role),
    _P.WORK: _LEADS | {_R.AGENT},
    _P.PHONE: _LEADS | {_R.AGENT, _R.ADMIN},
    _P.SEE_QUEUES: frozenset(Role),
    _P.SEE_AGENTS: _WATCHES,
    _P.SEE_STAYS: _LEADS | {_R.QUALITY, _R.PLANNER, _R.ADMIN},
    _P.FORCE_PRESENCE: _LEADS | {_R.ADMIN},
    _P.OPEN_QUEUES: _LEADS | {_R.ADMIN},
    _P.STEER_STAYS: _LEADS | {_R.ADMIN},
    _P.READ_CONTACTS: _LEADS | {_R.QUALITY, _R.ADMIN},
    _P.EXPLAIN: _LEADS | {_R.QUALITY, _R.PLANNER, _R.ADMIN},
    _P.SUPERVISE: frozenset({_R.SUPERVISOR, _R.ADMIN}),
    _P.HEAR_RECORDINGS: _LEADS | {_R.QUALITY, _R.ADMIN},
    _P.SEE_SURVEYS: _WATCHES,
    _P.SEE_CAMPAIGNS: _WATCHES | {_R.CLIENT_VIEWER},
    _P.RUN_CAMPAIGNS: _LEADS | {_R.CAMPAIGN_MANAGER, _R.ADMIN},
    _P.WRITE_CAMPAIGNS: frozenset({_R.CAMPAIGN_MANAGER, _R.ADMIN}),
    _P.SEE_LEADS: _LEADS | {_R.CAMPAIGN_MANAGER, _R.QUALITY, _R.ADMIN},
    _P.LIST_NUMBERS: _LEADS | {_R.CAMPAIGN_MANAGER, _R.ADMIN},
    _P.MANAGE_LISTS: frozenset({_R.CAMPAIGN_MANAGER, _R.ADMIN}),
    _P.MANAGE_AGENTS: frozenset({_R.COORDINATOR, _R.ADMIN}),
    _P.GRANT_SUPERVISION: frozenset({_R.ADMIN}),
    _P.MANAGE_ACCOUNTS: frozenset({_R.ADMIN}),
    _P.READ_AUDIT: frozenset({_R.ADMIN}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `agent_id`: the agent she is, empty for none. `login_id`: the login this is a part of."""

    account_id: str
    login: str
    name: str
    tenant: str
    role: Role
    agent_id: str = ""
    login_id: str = ""
    issued_s: float = 0.0
    expires_s: float = 0.0
    """UTC seconds: when the access token she shows was made, and until when it holds."""

    def may(self, permission: Permission) -> bool:
        return self.role in ALLOWED[permission]

    def reaches(self, tenant: str) -> bool:
        return self.tenant in (EVERY_TENANT, tenant)
