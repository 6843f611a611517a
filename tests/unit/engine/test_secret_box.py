"""Several processes make secrets in one file: engine, supervisor, watcher, command line. None loses another's."""

import json
import stat
import subprocess
import sys
import textwrap

import pytest

from engine.home import SecretBox


def test_a_secret_made_by_another_process_meanwhile_is_the_secret(tmp_path):
    path = tmp_path / "secrets.json"
    engine, up = SecretBox(path), SecretBox(path)
    made = engine.get("device/main-1001")
    assert up.get("device/main-1001") == made


def test_saving_one_forgets_no_other(tmp_path):
    path = tmp_path / "secrets.json"
    engine, up = SecretBox(path), SecretBox(path)
    first, second = engine.get("device/main-1001"), up.get("pin/main/closure")
    again = SecretBox(path)
    assert (again.get("device/main-1001"), again.get("pin/main/closure")) == (first, second)


def test_what_somebody_wrote_into_the_file_counts_when_it_is_read_again(tmp_path):
    path = tmp_path / "secrets.json"
    box = SecretBox(path)
    box.get("device/main-1001")
    path.write_text('{"device/main-1001": "new"}')
    box.read_again()
    assert box.get("device/main-1001") == "new"
    for broken in ("{", "[]", '{"a": 1}'):
        path.write_text(broken)
        with pytest.raises(OSError, match=r"secrets\.json"):
            box.read_again()
        assert box.get("device/main-1001") == "new"


def test_many_at_once(tmp_path):
    path = tmp_path / "secrets.json"
    code = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from engine.home import SecretBox
        box = SecretBox(Path(sys.argv[1]))
        print(" ".join(box.get(f"device/{n}") for n in range(20)))
        """
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    told = {process.communicate(timeout=110)[0] for process in running}
    assert len(told) == 1
    assert len(json.loads(path.read_text())) == 20
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
