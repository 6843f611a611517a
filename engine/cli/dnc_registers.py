"""Which national registers the site's rule packs ask for, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.cli.common import fail

if TYPE_CHECKING:
    from engine.home import Home

OWN = "; --own imports one that no rule asks for"


def asked_for(home: Home) -> dict[str, list[str]]:
    """Register -> the rules that ask for it, of every pack under config/compliance/ that can be read."""
    from dialer.compliance.loader import read_packs
    from dialer.compliance.rules import ListsNeeded
    from engine.config.sources import read_sources

    found: dict[str, list[str]] = {}
    for filed in read_packs(read_sources(home.project)).filed.values():
        for rule in filed.pack.rules:
            for name in rule.lists if isinstance(rule, ListsNeeded) else ():
                found.setdefault(name, []).append(rule.source.name)
    return {name: found[name] for name in sorted(found)}


def check_asked_for(home: Home, register: str) -> None:
    """Ends the command when no rule pack asks for a register of that name: it would change nothing."""
    from definitions.faults import MEANT, did_you_mean

    known = asked_for(home)
    if register in known:
        return
    named = ", ".join(f"{name} ({', '.join(rules)})" for name, rules in known.items())
    hint = f"rules ask for {named}" if named else "no rule asks for any"
    close = did_you_mean(register, known)
    meant = f"{close} " if close.startswith(MEANT) else ""
    fail(f"--register {register[:40]}: no rule pack under config/compliance/ knows it: {meant}{hint}{OWN}", 2)
