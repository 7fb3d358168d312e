"""Films for tests: made here, of moving colours and a tone."""

import io
import math
import re
from array import array
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from PIL import Image

from crossdock.kit.ids import RandomIds

RATE = 10
_SOUND_HZ = 44_100


def film(
    *,
    seconds: float = 2.0,
    size: tuple[int, int] = (320, 240),
    sound: bool = True,
    title: str = "",
    codec: str = "libx264",
    container: str = "mp4",
) -> bytes:
    """A film of so many seconds; `title` stands in its metadata. Its bytes are new each time."""
    file = io.BytesIO()
    with av.open(file, mode="w", format=container) as made:
        made.metadata.update({"title": title, "comment": RandomIds().random_token(12)})
        video = made.add_stream(codec, rate=RATE)
        assert isinstance(video, VideoStream)
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        audio = made.add_stream("aac", rate=_SOUND_HZ) if sound else None
        assert audio is None or isinstance(audio, AudioStream)
        for number in range(round(seconds * RATE)):
            color = (number * 23 % 256, 200, 255 - number * 11 % 256)
            frame = av.VideoFrame.from_image(Image.new("RGB", size, color))
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            made.mux(video.encode(frame))
        made.mux(video.encode())
        if audio is not None:
            made.mux(audio.encode(_tone(seconds)))
            made.mux(audio.encode())
    return file.getvalue()


def sound_alone() -> bytes:
    """A film without a picture."""
    file = io.BytesIO()
    with av.open(file, mode="w", format="mp4") as made:
        audio = made.add_stream("aac", rate=_SOUND_HZ)
        assert isinstance(audio, AudioStream)
        made.mux(audio.encode(_tone(1)))
        made.mux(audio.encode())
    return file.getvalue()


def lasting(body: bytes, *, hours: int) -> bytes:
    """The film whose headers say that it lasts so long (ISO 14496-12, 8.2.2 and 8.4.2)."""
    for box in (b"mvhd", b"mdhd"):
        at = body.index(box)
        scale = int.from_bytes(body[at + 16 : at + 20], "big")
        body = _put(body, at + 20, (scale * hours * 3_600).to_bytes(4, "big"))
    return body


def of_size(body: bytes, size: tuple[int, int]) -> bytes:
    """The film whose sample entry says that its picture has this size (8.5.2)."""
    at = body.index(b"avc1", body.index(b"stsd"))
    return _put(body, at + 28, b"".join(each.to_bytes(2, "big") for each in size))


def of_frame_time(body: bytes) -> bytes:
    """The film whose first pictures are hours apart (8.6.1.2)."""
    return _put(body, body.index(b"stts") + 16, (0x7FFF_FFFF).to_bytes(4, "big"))


def without_frames(body: bytes) -> bytes:
    """The film whose tables have no pictures and no sound (8.7.3)."""
    for at in [each.start() for each in re.finditer(b"stsz", body)]:
        body = _put(body, at + 12, bytes(4))
    return body


def _put(body: bytes, at: int, part: bytes) -> bytes:
    return body[:at] + part + body[at + len(part) :]


def _tone(seconds: float) -> av.AudioFrame:
    count = round(seconds * _SOUND_HZ)
    wave = array("f", (0.2 * math.sin(at * 440 * 2 * math.pi / _SOUND_HZ) for at in range(count)))
    frame = av.AudioFrame(format="fltp", layout="mono", samples=count)
    frame.planes[0].update(wave.tobytes())
    frame.sample_rate, frame.pts, frame.time_base = _SOUND_HZ, 0, Fraction(1, _SOUND_HZ)
    return frame
