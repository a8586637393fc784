"""What the public pages load beside their own text."""

from pathlib import Path
from typing import Final

from libs.common.pages.assets import Shelf, style_sheet

SHELF: Final = Shelf("/api/certs/v1/public/assets/", style_sheet(Path(__file__).parent / "style.css"))
