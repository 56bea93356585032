"""Rounded surfaces, soft shadows and pictures: nine-patches with anti-aliasing in the texture.

A rounded rectangle is a small texture of exactly the radius on this screen, computed once a radius, so corners are
crisp at any scale without multisampling; a shadow is the same with a soft edge. Kivy instructions only, no widgets.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

from kivy.core.image import Image as CoreImage
from kivy.graphics import BorderImage, Color, Rectangle
from kivy.graphics.texture import Texture

from kiosk.ui import theme
from kiosk.ui.theme import Colour, px

ART = Path(__file__).resolve().parent / "art"


@cache
def _disc(radius: int) -> Texture:
    """A white disc of `radius` pixels with one pixel in the middle to stretch."""
    side = 2 * radius + 1
    upper = [_disc_row(radius, radius - y - 0.5) for y in range(radius)]
    texture = Texture.create(size=(side, side), colorfmt="rgba")
    texture.blit_buffer(
        b"".join([*upper, b"\xff" * 4 * side, *reversed(upper)]), colorfmt="rgba", bufferfmt="ubyte"
    )
    return texture


def _disc_row(radius: int, dy: float) -> bytes:
    """One row of the disc, `dy` from its middle: clear, a few pixels of edge, solid, and the same mirrored."""
    edge = radius - math.sqrt(max(0.0, (radius + 0.5) ** 2 - dy * dy))
    clear = max(0, int(edge))
    left = [0] * clear
    for x in range(clear, radius):
        alpha = round(255 * min(1.0, max(0.0, radius - math.hypot(radius - x - 0.5, dy) + 0.5)))
        left.append(alpha)
        if alpha == 255:
            break
    left += [255] * (radius - len(left))
    return b"".join(b"\xff\xff\xff" + bytes((alpha,)) for alpha in [*left, 255, *reversed(left)])


@cache
def picture(name: str) -> Texture:
    """A picture of the art folder."""
    return CoreImage(str(ART / f"{name}.png")).texture


class Plate:
    """A rounded rectangle in the canvas it is made in (use inside `with canvas`)."""

    def __init__(self, colour: Colour, radius: float = 0.0) -> None:
        self.tint = Color(*colour)
        self.radius = radius
        self._shape = BorderImage(border=(0, 0, 0, 0))

    def put(self, x: float, y: float, w: float, h: float) -> None:
        """Place it, in pixels."""
        radius = int(min(self.radius, w / 2, h / 2))
        self._shape.texture = _disc(radius) if radius > 0 else None
        self._shape.border = (radius, radius, radius, radius)
        self._shape.pos = (x, y)
        self._shape.size = (max(0.0, w), max(0.0, h))

    def paint(self, colour: Colour) -> None:
        """Another colour."""
        self.tint.rgba = colour


@cache
def _penumbra(radius: int, reach: int) -> Texture:
    """White that fades over `reach` pixels around a rounded square; made at half size, for it is soft anyway."""
    half_r, half_reach = max(1, radius // 2), max(1, reach // 2)
    corner = half_r + half_reach
    side = 2 * corner + 1
    quarter: list[list[int]] = []
    for y in range(corner + 1):
        row: list[int] = []
        for x in range(corner + 1):
            dx, dy = corner - x, corner - y
            outside = math.hypot(dx, dy) - half_r
            t = min(1.0, max(0.0, (outside + half_reach * 0.5) / (half_reach * 1.5)))
            row.append(round(255 * (1 - t) ** 2.2))
        quarter.append(row)
    data = bytearray()
    for y in range(side):
        row = quarter[min(y, side - 1 - y)]
        for x in range(side):
            data += b"\xff\xff\xff" + bytes((row[min(x, side - 1 - x)],))
    texture = Texture.create(size=(side, side), colorfmt="rgba")
    texture.blit_buffer(bytes(data), colorfmt="rgba", bufferfmt="ubyte")
    return texture


class Shade:
    """A soft shadow under a plate of the same radius (pixels); `depth` is how far it reaches in design units."""

    def __init__(self, depth: float = 28.0, radius: float = 0.0, colour: Colour = theme.SHADOW) -> None:
        self.depth = depth
        self.radius = radius
        self.tint = Color(*colour)
        self._shape = BorderImage(border=(0, 0, 0, 0))

    def put(self, x: float, y: float, w: float, h: float) -> None:
        """Place it for a plate at these pixels."""
        reach = px(self.depth)
        drop = px(self.depth * 0.3)
        radius = min(self.radius, w / 2, h / 2)
        texture = _penumbra(int(radius), int(reach))
        corner = texture.width // 2
        self._shape.texture = texture
        self._shape.border = (corner,) * 4
        self._shape.display_border = (radius + reach,) * 4
        self._shape.pos = (x - reach, y - reach - drop)
        self._shape.size = (w + 2 * reach, h + 2 * reach)


class Backdrop:
    """A picture that covers a rectangle: scaled to fill, kept at its bottom, cut at the top and the sides."""

    def __init__(self, name: str) -> None:
        self.tint = Color(1, 1, 1, 1)
        self._texture = picture(name)
        self._shape = Rectangle(texture=self._texture)

    def put(self, x: float, y: float, w: float, h: float) -> None:
        """Place it, in pixels."""
        wide, high = self._texture.size
        scale = max(w / wide, h / high)
        share_w, share_h = w / (wide * scale), h / (high * scale)
        # The sun stands at the right: what must go, goes at the left.
        left = 1 - share_w
        u0, v0, u1, v1 = left, 1.0, 1.0, 1.0 - share_h
        self._shape.tex_coords = (u0, v0, u1, v0, u1, v1, u0, v1)
        self._shape.pos = (x, y)
        self._shape.size = (w, h)
