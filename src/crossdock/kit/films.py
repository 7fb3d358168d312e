"""Reads and converts films with FFmpeg's libraries, as a program of its own: bytes of strangers are decoded
in no process that serves anybody. `film_processes.py` runs it, and ends it when it takes too long.

    python -m crossdock.kit.films examine FILM FOLDER '{"seconds_max": 180, "pixels_max": 2073600}'
    python -m crossdock.kit.films render FILM FOLDER '{"edges": [240, 480], "seconds": 12.5}'

It writes lines of JSON: {"progress": percent}, and at last {"done": {...}}, {"refused": "reason"}, or
{"full": errno} where the disk is.
It ends with its parent, whose end closes its standard input.
"""

import errno
import json
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer, OutputContainer
from av.video.frame import PictureType, VideoFrame
from av.video.stream import VideoStream

from crossdock.kit.film_processes import COVER, MASTER, ORIGINAL

SEGMENT_S = 4
_MEMORY_BYTES = 4 * 1024**3
_COVER_AT_S = 1
_BITRATES = ((240, 400_000), (480, 1_200_000), (720, 2_800_000), (1080, 5_000_000))
_AUDIO_BITRATE = 160_000
_NICE = 10
_FULL = {errno.ENOSPC, errno.EDQUOT}
_PIXELS = {"yuv420p", "yuvj420p"}


class RefusedFilm(Exception):
    """What is wrong with a film, for people."""


def examine(path: Path, folder: Path, *, seconds_max: int, pixels_max: int) -> dict[str, Any]:
    """Check a film; write it again without metadata, and a picture of its first seconds.

    Returns `width` and `height` in pixels, upright, `duration_ms` and `has_audio`. Raises RefusedFilm.
    """
    with _opened(path) as film:
        video = _video(film)
        if video.width * video.height > pixels_max:
            raise RefusedFilm(f"it has more than {pixels_max} pixels")
        length = _copied(film, folder / ORIGINAL, seconds_max=seconds_max)
        has_audio = bool(film.streams.audio)
    with _opened(path) as film:
        cover = _cover(film)
    if cover is None:
        raise RefusedFilm("it has no picture that can be decoded")
    picture = upright(cover)
    if picture.width * picture.height > pixels_max:
        raise RefusedFilm(f"it has more than {pixels_max} pixels")
    image: Any = picture.to_image()  # type: ignore[no-untyped-call]
    image.save(folder / COVER, format="JPEG", quality=90)
    return {
        "width": picture.width,
        "height": picture.height,
        "duration_ms": round(length * 1000),
        "has_audio": has_audio,
    }


def render(path: Path, folder: Path, *, edges: list[int], seconds: float) -> dict[str, Any]:
    """Write a film in several sizes for HLS: `<edge>.mp4` with its `<edge>.m3u8` for each short edge.

    Segments are parts of one file of fragmented MP4, with a key frame every SEGMENT_S seconds at the same
    times in all sizes. Sound is copied. Raises RefusedFilm where the film cannot be decoded.
    """
    os.nice(_NICE)
    told = -1
    with _opened(path) as film:
        first = next(film.decode(_video(film)), None)
    if first is None:
        raise RefusedFilm("it has no picture that can be decoded")
    picture = upright(first)
    with ExitStack() as stack:
        film = stack.enter_context(_opened(path))
        outputs = [
            _Output(film, folder, edge=edge, shape=(picture.width, picture.height))
            for edge in edges
        ]
        for output in outputs:
            stack.enter_context(output.container)
        for frame in _frames(film, outputs):
            picture = upright(frame)
            for output in outputs:
                output.add(picture, at=max(frame.time, 0.0))
            percent = min(99, int(max(frame.time, 0) * 100 / max(seconds, 0.001)))
            if percent > told:
                told = percent
                _tell({"progress": percent})
        for output in outputs:
            output.end()
    (folder / MASTER).write_text("\n".join(_master(outputs)) + "\n")
    return {"sizes": [[output.edge, *output.size] for output in outputs]}


def upright(frame: VideoFrame) -> VideoFrame:
    """The frame turned as its film says."""
    turns = {90: ("transpose", "cclock"), 180: ("hflip", None), 270: ("transpose", "clock")}
    found = turns.get(round(frame.rotation) % 360)
    if found is None:
        return frame
    graph = av.filter.Graph()
    name, how = found
    chain = [
        graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=Fraction(1, 1000),
        )
    ]
    chain.append(graph.add(name, how) if how else graph.add(name))
    if name == "hflip":
        chain.append(graph.add("vflip"))
    chain.append(graph.add("buffersink"))
    graph.link_nodes(*chain).configure()
    graph.push(frame)
    turned = graph.pull()
    assert isinstance(turned, VideoFrame)
    return turned


def size_of(width: int, height: int, *, edge: int) -> tuple[int, int]:
    """The size whose short edge is `edge`, at most the film's own; both even, as the codec wants them."""
    short = min(edge, width, height)
    long = max(width, height) * short // min(width, height)
    pair = (short, long) if width < height else (long, short)
    return max(2, pair[0] // 2 * 2), max(2, pair[1] // 2 * 2)


class _Output:
    """One size: its file, its encoder, and the copied sound."""

    def __init__(
        self, film: InputContainer, folder: Path, *, edge: int, shape: tuple[int, int]
    ) -> None:
        self.edge = edge
        self.size = size_of(*shape, edge=edge)
        self.bitrate = next((rate for top, rate in _BITRATES if edge <= top), _BITRATES[-1][1])
        self.container: OutputContainer = av.open(
            str(folder / f"{edge}.m3u8"),
            mode="w",
            format="hls",
            options={
                "hls_time": str(SEGMENT_S),
                "hls_playlist_type": "vod",
                "hls_segment_type": "fmp4",
                "hls_flags": "single_file",
                "hls_segment_filename": str(folder / f"{edge}.mp4"),
            },
        )
        rate = _video(film).average_rate or 25
        self.video = self.container.add_stream("libx264", rate=min(Fraction(rate), Fraction(60)))
        self.audio = [
            self.container.add_stream_from_template(each) for each in film.streams.audio[:1]
        ]
        self._next_key = 0.0
        self._last = -1
        self._prepare()

    def add(self, frame: VideoFrame, *, at: float) -> None:
        """Encode a frame that is shown so many seconds after the first."""
        width, height = self.size
        picture = frame.reformat(width=width, height=height, format="yuv420p")
        pts = max(round(at * 90_000), self._last + 1)
        picture.pts, picture.time_base, self._last = pts, Fraction(1, 90_000), pts
        picture.pict_type = PictureType.I if at >= self._next_key else PictureType.NONE
        if at >= self._next_key:
            self._next_key = (int(at / SEGMENT_S) + 1) * SEGMENT_S
        self.container.mux(self.video.encode(picture))

    def add_sound(self, packet: "av.Packet[Any]") -> None:
        """Copy a packet of sound."""
        copy = av.Packet(bytes(packet))
        copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
        copy.duration, copy.is_keyframe, copy.stream = packet.duration, True, self.audio[0]
        self.container.mux(copy)

    def end(self) -> None:
        """Encode what is left."""
        self.container.mux(self.video.encode())

    def codecs(self) -> str:
        """What RFC 6381 calls the codecs: avc1 with profile, constraints and level of the SPS."""
        extra = bytes(self.video.codec_context.extradata or b"")
        at = extra.find(b"\x00\x00\x01\x67") + 4
        video = f"avc1.{extra[at : at + 3].hex().upper()}"
        return f"{video},mp4a.40.2" if self.audio else video

    def _prepare(self) -> None:
        context = self.video.codec_context
        context.width, context.height = self.size
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, 90_000)
        context.thread_count = 1
        context.options = {
            "preset": "veryfast",
            "profile": "main",
            "crf": "23",
            "maxrate": str(self.bitrate),
            "bufsize": str(self.bitrate * 2),
            "sc_threshold": "0",
            "g": "100000",
            "forced-idr": "1",
        }


def _frames(film: InputContainer, outputs: list[_Output]) -> Iterator[VideoFrame]:
    """The film's frames; packets of sound go to the outputs as they come."""
    video = _video(film)
    for packet in film.demux([video, *film.streams.audio[:1]]):
        if packet.stream.type == "audio":
            if packet.pts is not None:
                for output in outputs:
                    output.add_sound(packet)
            continue
        for frame in video.decode(packet):
            if frame.pts is not None:
                yield frame


def _master(outputs: list[_Output]) -> Iterator[str]:
    yield from ("#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS")
    for output in outputs:
        rate = output.bitrate + (_AUDIO_BITRATE if output.audio else 0)
        width, height = output.size
        yield (
            f"#EXT-X-STREAM-INF:BANDWIDTH={rate},RESOLUTION={width}x{height}"
            f',CODECS="{output.codecs()}"'
        )
        yield f"{output.edge}.m3u8"


def _opened(path: Path) -> InputContainer:
    with path.open("rb") as file:
        if file.read(8)[4:] != b"ftyp":
            raise RefusedFilm("it is no MP4 file")
    # As an open file: the film cannot name another one, nor an address.
    return av.open(path.open("rb"), mode="r", format="mp4", metadata_errors="ignore")


def _video(film: InputContainer) -> VideoStream:
    """The picture of a film that browsers play: H.264 with AAC or without sound. Raises RefusedFilm."""
    if len(film.streams.video) != 1:
        raise RefusedFilm("it has not exactly one picture track")
    video = film.streams.video[0]
    names = [stream.codec_context.name for stream in film.streams.audio]
    if video.codec_context.name != "h264" or video.codec_context.pix_fmt not in _PIXELS:
        raise RefusedFilm("its picture is not H.264 with 4:2:0 and 8 bits")
    if names[:1] not in ([], ["aac"]):
        raise RefusedFilm("its sound is not AAC")
    return video


def _copied(film: InputContainer, target: Path, *, seconds_max: int) -> float:
    """Write picture and sound as they are, without anything else; returns the length in seconds."""
    length = 0.0
    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(str(target), mode="w", format="mp4", options=options) as copy:
        chosen = [_video(film), *film.streams.audio[:1]]
        streams = {each.index: copy.add_stream_from_template(each) for each in chosen}
        for each in streams.values():
            each.metadata.clear()
        for packet in film.demux(chosen):
            if packet.dts is None or packet.pts is None:
                continue
            base = packet.time_base
            length = max(length, float((packet.pts + (packet.duration or 0)) * base))
            if length > seconds_max:
                raise RefusedFilm(f"it is longer than {seconds_max} seconds")
            packet.stream = streams[packet.stream.index]
            copy.mux(packet)
    return length


def _cover(film: InputContainer) -> VideoFrame | None:
    """The frame after the first second, the last one of a film that is shorter."""
    found = None
    for frame in film.decode(_video(film)):
        found = frame
        if frame.pts is None or frame.time >= _COVER_AT_S:
            break
    return found


def _tell(told: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _told(error: Exception) -> dict[str, Any]:
    """What an error says of the film, without the path where it lies here; or of the disk."""
    number = getattr(error, "errno", None)
    if number in _FULL:
        return {"full": number}
    return {"refused": f"it cannot be decoded: {getattr(error, 'strerror', None) or error}"}


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(3)


def main(arguments: list[str]) -> None:
    """Do what the arguments say."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    verb, film, folder, options = arguments
    works: dict[str, Callable[..., dict[str, Any]]] = {"examine": examine, "render": render}
    try:
        _tell({"done": works[verb](Path(film), Path(folder), **json.loads(options))})
    except RefusedFilm as error:
        _tell({"refused": str(error)})
    except (av.FFmpegError, ValueError, OverflowError) as error:
        _tell(_told(error))
    sys.stdout.flush()
    os._exit(0)  # the thread still reads


if __name__ == "__main__":
    main(sys.argv[1:])
