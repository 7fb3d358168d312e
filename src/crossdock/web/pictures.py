"""Product pictures for the demo shop: SVG drawn from the picture's number, the same every time."""

import hashlib

_HUES = (168, 28, 212, 342, 262, 96, 44, 190)
_SIDE = 400


def draw(number: int) -> bytes:
    """Draw the picture of a number: a soft background, and an object on a shelf."""
    seed = hashlib.blake2b(number.to_bytes(8, "big"), digest_size=16).digest()
    hue = _HUES[seed[0] % len(_HUES)]
    thing = _THINGS[seed[1] % len(_THINGS)](seed, hue)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_SIDE} {_SIDE}" role="img"'
        f' aria-label="Demo product {number}">'
        f"<defs>{_gradient('wall', f'hsl({hue} 42% 96%)', f'hsl({hue} 38% 87%)')}"
        f"{_gradient('body', f'hsl({hue} 52% 58%)', f'hsl({hue} 56% 38%)')}</defs>"
        f'<rect width="{_SIDE}" height="{_SIDE}" fill="url(#wall)"/>'
        f"{_backdrop(seed, hue)}"
        f'<ellipse cx="200" cy="334" rx="118" ry="13" fill="hsl({hue} 30% 30% / .16)"/>'
        f"{thing}</svg>"
    ).encode()


def _gradient(name: str, top: str, bottom: str) -> str:
    return (
        f'<linearGradient id="{name}" x1="0" y1="0" x2="0" y2="1">'
        f'<stop offset="0" stop-color="{top}"/><stop offset="1" stop-color="{bottom}"/></linearGradient>'
    )


def _backdrop(seed: bytes, hue: int) -> str:
    x, y, r = 90 + seed[2] % 220, 80 + seed[3] % 120, 60 + seed[4] % 70
    return f'<circle cx="{x}" cy="{y}" r="{r}" fill="hsl({(hue + 25) % 360} 60% 82% / .55)"/>'


def _band(seed: bytes, hue: int) -> str:
    return f"hsl({(hue + 150 + seed[6] % 60) % 360} 62% {60 + seed[7] % 12}%)"


def _bottle(seed: bytes, hue: int) -> str:
    half, neck = 52 + seed[5] % 26, 17 + seed[8] % 8
    top = 92 + seed[9] % 34
    body = (
        f'<path d="M{200 - neck} {top}v36c0 30-{half - neck} 34-{half - neck} 72v112'
        f"q0 18 18 18h{2 * half - 36}q18 0 18-18v-112c0-38-{half - neck}-42-{half - neck}-72v-36z"
        '" fill="url(#body)"/>'
    )
    cap = f'<rect x="{196 - neck}" y="{top - 30}" width="{2 * neck + 8}" height="34" rx="7" fill="hsl({hue} 35% 24%)"/>'
    label = (
        f'<rect x="{200 - half}" y="236" width="{2 * half}" height="56" fill="hsl({hue} 60% 97%)"/>'
    )
    stripe = (
        f'<rect x="{200 - half}" y="246" width="{2 * half}" height="8" fill="{_band(seed, hue)}"/>'
    )
    return body + cap + label + stripe + _writing(200 - half + 16, 266, 2 * half - 32, hue)


def _carton(seed: bytes, hue: int) -> str:
    width, height = 132 + seed[5] % 60, 150 + seed[8] % 60
    left, top, depth = 186 - width / 2, 332 - height, 30
    front = (
        f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="4" fill="url(#body)"/>'
    )
    side = (
        f'<path d="M{left + width} {top}l{depth}-{depth * 0.7}v{height}l-{depth} {depth * 0.7}z"'
        f' fill="hsl({hue} 50% 32%)"/>'
    )
    lid = (
        f'<path d="M{left} {top}l{depth}-{depth * 0.7}h{width}l-{depth} {depth * 0.7}z"'
        f' fill="hsl({hue} 55% 70%)"/>'
    )
    sun = f'<circle cx="{left + width / 2}" cy="{top + height * 0.4}" r="{width * 0.26}" fill="{_band(seed, hue)}"/>'
    return (
        front + side + lid + sun + _writing(left + 18, top + height * 0.74, width - 36, hue, True)
    )


def _tin(seed: bytes, hue: int) -> str:
    half, height = 66 + seed[5] % 30, 120 + seed[8] % 70
    top = 326 - height
    body = (
        f'<path d="M{200 - half} {top}v{height}a{half} 18 0 0 0 {2 * half} 0v-{height}z" fill="url(#body)"/>'
        f'<ellipse cx="200" cy="{top}" rx="{half}" ry="18" fill="hsl({hue} 18% 82%)"/>'
        f'<ellipse cx="200" cy="{top}" rx="{half - 10}" ry="12" fill="hsl({hue} 14% 90%)"/>'
    )
    band = (
        f'<path d="M{200 - half} {top + height * 0.34}a{half} 18 0 0 0 {2 * half} 0v{height * 0.34}'
        f'a{half} 18 0 0 1-{2 * half} 0z" fill="hsl({hue} 60% 97%)"/>'
    )
    dot = f'<circle cx="200" cy="{top + height * 0.51 + 17}" r="{height * 0.12}" fill="{_band(seed, hue)}"/>'
    return body + band + dot


def _jar(seed: bytes, hue: int) -> str:
    half, height = 62 + seed[5] % 24, 128 + seed[8] % 50
    top = 334 - height
    glass = f'<rect x="{200 - half}" y="{top}" width="{2 * half}" height="{height}" rx="26" fill="url(#body)"/>'
    lid = (
        f'<rect x="{206 - half}" y="{top - 34}" width="{2 * half - 12}" height="38" rx="8" fill="{_band(seed, hue)}"/>'
        f'<rect x="{206 - half}" y="{top - 12}" width="{2 * half - 12}" height="6" fill="hsl({hue} 30% 20% / .18)"/>'
    )
    label = (
        f'<rect x="{212 - half}" y="{top + 34}" width="{2 * half - 24}" height="{height - 66}" rx="8"'
        f' fill="hsl({hue} 60% 97%)"/>'
    )
    shine = (
        f'<rect x="{208 - half}" y="{top + 14}" width="7" height="{height - 30}" rx="3.5"'
        ' fill="#fff" fill-opacity=".35"/>'
    )
    return glass + lid + label + shine + _writing(226 - half, top + 56, 2 * half - 52, hue)


def _writing(x: float, y: float, width: float, hue: int, light: bool = False) -> str:
    """Two lines that look like print on a label."""
    colour = f"hsl({hue} 60% 96% / .85)" if light else f"hsl({hue} 30% 35% / .55)"
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="7" rx="3.5" fill="{colour}"/>'
        f'<rect x="{x}" y="{y + 14}" width="{width * 0.6:.0f}" height="7" rx="3.5" fill="{colour}"/>'
    )


_THINGS = (_bottle, _carton, _tin, _jar)
