"""Frames of the link: a 4-byte big-endian length, then a MessagePack array of messages.

Many messages share one frame, because waking the other side costs more than the message does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

HEADER_BYTES = 4

#: A frame above this is a fault of the peer (the largest honest one is a bulk submit of 1,000 tasks of 64 KiB).
MAX_FRAME_BYTES = 80 * 1024 * 1024

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()


class FrameError(Exception):
    """The peer does not speak this protocol; the connection must be closed."""


def encode_frame(messages: Sequence[object]) -> bytes:
    """One frame. Raises ``FrameError`` when it would be larger than the other side accepts."""
    buffer = bytearray(HEADER_BYTES)
    _encoder.encode_into(messages, buffer, HEADER_BYTES)
    length = len(buffer) - HEADER_BYTES
    if length > MAX_FRAME_BYTES:
        raise FrameError(f"a frame of {length} bytes is above the limit of {MAX_FRAME_BYTES}")
    buffer[:HEADER_BYTES] = length.to_bytes(HEADER_BYTES, "big")
    return bytes(buffer)


class FrameReader(Generic[T]):
    """Cuts messages out of a byte stream: ``feed`` returns those that are complete, in order."""

    def __init__(self, union: object) -> None:
        self._decoder: msgspec.msgpack.Decoder[list[T]] = msgspec.msgpack.Decoder(list[union])  # type: ignore[valid-type]
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[T]:
        """Raises ``FrameError`` for a length beyond the limit or bytes that are not of the vocabulary."""
        self._buffer += data
        messages: list[T] = []
        start = 0
        while len(self._buffer) - start >= HEADER_BYTES:
            end = start + HEADER_BYTES
            length = int.from_bytes(self._buffer[start:end], "big")
            if length > MAX_FRAME_BYTES:
                raise FrameError(f"a frame of {length} bytes is above the limit of {MAX_FRAME_BYTES}")
            if len(self._buffer) - end < length:
                break
            messages += self._decode(bytes(self._buffer[end : end + length]))
            start = end + length
        del self._buffer[:start]
        return messages

    def _decode(self, payload: bytes) -> list[T]:
        try:
            return self._decoder.decode(payload)
        except msgspec.MsgspecError as error:
            raise FrameError(str(error)) from error
