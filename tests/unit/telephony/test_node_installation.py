import os
from pathlib import Path

import pytest

from telephony.node import debian, install, installation
from telephony.node.errors import InstallFailed, NotInstalled, PackagesMissing, Unsuitable


@pytest.mark.parametrize("version", ["22.6.0", "22.10.1", "21.11.0", "20.16.0", "20.17"])
def test_releases_with_what_we_need_suit(version):
    assert installation.is_suitable(version)


@pytest.mark.parametrize("version", ["18.26.4", "20.15.2", "21.10.0", "22.5.9", "23.0.0", "certified/20.7", "", "22"])
def test_older_newer_and_unknown_releases_do_not(version):
    assert not installation.is_suitable(version)


def a_fake_asterisk(folder: Path, version: str) -> None:
    program = folder / "asterisk"
    program.write_text(f"#!/bin/sh\necho 'Asterisk {version}'\n")
    program.chmod(0o755)


def test_an_old_asterisk_on_the_machine_is_passed_over_and_the_reason_told(tmp_path, monkeypatch):
    a_fake_asterisk(tmp_path, "16.28.0~dfsg")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(NotInstalled, match=r"16\.28\.0.*make install-asterisk"):
        installation.find(tmp_path / "nothing")


def test_an_asterisk_without_the_modules_is_passed_over_and_the_reason_told(tmp_path, monkeypatch):
    a_fake_asterisk(tmp_path, "22.7.0")
    (tmp_path / "modules").mkdir()
    (tmp_path / "data" / "sounds").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(installation, "_SYSTEM_MODULES", (str(tmp_path / "modules"),))
    monkeypatch.setattr(installation, "_SYSTEM_DATA", (str(tmp_path / "data"),))
    with pytest.raises(Unsuitable, match=r"22\.7\.0\) lacks app_dial\.so"):
        installation.on_this_machine()


def test_a_suitable_asterisk_on_the_machine_is_used(tmp_path, monkeypatch):
    a_fake_asterisk(tmp_path, "22.7.0")
    (tmp_path / "modules").mkdir()
    for module in installation.required_modules():
        (tmp_path / "modules" / module).touch()
    (tmp_path / "data" / "sounds" / "es").mkdir(parents=True)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(installation, "_SYSTEM_MODULES", (str(tmp_path / "modules"),))
    monkeypatch.setattr(installation, "_SYSTEM_DATA", (str(tmp_path / "data"),))
    found = installation.find(tmp_path / "nothing")
    assert found.root is None
    assert found.version == "22.7.0"
    assert found.command("asterisk", "-f")[-2:] == ["asterisk", "-f"]
    assert "KILL" in found.command("asterisk")
    monkeypatch.setenv("CENTRALITA_ASTERISK", "private")
    with pytest.raises(NotInstalled):
        installation.find(tmp_path / "nothing")


def test_the_modules_the_template_requires_are_known():
    assert {"chan_pjsip.so", "res_ari.so", "app_stasis.so"} <= installation.required_modules()


def test_the_cache_follows_the_desktops_convention(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert installation.default_root() == tmp_path / "centralita" / "asterisk-root"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert installation.default_root() == Path.home() / ".cache" / "centralita" / "asterisk-root"


def test_where_nobody_may_make_namespaces_the_roots_own_loader_runs_it(tmp_path, monkeypatch):
    root, tools = tmp_path / "root", tmp_path / "bin"
    (root / "usr/lib64").mkdir(parents=True)
    (root / "usr/lib/x86_64-linux-gnu/asterisk/modules").mkdir(parents=True)
    for module in installation.required_modules():
        (root / "usr/lib/x86_64-linux-gnu/asterisk/modules" / module).touch()
    (root / "usr/share/asterisk/sounds/es_MX_f_Allison").mkdir(parents=True)
    (root / "etc").mkdir()
    (root / "usr/sbin").mkdir()
    a_fake_asterisk(root / "usr/sbin", "22.10.1")
    tools.mkdir()
    for place, script in (
        (tools / "bwrap", "echo 'bwrap: Creating new namespace failed: Operation not permitted' >&2; exit 1"),
        (root / "usr/lib64/ld-linux-x86-64.so.2", 'test "$1" = --library-path || exit 1; shift 2; exec "$@"'),
    ):
        place.write_text(f"#!/bin/sh\n{script}\n")
        place.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    found = installation.in_root(root)
    assert not found.is_wrapped
    assert (found.root, found.version, found.binary) == (root, "22.10.1", root / "usr/sbin/asterisk")
    assert found.modules_dir == root / "usr/lib/x86_64-linux-gnu/asterisk/modules"
    assert found.sounds("es") == root / "usr/share/asterisk/sounds/es_MX_f_Allison"
    command = found.command(str(found.binary), "-f", writable=[tmp_path])
    assert "KILL" in command
    assert command[-3:] == [str(root / "usr/lib/x86_64-linux-gnu") + f":{root / 'usr/lib'}", str(found.binary), "-f"]
    (root / "usr/lib64/ld-linux-x86-64.so.2").unlink()
    with pytest.raises(Unsuitable, match=r"not permitted.*To allow it: sudo sysctl"):
        installation.in_root(root)


# -- making one ------------------------------------------------------------------------------------
def a_builder(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Puts `script` in mmdebstrap's place."""
    (folder / "bin").mkdir()
    program = folder / "bin" / "mmdebstrap"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("CENTRALITA_ASTERISK", "private")
    monkeypatch.setattr(install, "TOOLS", ())


def test_a_failed_build_leaves_nothing_and_says_why(tmp_path, monkeypatch):
    a_builder(tmp_path, monkeypatch, "echo 'I: downloading packages' >&2; echo 'E: no mirror' >&2; exit 1")
    with pytest.raises(InstallFailed, match=r"no mirror.*try again"):
        install.install(tmp_path / "cache" / "root")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["asterisk-root.lock"]


def test_what_was_built_must_run_or_is_not_installed(tmp_path, monkeypatch):
    a_builder(tmp_path, monkeypatch, "mkdir t t/usr t/etc; tar -c -C t .")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Unsuitable):
        install.install(tmp_path / "cache" / "root")
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["asterisk-root.lock"]


def test_leftovers_of_an_interrupted_install_are_removed(tmp_path, monkeypatch):
    leftover = tmp_path / "cache" / "root.partial-1"
    (leftover / "usr").mkdir(parents=True)
    a_builder(tmp_path, monkeypatch, "exit 1")
    with pytest.raises(InstallFailed):
        install.install(tmp_path / "cache" / "root")
    assert not leftover.exists()


def test_a_disk_without_room_is_told_before_anything_is_downloaded(tmp_path, monkeypatch):
    a_builder(tmp_path, monkeypatch, "exit 9")
    monkeypatch.setattr(install, "DISK_MB", 10**9)
    with pytest.raises(InstallFailed, match="make room"):
        install.install(tmp_path / "cache" / "root")


def test_without_the_tools_the_command_that_installs_them_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    from rich.console import Console

    with pytest.raises(PackagesMissing, match="mmdebstrap"):
        debian.install_missing(["mmdebstrap"], Console(stderr=True))
