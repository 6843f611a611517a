"""What a recogniser writes down of training hearings: `nice python -m training.amd.transcripts`; it resumes.

Asked when live calls ask (dialer/amd/word_asks.py). Kept beside the corpus, for `training.amd.train`: half a second of
the processor for each time it is asked, so one hearing of each clip is what there is time for.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from hashlib import sha256
from math import log
from pathlib import Path

from core.live_audio import AudioBlock
from dialer.amd.frames import BLOCK
from dialer.amd.limits import SPEAKS_ON_S
from dialer.amd.screener import Screener
from dialer.amd.words import LANGUAGES, read
from engine.ears import PatientEar, loaded
from speech.ports import Audio, Recogniser, Recognition
from speech.recognisers import make_recogniser
from training.amd.backgrounds import backgrounds
from training.amd.clips import PEOPLE, Clip, spoken
from training.amd.corpus import default_folder
from training.amd.heard import Backgrounds, heard

MOST_WEIGHT = 4.0
"""Who wrote the phrases knew what mailboxes say, and so did who wrote the corpus: it is less sure than it looks."""


def kept_at(folder: Path, clip: Clip, number: int) -> Path:
    return folder / "transcripts" / f"{sha256(clip.name.encode()).hexdigest()[:16]}-{number}.json"


def texts_of(clip: Clip, number: int, behind: Backgrounds, recogniser: Recogniser) -> list[str]:
    """Everything it writes down as long as anybody may be listened to."""
    noted: list[str] = []

    class Noting:
        name = recogniser.name

        def recognise(self, audio: Audio, language: str) -> Recognition:
            found = recogniser.recognise(audio, language)
            noted.append(found.text)
            return found

    screener = Screener(SPEAKS_ON_S, language=clip.language)
    screener.hear_with(PatientEar(Noting()))
    samples = heard(clip, number, behind).samples
    for n in range(round(SPEAKS_ON_S * 50)):
        screener.overhear(AudioBlock("", n * 0.02, n, samples[n * BLOCK : (n + 1) * BLOCK].tobytes()))
    return noted


def word_calls(folder: Path, clips: Sequence[Clip], hearings: int) -> int:
    """Of how many hearings something is written down."""
    return sum(kept_at(folder, clip, number).exists() for clip in clips for number in range(hearings))


def word_weights(folder: Path, clips: Sequence[Clip], hearings: int) -> dict[str, float]:
    """By how much each kind of words changes the odds of a person: the logarithm of how much oftener people say such,
    with half a call more of each, and never more than `MOST_WEIGHT`. Empty while nothing was written down."""
    said: dict[bool, list[set[str]]] = {True: [], False: []}
    for clip in clips:
        for number in range(hearings):
            if (path := kept_at(folder, clip, number)).exists():
                texts = json.loads(path.read_text(encoding="utf-8"))
                said[clip.truth == PEOPLE].append({read(text, clip.language).kind for text in texts})
    if not said[True] or not said[False]:
        return {}
    found = {}
    for kind in ("recording", "person", "hint"):
        people, machines = ((sum(kind in one for one in said[who]) + 0.5) / (len(said[who]) + 1) for who in said)
        found[kind] = round(max(-MOST_WEIGHT, min(MOST_WEIGHT, log(people / machines))), 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=default_folder())
    parser.add_argument("--hearings", type=int, default=1, help="of each clip")
    asked = parser.parse_args()
    clips = spoken(asked.folder, "train")
    behind, recogniser = backgrounds(asked.folder, "train", clips), loaded(make_recogniser("whisper-short"))
    for number in range(asked.hearings):
        for clip in clips:
            path = kept_at(asked.folder, clip, number)
            if clip.language in LANGUAGES and not path.exists():
                path.parent.mkdir(exist_ok=True)
                path.write_text(json.dumps(texts_of(clip, number, behind, recogniser)), encoding="utf-8")


if __name__ == "__main__":
    main()
