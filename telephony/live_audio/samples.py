"""Samples as they travel and as listeners see them: G.711 µ-law at 8 kHz, linear at 16 kHz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BIAS, _CLIP = 0x84, 32635


def _decoding() -> NDArray[np.int16]:
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = (((mantissa << 3) + _BIAS) << exponent) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _encoding() -> NDArray[np.uint8]:
    """By the sample, seen as unsigned."""
    sample = np.arange(65536, dtype=np.int32)
    sample = np.where(sample >= 32768, sample - 65536, sample)
    magnitude = np.minimum(np.abs(sample), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 15
    code: NDArray[np.int32] = ~(np.where(sample < 0, 0x80, 0) | (exponent << 4) | mantissa) & 0xFF
    return code.astype(np.uint8)


_LINEAR, _MU_LAW = _decoding(), _encoding()


def from_mu_law(data: bytes) -> bytes:
    return _LINEAR[np.frombuffer(data, np.uint8)].tobytes()


def to_mu_law(pcm: bytes) -> bytes:
    return _MU_LAW[np.frombuffer(pcm, np.uint16)].tobytes()


def from_network(data: bytes) -> bytes:
    """Linear samples, most significant byte first."""
    return np.frombuffer(data, ">i2").astype(np.int16).tobytes()


def to_network(pcm: bytes) -> bytes:
    return np.frombuffer(pcm, np.int16).astype(">i2").tobytes()
