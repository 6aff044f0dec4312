"""Vega-Lite inside an offline page: the library once, specs as inert JSON, a still picture for where no script runs.

Colours are CSS variables (`var(--ink)`), which an SVG inside a page resolves itself. So light, dark and print are
the style sheet's business alone, and no chart is ever drawn again for them.
"""

import base64
import copy
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from saddle.errors import UserError

__all__ = ["CONFIG", "bundle", "content_policy", "needs", "script_json", "still"]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"

CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": FONT,
    "padding": 4,
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--soft)",
        "titleColor": "var(--ink)",
        "labelFontSize": 12,
        "titleFontSize": 12.5,
        "titleFontWeight": 500,
        "titlePadding": 8,
        "labelPadding": 5,
        "gridColor": "var(--grid)",
        "domainColor": "var(--axis)",
        "tickColor": "var(--axis)",
        "tickSize": 4,
    },
    "axisX": {"grid": False},
    "axisY": {
        "domain": False,
        "ticks": False,
        # The title lies level above the axis: it is read without turning the head, and never cut by a low chart.
        "titleAngle": 0,
        "titleAlign": "left",
        "titleAnchor": "end",
        "titleBaseline": "bottom",
        "titleX": 0,
        "titleY": -9,
    },
    "text": {"color": "var(--ink)", "fontSize": 12},
    "rule": {"color": "var(--axis)"},
    "title": {"color": "var(--ink)", "fontSize": 13, "fontWeight": 600, "anchor": "start"},
    "header": {"labelColor": "var(--ink)", "titleColor": "var(--ink)", "labelFontSize": 12},
    "legend": {"labelColor": "var(--soft)", "titleColor": "var(--ink)"},
    "range": {"category": ["var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)", "var(--grey)"]},
}
"The look of every chart; a spec's own `config` goes before it."


def needs(module: str) -> ModuleType:
    """Import an optional package of the report, or say which extra brings it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise UserError(
            f"A report needs the package {module}, which is not installed. "
            "Install it with: pip install 'saddle-minmax[report]'"
        ) from error


def require_packages() -> None:
    """Raise the `UserError` that making a page would raise where a package of the extra `report` is missing."""
    for module in ("jinja2", "vl_convert", "altair"):
        needs(module)


@cache
def bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script that can stand inside an HTML element."""
    source = needs("vl_convert").javascript_bundle()
    # The HTML parser looks for these two even inside a JavaScript string.
    return re.sub(r"<(?=/script|!--)", r"\\x3c", source, flags=re.IGNORECASE)


def script_json(value: object) -> str:
    """Return JSON that stays data inside a script element.

    `<`, `>` and `&` could end the element or open a comment, U+2028 and U+2029 end a line of JavaScript; written as
    escapes they mean the same to a JSON parser. NaN and infinities, which are no JSON, become null.
    """
    text = json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def content_policy(scripts: Sequence[str]) -> str:
    """Return the Content-Security-Policy that lets these very scripts run and nothing be fetched.

    A script is allowed by the hash of its text, so one that a name smuggled in would not run even if it were not
    escaped, and neither would an event handler or `eval` (Vega runs with its expression interpreter).
    """
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in scripts
    ]
    parts = {
        "default-src": "'none'",
        "script-src": " ".join(hashes),
        "style-src": "'unsafe-inline'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in parts.items())


def still(spec: Mapping[str, Any], *, width: int = 680) -> str:
    """Return the chart as SVG text for readers without scripts; `width: "container"` becomes `width` pixels."""
    spec = copy.deepcopy(dict(spec))
    if spec.get("width") == "container":
        spec["width"] = width - 70  # room for the axis
    spec["config"] = {**CONFIG, **spec.get("config", {})}
    svg = needs("vl_convert").vegalite_to_svg(_finite(spec))
    # The figure names the chart; every single mark of a still picture need not be announced.
    svg = re.sub(r' (?:aria-[a-z]+|role)="[^"]*"', "", svg)
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)


def _finite(value: Any) -> Any:
    """Return `value` with every number that JSON does not know as None."""
    if isinstance(value, Mapping):
        return {str(key): _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
