"""An Asterisk one can run: the machine's own if it suits, or a private Debian root of ours.

A private root is never entered with `chroot`: `bubblewrap` shows its files to one program, so it works
for an ordinary user too and the rest of the machine stays untouched. Where nobody may make namespaces, as in most
containers, the root's own loader runs the program from where it lies.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from telephony.node.errors import NamespacesForbidden, NotInstalled, Unsuitable

TEMPLATES = Path(__file__).resolve().parents[2] / "asterisk" / "templates"

# Branch -> first release with chan_websocket and ARI requests over the WebSocket.
SUITABLE = {20: 16, 21: 11, 22: 6}
_SYSTEM_MODULES = ("/usr/lib/*/asterisk/modules", "/usr/lib/asterisk/modules", "/usr/lib64/asterisk/modules")
_SYSTEM_DATA = ("/usr/share/asterisk", "/var/lib/asterisk")
# Debian names the directory of a language's sounds after who speaks them.
_SPEAKERS = {"es": ["es", "es_MX_f_Allison"], "en": ["en", "en_US_f_Allison"]}
_ENTERED = ("usr", "etc")
_MERGED = ("bin", "sbin", "lib", "lib32", "lib64")
_LOADERS = ("usr/lib64/ld-linux-*.so.*", "usr/lib/ld-linux-*.so.*")
_LIBRARIES = ("usr/lib/*-linux-gnu*", "usr/lib")
_NO_PRIVILEGES = ("--no-new-privs", "--inh-caps=-all", "--bounding-set=-all")
"""Root in a container is not root here: what bubblewrap takes away is taken away without it."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Paths are as the running program sees them; `outside` says where they are on this machine.

    `root`: the private root, or None for the machine's own Asterisk. `modules`: file names in `modules_dir`.
    `loader`: the root's dynamic loader when it runs the program, without bubblewrap.
    """

    binary: Path
    version: str
    modules_dir: Path
    data_dir: Path
    root: Path | None = None
    modules: frozenset[str] = field(default=frozenset(), repr=False)
    loader: Path | None = None

    @property
    def is_wrapped(self) -> bool:
        """Whether bubblewrap is around it: paths inside differ from those outside, and it is another process."""
        return self.root is not None and self.loader is None

    def outside(self, path: Path) -> Path:
        return self.root / path.relative_to("/") if self.root is not None and self.is_wrapped else path

    def sounds(self, language: str) -> Path | None:
        """Where the running program finds its recorded sounds in `es`, `en` or the like; None without that language."""
        for voice in (language, *_SPEAKERS.get(language.partition("_")[0], [])):
            place = self.data_dir / "sounds" / voice
            if self.outside(place).is_dir():
                return place
        return None

    def command(
        self,
        *program: str,
        read_only: Iterable[Path] = (),
        writable: Iterable[Path] = (),
        over: Iterable[tuple[Path, Path]] = (),
        wrapper_options: Iterable[str] = (),
    ) -> list[str]:
        """The argument list that runs `program` so that it dies with the process (thread, to be exact) that starts it.

        `read_only` and `writable` directories appear at the same path; `over` are (file here, path there).
        Without bubblewrap all of these are simply there.
        """
        if self.root is None:
            return [*_die_with_parent(), *program]
        if self.loader is not None:
            return [
                *_die_with_parent(unprivileged=True),
                str(self.loader),
                "--library-path",
                _libraries(self.root),
                *program,
            ]
        arguments = [
            "bwrap",
            "--die-with-parent",
            "--new-session",
            "--unshare-pid",
            "--unshare-ipc",
            "--cap-drop",
            "ALL",
            *wrapper_options,
        ]
        for top in _ENTERED:
            arguments += ["--ro-bind", str(self.root / top), f"/{top}"]
        for top in _MERGED:
            if (self.root / top).is_symlink():
                arguments += ["--symlink", f"usr/{top}", f"/{top}"]
        arguments += ["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--dir", "/run", "--dir", "/var/tmp"]  # noqa: S108
        arguments += ["--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"]
        for path in read_only:
            arguments += ["--ro-bind", str(path), str(path)]
        for path in writable:
            arguments += ["--bind", str(path), str(path)]
        for here, there in over:
            arguments += ["--ro-bind", str(here), str(there)]
        return [*arguments, "--", *program]


def default_root() -> Path:
    """Where the private root lies: `$XDG_CACHE_HOME/centralita/asterisk-root`, usually below `~/.cache`."""
    cache = os.environ.get("XDG_CACHE_HOME") or ""
    return (Path(cache) if cache.startswith("/") else Path.home() / ".cache") / "centralita" / "asterisk-root"


def find(root: Path | None = None) -> Installation:
    """The Asterisk to use: the machine's own if it suits, else the private root. Touches no network; takes some 50 ms.

    `CENTRALITA_ASTERISK=private` passes over the machine's own.

    Raises:
        NotInstalled: neither is there; says what was wrong with the machine's own, if it has one.
        Unsuitable: the private root is there and does not fit.
    """
    root = root or default_root()
    why = "this machine has no Asterisk"
    if os.environ.get("CENTRALITA_ASTERISK") != "private":
        try:
            return on_this_machine()
        except Unsuitable as error:
            why = str(error)
    if (root / "usr/sbin/asterisk").exists():
        return in_root(root)
    raise NotInstalled(f"{why}, and there is no private one in {root}: run `make install-asterisk`")


def on_this_machine() -> Installation:
    """The machine's own Asterisk.

    Raises:
        Unsuitable: there is none, it is too old or too new, or it lacks modules or sounds.
    """
    binary = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        raise Unsuitable("this machine has no Asterisk")
    found = _examined(Path(binary), None)
    if found.sounds("es") is None:
        raise Unsuitable(f"{binary} ({found.version}) has no Spanish sounds (package asterisk-core-sounds-es-wav)")
    return found


def in_root(root: Path) -> Installation:
    """The Asterisk of a private root.

    Raises:
        Unsuitable: it does not run here, or is not what was tested.
    """
    # Mount points for what changes after the root was made; the root itself is mounted read-only.
    for name in ("hosts", "resolv.conf"):
        place = root / "etc" / name
        if not place.exists() and not place.is_symlink():
            place.touch(mode=0o644)
    try:
        return _examined(Path("/usr/sbin/asterisk"), root)
    except NamespacesForbidden as forbidden:
        try:
            return by_loader(root)
        except Unsuitable:
            raise forbidden from None


def by_loader(root: Path) -> Installation:
    """The Asterisk of a private root, run without bubblewrap.

    Raises:
        Unsuitable: as `in_root`.
    """
    loader = next((found for pattern in _LOADERS for found in sorted(root.glob(pattern))), None)
    if loader is None:
        raise Unsuitable(f"{root} has no loader of programs: remove it, then run `make install-asterisk`")
    return _examined(root / "usr/sbin/asterisk", root, loader)


def _examined(binary: Path, root: Path | None, loader: Path | None = None) -> Installation:
    probe = Installation(binary, "", Path("/"), Path("/"), root, loader=loader)
    where = str(probe.outside(binary))
    version = _version(probe, where)
    modules_dir = _first(probe, _SYSTEM_MODULES)
    data_dir = _first(probe, tuple(f"{path}/sounds" for path in _SYSTEM_DATA))
    if modules_dir is None or data_dir is None:
        raise Unsuitable(
            f"{where} ({version}) has no {'modules' if modules_dir is None else 'sounds'} in the usual places"
        )
    modules = frozenset(path.name for path in probe.outside(modules_dir).glob("*.so"))
    missing = sorted(required_modules() - modules)
    if missing:
        raise Unsuitable(f"{where} ({version}) lacks {', '.join(missing[:5])}{' and more' if len(missing) > 5 else ''}")
    return Installation(binary, version, modules_dir, data_dir.parent, root, modules, loader)


def required_modules() -> frozenset[str]:
    """What `modules.conf.j2` says Asterisk must load."""
    text = (TEMPLATES / "modules.conf.j2").read_text(encoding="utf-8")
    return frozenset(re.findall(r"^require = (\S+)$", text, re.MULTILINE))


def is_suitable(version: str) -> bool:
    """Whether `22.10.1`, `20.16.0`, … speaks what we need and was tested."""
    branch, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    return branch.isdigit() and minor.isdigit() and int(branch) in SUITABLE and int(minor) >= SUITABLE[int(branch)]


def _version(probe: Installation, where: str) -> str:
    try:
        done = subprocess.run(probe.command(str(probe.binary), "-V"), capture_output=True, text=True, timeout=20)  # noqa: S603
    except FileNotFoundError as error:
        raise Unsuitable(f"{error.filename} is missing: run `make install-asterisk`") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unsuitable(f"{where} does not run: {error}") from error
    match = re.match(r"Asterisk (\d+\.\d+(?:\.\d+)?)", done.stdout)
    if done.returncode or match is None:
        said = (done.stderr or done.stdout).strip()[:300]
        if any(words in said for words in ("namespace", "ermission denied", "not permitted")):
            raise NamespacesForbidden(f"{where} does not run: {said}. To allow it: {allow_user_namespaces()}")
        raise Unsuitable(f"{where} does not run: {said}")
    if not is_suitable(match[1]):
        wanted = ", ".join(f"{branch}.{minor}" for branch, minor in SUITABLE.items())
        raise Unsuitable(
            f"{where} is Asterisk {match[1]}; wanted is one of {wanted} or a later release of the same branch"
        )
    return match[1]


def allow_user_namespaces() -> str:
    """The one command by which an administrator lets ordinary users have user namespaces on this kernel."""
    if Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists():
        return "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    if Path("/proc/sys/kernel/unprivileged_userns_clone").exists():
        return "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    return "sudo sysctl -w user.max_user_namespaces=15000"


def _first(probe: Installation, patterns: tuple[str, ...]) -> Path | None:
    top = probe.root or Path("/")
    for pattern in patterns:
        for found in sorted(top.glob(pattern.removeprefix("/"))):
            if found.is_dir():
                return Path("/") / found.relative_to(top) if probe.is_wrapped else found
    return None


def _libraries(root: Path) -> str:
    return ":".join(str(place) for pattern in _LIBRARIES for place in sorted(root.glob(pattern)))


def _die_with_parent(*, unprivileged: bool = False) -> list[str]:
    setpriv = shutil.which("setpriv")
    privileges = _NO_PRIVILEGES if unprivileged and os.geteuid() == 0 else ()
    return [setpriv, "--pdeathsig", "KILL", *privileges, "--"] if setpriv else []
