"""QR symbols as dark and light modules: to know how wide one gets, and for printers without a QR command."""

from __future__ import annotations

from math import isqrt

import zxingcpp

QUIET = 4
"""Light modules around a symbol (ISO/IEC 18004)."""
_DARK = b"\x01" + bytes(255)


def modules(text: str, level: str = "M") -> tuple[bytes, ...]:
    """The symbol's rows without the quiet zone, a byte a module, 1 = dark; `level` L, M, Q or H. Raises ValueError when too long."""
    try:
        symbol = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level)  # pyright: ignore[reportUnknownMemberType]
    except ValueError as error:
        raise ValueError(f"{len(text)} characters don't fit a QR code: {error}") from None
    # An Image offers the buffer protocol, which its stubs can't say.
    pixels = bytes(symbol.to_image(scale=1, add_quiet_zones=False)).translate(_DARK)  # pyright: ignore
    side = isqrt(len(pixels))
    return tuple(pixels[row * side : (row + 1) * side] for row in range(side))
