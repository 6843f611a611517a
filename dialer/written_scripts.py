"""A test of scripts as it is written in a campaign, and what must hold in itself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from definitions.faults import Faults
from definitions.models import Count, Definition, Name, Text
from dialer.compliance.fields import Length
from dialer.written_form import Titles


class TestedScript(Definition):
    """One of the scripts of a test."""

    name: Name
    """Flows know it as `script`."""
    share: Annotated[Count, Field(ge=1, le=1000)] = 1
    """Of the leads: 1 and 1 are a half each, 9 and 1 nine of ten."""
    text: Titles = ""
    """What agents say; their page shows it."""


class ScriptTest(Definition):
    """Two scripts or more side by side: each lead gets one of them, drawn by who she is and the test's name."""

    name: Name
    """Its name. Another name draws all leads anew: another test, another name."""
    scripts: tuple[TestedScript, ...]
    """The others are compared with the first."""
    goal: tuple[Text, ...] = ()
    """Dispositions that count as reached: [sold, interested]."""
    talk: Annotated[Length, Field(le=86_400.0)] = 0.0
    """Or: a conversation of at least so long counts (30s)."""


def check_test(test: ScriptTest, script: Titles, agentless: bool, faults: Faults) -> None:
    """`script`: the campaign's own, of which there is none beside a test."""
    if script:
        what = "it has a script, and a test of scripts"
        faults.add(("script",), what, "make it one of `script_test: {scripts: …}`", at_key=True)
    if len(test.scripts) < 2:
        what = f"a test of {len(test.scripts)} script{'' if len(test.scripts) == 1 else 's'} compares nothing"
        faults.add(("script_test", "scripts"), what, "write two or more, or `script` alone", at_key=True)
    names = [one.name for one in test.scripts]
    for index, one in enumerate(test.scripts):
        if one.name in names[:index]:
            what = f"two scripts are called '{one.name}'"
            faults.add(("script_test", "scripts", index, "name"), what, "give each a name of its own")
        if not one.text and not agentless:
            what, hint = f"the script '{one.name}' has no text", "write what agents say: text: …"
            faults.add(("script_test", "scripts", index), what, hint)
    if bool(test.goal) == bool(test.talk):
        what = "the goal is both a disposition and a length" if test.goal else "nothing says what the scripts are for"
        hint = "write `goal: [sold]`, or `talk: 30s`, before the test begins"
        faults.add(("script_test",), what, hint, at_key=True)
