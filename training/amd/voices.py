"""Who speaks in the corpus. No voice, and no blend of one, is on both sides.

Kokoro's styles are those of the npm package `kokoro-js`, which `npm` fetches once; a blend of two styles is a voice
that nobody else has. Names that seem to be one speaker in several languages (dora, alex, santa) stay on one side.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.amd.texts import Side

PACKAGE = "kokoro-js@1.2.1"
PHONEMES = {"es": "es", "en": "en-us"}
KOKORO: dict[Side, dict[str, tuple[str, ...]]] = {
    "train": {
        "es": ("em_alex", "em_santa", "if_sara", "ff_siwis", "pm_alex", "af_heart", "am_michael", "pm_santa"),
        "en": (
            "af_heart",
            "am_michael",
            "af_sarah",
            "am_adam",
            "bf_alice",
            "bm_lewis",
            "af_kore",
            "am_fenrir",
            "bf_lily",
        ),
    },
    "test": {
        "es": ("ef_dora", "im_nicola", "pf_dora", "hf_beta", "hm_omega"),
        "en": ("bf_emma", "am_eric", "af_bella", "bm_george", "af_nova", "am_onyx", "bm_daniel"),
    },
}
ESPEAK: dict[Side, dict[str, tuple[str, ...]]] = {
    "train": {"es": ("es+m1", "es+f1", "es-419+m4", "es+f3"), "en": ("en-us+m1", "en-gb+f1", "en-us+f3", "en-gb+m4")},
    "test": {"es": ("es+m7", "es-419+f4", "es+m2"), "en": ("en-gb-scotland+m7", "en-us+f4", "en-gb-x-rp+m2")},
}
_BLEND = 0.5
Style = NDArray[np.float32]


def styles(folder: Path, side: Side, language: str) -> dict[str, Style]:
    """Each own voice, followed by a blend: by name, in an order that never changes."""
    own = {name: _style(folder, name) for name in KOKORO[side][language]}
    blends = {
        f"{one}~{other}": (own[one] * _BLEND + own[other] * (1 - _BLEND)).astype(np.float32)
        for one, other in combinations(own, 2)
    }
    mixed: dict[str, Style] = {}
    for name, blend in zip([*own, *blends][: len(blends)], blends, strict=False):
        if name in own:
            mixed[name] = own[name]
        mixed[blend] = blends[blend]
    return {**mixed, **own}


def _style(folder: Path, name: str) -> Style:
    package = folder / "kokoro-js-1.2.1.tgz"
    if not package.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, capture_output=True)
    with tarfile.open(package) as kept:
        file = kept.extractfile(f"package/voices/{name}.bin")
        assert file is not None
        return np.frombuffer(io.BytesIO(file.read()).getvalue(), np.float32).reshape(-1, 1, 256).copy()
