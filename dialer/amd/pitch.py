"""The pitch of a voice in a frame, by the likeness of the frame to itself (autocorrelation, 70 to 400 Hz).

Telephones cut what lies below 300 Hz off: the distance of the harmonics that remain still tells. Street and wind have
none: what is loud and has no pitch for a while is no voice. Between two lags the peak of a parabola is taken.
"""

from __future__ import annotations

import numpy as np

from dialer.amd.frames import RATE_HZ, Frame

_WINDOW, _SIZE = 480, 1024
_SHORTEST_LAG, _LONGEST_LAG = RATE_HZ // 400, RATE_HZ // 70
_HANN = np.hanning(_WINDOW)
_HANN_ALIKE = (np.correlate(_HANN, _HANN, "full")[_WINDOW - 1 :] / np.dot(_HANN, _HANN))[_SHORTEST_LAG:_LONGEST_LAG]
"""What a window leaves of a periodic sound's likeness to itself; divided out (Boersma 1993)."""
_NEARLY = 0.9
"""What repeats after one period repeats after two: the first peak that is nearly the highest is the pitch."""
_FLOOR = 1e-12


def pitch(frame: Frame) -> tuple[float, float]:
    """(Hz, how alike the frame is to itself one period later: 0 to 1); (0, 0) where nothing repeats."""
    alike = np.fft.irfft(np.diff(frame.sums, prepend=0.0), _SIZE)
    if alike[0] <= _FLOOR:
        return 0.0, 0.0
    lags = alike[_SHORTEST_LAG:_LONGEST_LAG] / (alike[0] * _HANN_ALIKE)
    inner = lags[1:-1]
    # At the edge of the range it may be the slope of the likeness that every sound has to itself right away.
    peaks = np.flatnonzero((inner > lags[:-2]) & (inner >= lags[2:]))
    if not len(peaks):
        return 0.0, 0.0
    most = float(inner[peaks].max())
    best = int(peaks[np.argmax(inner[peaks] >= most * _NEARLY)])
    before, at, after = lags[best : best + 3]
    bend = float(before - 2 * at + after)
    lag = best + 1 + _SHORTEST_LAG + (0.5 * float(before - after) / bend if bend else 0.0)
    return RATE_HZ / lag, most
