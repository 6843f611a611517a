"""Campaigns that would dial nobody, because a do-not-call register that the law asks for is not at hand or too old."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from definitions.layout import file_of
from definitions.problems import Problem, Severity
from definitions.yaml import problem_at
from dialer.cannot_dial import without_register
from dialer.dnc import DoNotCall
from engine.config.configuration import Configuration


def register_warnings(configuration: Configuration, at_hand: Mapping[str, DoNotCall], now_s: float) -> list[Problem]:
    """One for each campaign that would be told so when it is started."""
    found = []
    for (tenant, name), setup in configuration.campaigns.campaigns.items():
        missing = without_register(at_hand, setup, now_s)
        if missing:
            file = file_of(tenant, "campaigns", name)
            text = configuration.sources.get(file, "")
            found.append(problem_at(text, file, ("packs",), f"this campaign dials nobody: {missing}"))
    return [replace(problem, severity=Severity.WARNING) for problem in found]
