"""A QR code as a picture of whole pixels: error correction Q, version 10, mask fixed (pass-format.md, "On screen").

The mode, version and mask are given, so the matrix takes 2 ms instead of 12. Nearest filtering keeps the edges hard.
"""

from __future__ import annotations

from typing import Literal

from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture

from kiosk.ui import theme
from kiosk.ui.layout import Box
from kiosk.ui.paint import Plate
from kiosk.ui.theme import px

ALPHANUMERIC: Literal[2] = 2
"""Mode 0010 (ISO/IEC 18004, table 2): digits, capitals and a few signs, 5.5 bits each."""

QUIET = 4
"""Light modules around the code (ISO/IEC 18004)."""


def matrix(text: str) -> list[list[bool]]:
    """The modules of a pass's code, without the quiet zone: 57 × 57.

    Raises:
        ValueError: the text isn't alphanumeric (ISO/IEC 18004, 7.4.4) or too long for version 10-Q.
    """
    from qrcode.constants import ERROR_CORRECT_Q
    from qrcode.exceptions import DataOverflowError
    from qrcode.main import QRCode
    from qrcode.util import QRData

    code = QRCode(version=10, error_correction=ERROR_CORRECT_Q, border=0, mask_pattern=3)
    try:
        code.add_data(QRData(text.encode("ascii"), mode=ALPHANUMERIC), optimize=0)
        code.make(fit=False)
    except (DataOverflowError, ValueError) as error:
        raise ValueError("not a text that a pass's code can hold") from error
    return [[bool(module) for module in row] for row in code.get_matrix()]


class QrView(Box):
    """The code on a white plate, as large as whole modules allow in the square it is given."""

    def __init__(self, text: str, *, side: float) -> None:
        super().__init__()
        self._modules = matrix(text)
        self._side = side
        self._texture = _texture(self._modules)

    def want(self) -> float:
        return px(self._side)

    def need(self, width: float) -> float:
        return min(width, px(self._side))

    def arrange(self) -> None:
        self.canvas.clear()
        count = len(self._modules) + 2 * QUIET
        side = min(self.width, self.height)
        module = max(1, int(side // count))
        edge = module * len(self._modules)
        with self.canvas:
            Plate(theme.WHITE, px(24)).put(self.center_x - side / 2, self.center_y - side / 2, side, side)
            Color(1, 1, 1, 1)
            Rectangle(
                texture=self._texture,
                pos=(round(self.center_x - edge / 2), round(self.center_y - edge / 2)),
                size=(edge, edge),
            )

    def wipe(self) -> None:
        self.canvas.clear()
        self._modules = []
        self._texture = None
        super().wipe()


def _texture(modules: list[list[bool]]) -> Texture:
    count = len(modules)
    # Kivy's first row is the lowest.
    data = bytes(0 if module else 255 for row in reversed(modules) for module in row for _ in range(3))
    texture = Texture.create(size=(count, count), colorfmt="rgb")
    texture.mag_filter = "nearest"
    texture.min_filter = "nearest"
    texture.blit_buffer(data, colorfmt="rgb", bufferfmt="ubyte")
    return texture
