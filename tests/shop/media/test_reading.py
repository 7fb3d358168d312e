"""An uploaded image..."""

import contextlib
import hashlib

import pytest
from PIL import Image

from crossdock.errors import Invalid
from crossdock.shop.media.model import ORIGINAL, ImageName, read_name, scaled, versions_of
from crossdock.shop.media.reading import ImageLimits, marks_of, read_image
from crossdock.shop.media.stripping import SCANS_MAX
from tests.support.pictures import chunk, exif, opened, photo, png_of_size, saved, segment

LIMITS = ImageLimits(bytes_max=200_000, pixels_max=400_000)
PAGE = b"<html><script>alert(document.domain)</script></html>"


def code_of(body: bytes, *, limits: ImageLimits = LIMITS) -> str:
    with pytest.raises(Invalid) as refusal:
        read_image(body, limits=limits)
    return refusal.value.code


def test_of_2000_by_1644_has_the_sizes_of_the_sample() -> None:
    limits = ImageLimits(bytes_max=10**7, pixels_max=4 * 10**7)

    read = read_image(photo(2000, 1644), limits=limits)

    sizes = {edge: opened(body).size for edge, body in read.files.items()}
    assert sizes == {
        ORIGINAL: (2000, 1644),
        100: (121, 100),
        400: (486, 400),
        1000: (1216, 1000),
    }
    assert (read.format, read.width, read.height) == ("JPEG", 2000, 1644)


@pytest.mark.parametrize(
    ("size", "edge", "becomes"),
    [
        ((2000, 1644), 100, (121, 100)),
        ((1644, 2000), 100, (100, 121)),
        ((1000, 1000), 400, (400, 400)),
        ((100, 9999), 100, (100, 9999)),
        ((3, 2), 1, (1, 1)),
    ],
)
def test_keeps_its_shape_with_the_long_edge_rounded_down(
    size: tuple[int, int], edge: int, becomes: tuple[int, int]
) -> None:
    assert scaled(*size, edge=edge) == becomes


def test_is_never_made_larger() -> None:
    assert set(read_image(photo(399, 600), limits=LIMITS).files) == {ORIGINAL, 100}
    assert set(read_image(photo(600, 400), limits=LIMITS).files) == {ORIGINAL, 100, 400}
    assert set(read_image(photo(99, 99), limits=LIMITS).files) == {ORIGINAL}


def test_names_its_files_by_its_checksum() -> None:
    marks = marks_of(b"abc")

    assert marks.checksum == "900150983cd24fb0d6963f7d28e17f72"
    assert marks.digest == hashlib.sha256(b"abc").digest()
    name = read_name(f"{marks.checksum}-100x100.JPEG")
    assert name == ImageName(checksum=marks.checksum, edge=100, format="JPEG")
    assert name.text == f"{marks.checksum}-100x100.JPEG"
    for wrong in ("-100x400.JPEG", ".jpeg", ".GIF", "-200x200.PNG", ".PNG\n", "/../x.PNG"):
        assert read_name(marks.checksum + wrong) is None
    assert read_name("../" + marks.checksum + ".PNG") is None
    assert read_name(marks.checksum.upper() + ".PNG") is None


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1"])
def test_may_be_a_png_of_any_kind(mode: str) -> None:
    image = Image.new("L", (120, 110), 255)
    image.paste(0, (0, 0, 120, 80))

    read = read_image(saved(image.convert(mode), kind="PNG"), limits=LIMITS)

    assert (read.format, read.color) == ("PNG", "#000000")
    assert opened(read.files[100]).size == (109, 100)
    assert opened(read.files[100]).convert("L").getpixel((50, 95)) == 255


def test_of_sixteen_bits_is_shown_with_eight() -> None:
    read = read_image(saved(Image.new("I;16", (100, 100), 40_000), kind="PNG"), limits=LIMITS)

    assert read.color == "#9C9C9C"
    assert opened(read.files[100]).getpixel((50, 50)) == 156
    assert opened(read.files[ORIGINAL]).getpixel((50, 50)) == 40_000


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
def test_may_be_a_jpeg_of_any_kind(mode: str, progressive: bool) -> None:
    read = read_image(photo(120, 110, mode=mode, progressive=progressive), limits=LIMITS)

    assert opened(read.files[100]).mode == ("L" if mode == "L" else "RGB")
    assert opened(read.files[ORIGINAL]).mode == mode


def test_has_a_main_colour_that_is_always_the_same() -> None:
    body = photo(90, 30, kind="PNG")

    colors = {read_image(body, limits=LIMITS).color for _ in range(3)}

    assert colors == {"#1428C8"}


def test_counts_what_is_transparent_as_white() -> None:
    image = Image.new("RGBA", (90, 30), (0, 0, 0, 0))
    image.paste((10, 200, 10, 255), (0, 0, 30, 30))

    assert read_image(saved(image, kind="PNG"), limits=LIMITS).color == "#FFFFFF"


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(
    ("orientation", "size", "red"),
    [
        (1, (90, 30), (5, 15)),
        (2, (90, 30), (85, 15)),
        (3, (90, 30), (85, 15)),
        (4, (90, 30), (5, 15)),
        (5, (30, 90), (15, 5)),
        (6, (30, 90), (15, 5)),
        (7, (30, 90), (15, 85)),
        (8, (30, 90), (15, 85)),
        (77, (90, 30), (5, 15)),
    ],
)
def test_is_turned_upright(
    kind: str, orientation: int, size: tuple[int, int], red: tuple[int, int]
) -> None:
    body = photo(90, 30, kind=kind, exif=exif(orientation=orientation))

    read = read_image(body, limits=LIMITS)

    assert (read.width, read.height) == size
    shown = opened(read.files[ORIGINAL])
    assert shown.size == size
    pixel = shown.getpixel(red)
    assert isinstance(pixel, tuple)
    assert pixel[0] - pixel[2] > 100


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_loses_where_and_with_what_it_was_taken(kind: str, orientation: int) -> None:
    body = photo(150, 120, kind=kind, exif=exif(orientation=orientation))
    assert b"SecretCamera" in body

    read = read_image(body, limits=LIMITS)

    for kept in read.files.values():
        assert b"SecretCamera" not in kept
        assert b"Exif" not in kept
        assert b"eXIf" not in kept
        assert not opened(kept).getexif()


def test_keeps_its_pixels_where_it_is_not_turned() -> None:
    body = photo(60, 40, exif=exif())

    kept = read_image(body, limits=LIMITS).files[ORIGINAL]

    assert opened(kept).tobytes() == opened(body).tobytes()
    assert len(kept) < len(body)


def test_keeps_its_colour_profile() -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("JPEG", "PNG"):
        read = read_image(photo(150, 120, kind=kind, icc_profile=profile), limits=LIMITS)
        assert {opened(kept).info.get("icc_profile") for kept in read.files.values()} == {profile}


def test_loses_what_follows_its_end() -> None:
    for kind in ("JPEG", "PNG"):
        body = photo(kind=kind)
        kept = read_image(body + PAGE + photo(), limits=LIMITS).files[ORIGINAL]
        assert kept == read_image(body, limits=LIMITS).files[ORIGINAL]


def test_loses_what_is_written_into_it() -> None:
    jpeg, png = photo(), photo(kind="PNG")
    for marker in (0xFE, 0xE1, 0xE5, 0xED):
        written = jpeg[:2] + segment(marker, PAGE) + jpeg[2:]
        assert PAGE not in read_image(written, limits=LIMITS).files[ORIGINAL]
    for name in (b"tEXt", b"iTXt", b"zTXt", b"prVt"):
        written = png[:33] + chunk(name, b"Comment\0" + PAGE) + png[33:]
        assert PAGE not in read_image(written, limits=LIMITS).files[ORIGINAL]


def test_is_the_first_of_several_in_one_jpeg() -> None:
    first = Image.new("RGB", (60, 40), "red")
    body = saved(first, kind="MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    assert opened(body).format == "MPO"

    read = read_image(body, limits=LIMITS)

    assert (read.format, read.width, read.height) == ("JPEG", 60, 40)
    assert opened(read.files[ORIGINAL]).format == "JPEG"


def test_is_refused_when_it_is_animated() -> None:
    frames = [Image.new("RGB", (9, 9), color) for color in ("red", "blue")]
    body = saved(frames[0], kind="PNG", save_all=True, append_images=frames[1:])

    assert code_of(body) == "image_invalid"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        PAGE,
        b"%PDF-1.7",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        photo(kind="GIF"),
        photo(kind="WEBP"),
        photo(kind="BMP"),
        photo(kind="TIFF"),
        b" " + photo(),
        photo()[:-200],
        photo(kind="PNG")[:-20],
        photo()[:4] + b"\0\0" + photo()[6:],
        photo().replace(b"\xff\xc0", b"\xff\xc9"),
        photo(kind="PNG").replace(b"IDAT", b"IDAX"),
    ],
    ids=range(16),
)
def test_is_refused_when_it_is_no_jpeg_and_no_png(body: bytes) -> None:
    assert code_of(body) == "image_invalid"


def test_is_refused_when_it_is_damaged() -> None:
    body = bytearray(photo(kind="PNG"))
    body[-30] ^= 0x55

    assert code_of(bytes(body)) == "image_invalid"


def test_never_breaks_the_reader_whatever_byte_is_wrong() -> None:
    for kind in ("JPEG", "PNG"):
        body = photo(16, 16, kind=kind)
        for at in range(0, len(body), 3):
            for value in (0x00, 0xFF, 0xD9):
                wrong = bytearray(body)
                wrong[at] = value
                with contextlib.suppress(Invalid):
                    read = read_image(bytes(wrong), limits=LIMITS)
                    assert opened(read.files[ORIGINAL]).size == (read.width, read.height)


def test_is_refused_when_it_has_too_many_bytes() -> None:
    body = photo()
    fits = ImageLimits(bytes_max=len(body), pixels_max=10**6)

    assert read_image(body, limits=fits).width == 60
    assert code_of(body + b"\0", limits=fits) == "image_too_large"


def test_is_refused_before_it_is_decoded_when_it_has_too_many_pixels() -> None:
    limits = ImageLimits(bytes_max=10**6, pixels_max=60 * 40)

    assert read_image(photo(60, 40), limits=limits).width == 60
    assert code_of(photo(60, 41), limits=limits) == "image_too_large"
    for bomb in (png_of_size(30_000, 30_000), png_of_size(2**31 - 1, 1)):
        assert code_of(bomb) == "image_too_large"
    assert code_of(png_of_size(400, 400)) == "image_invalid"
    assert code_of(png_of_size(0, 400)) == "image_invalid"


def test_is_refused_when_decoding_it_would_take_for_ever() -> None:
    body = photo(60, 40, progressive=True)
    start = body.index(b"\xff\xda")
    end = body.index(b"\xff", start + 14)
    scan = body[start:end]

    with pytest.raises(Invalid, match="too many scans"):
        read_image(body[:start] + scan * SCANS_MAX + body[start:], limits=LIMITS)


def test_has_versions_with_names_and_sizes() -> None:
    from crossdock.shop.catalogue import ImageFacts

    facts = ImageFacts(
        id=1, checksum="a" * 32, format="PNG", width=500, height=450, color="#000000"
    )

    found = [(each.filename, each.width, each.height) for each in versions_of(facts)]

    assert found == [
        (f"{'a' * 32}.PNG", 500, 450),
        (f"{'a' * 32}-100x100.PNG", 111, 100),
        (f"{'a' * 32}-400x400.PNG", 444, 400),
    ]
