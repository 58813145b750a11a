"""The one visual language of every page: colours that colour-blind readers tell apart, type, look of figures."""

from typing import Any

# Okabe and Ito, "Color Universal Design" (2008): eight hues told apart under all common colour-vision deficiencies.
# Their black gives way to a mid grey, and their blue and yellow to middling ones, which hold on white and near-black.
BLUE, ORANGE, GREEN, PURPLE = "#2585c7", "#e69f00", "#009e73", "#cc79a7"
SKY, VERMILION, YELLOW, GREY = "#56b4e9", "#d55e00", "#c9b800", "#8a919c"
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, YELLOW)
PATTERNS = ("", "/", "x", ".")  # a hue that comes round again is hatched, so that bars differ without colour too

# Short-run, refined and test figures keep these marks wherever they are drawn.
FIDELITY_COLOURS = {"short": BLUE, "refined": ORANGE, "test": GREEN}
FIDELITY_SYMBOLS = {"short": "circle", "refined": "diamond", "test": "star"}
FIDELITY_WORDS = {"short": "short run", "refined": "refined", "test": "test set"}

CYCLE_COLOURS = {"compute": BLUE, "stall": VERMILION, "fill": YELLOW}
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif"

LIGHT = {
    "text": "#1b1f24",
    "muted": "#5c6570",
    "page": "#f6f7f9",
    "card": "#ffffff",
    "line": "#dde1e6",
    "accent": "#00609a",
}
DARK = {
    "text": "#e6e9ed",
    "muted": "#9aa4b0",
    "page": "#14171b",
    "card": "#1d2126",
    "line": "#343a42",
    "accent": "#6cc0f0",
}


def bar_style(index: int) -> dict[str, Any]:
    """Marker of the ``index``-th part of a stacked bar: its hue, and a hatch once the hues have been used up."""
    shape = PATTERNS[index // len(PALETTE) % len(PATTERNS)]
    colour = PALETTE[index % len(PALETTE)]
    pattern = {
        "shape": shape,
        "bgcolor": colour,
        "fgcolor": "rgba(255,255,255,0.75)",
        "fillmode": "replace",
        "size": 7,
        "solidity": 0.3,
    }
    return {"color": colour, "pattern": pattern, "line": {"width": 0}}


def figure_layout(height: int, **extra: Any) -> dict[str, Any]:
    """Layout that every figure starts from; text and grid take the page's colours when the page is shown."""
    return {
        "height": height,
        "template": "none",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": GREY},
        "margin": {"l": 70, "r": 20, "t": 16, "b": 60},
        "hoverlabel": {"align": "left", "font": {"family": FONT, "size": 12}},
        "legend": {
            "orientation": "h",
            "y": 1.02,
            "yanchor": "bottom",
            "x": 0,
            "xanchor": "left",
            "traceorder": "normal",
        },
        "dragmode": "zoom",
        **extra,
    }


def axis(title: str, **extra: Any) -> dict[str, Any]:
    """An axis with its unit in the title."""
    return {
        "title": {"text": title, "standoff": 12},
        "automargin": True,
        "gridcolor": "rgba(138,145,156,0.25)",
        "zeroline": False,
        "showline": True,
        "linecolor": "rgba(138,145,156,0.6)",
        "ticks": "outside",
        "tickcolor": "rgba(138,145,156,0.6)",
        **extra,
    }


def _variables(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in colours.items())


STYLE = f"""
:root {{ color-scheme: light dark; {_variables(LIGHT)} }}
@media (prefers-color-scheme: dark) {{ :root:not([data-theme=light]) {{ {_variables(DARK)} }} }}
:root[data-theme=dark] {{ color-scheme: dark; {_variables(DARK)} }}
:root[data-theme=light] {{ color-scheme: light; }}
* {{ box-sizing: border-box; }}
body {{ margin: 0; background: var(--page); color: var(--text); font: 15px/1.55 {FONT}; }}
main {{ max-width: 1180px; margin: 0 auto; padding: 28px 20px 80px; }}
header h1 {{ font-size: 27px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; overflow-wrap: anywhere; }}
header p {{ margin: 0; color: var(--muted); }}
nav {{ display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 14px 0 4px; font-size: 14px; }}
a {{ color: var(--accent); text-decoration: none; }}
a:hover, a:focus-visible {{ text-decoration: underline; }}
section {{ background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 22px;
  margin-top: 18px; }}
h2 {{ font-size: 19px; margin: 0 0 6px; }}
h3 {{ font-size: 15px; margin: 18px 0 4px; }}
p {{ margin: 6px 0; max-width: 82ch; }}
.muted, figcaption {{ color: var(--muted); font-size: 13.5px; }}
figure {{ margin: 10px 0 0; }}
figcaption {{ max-width: 90ch; }}
.tiles {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(136px, 1fr)); gap: 12px; margin: 14px 0 6px; }}
.tile {{ border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px; }}
.tile b {{ display: block; font-size: 19px; line-height: 1.3; font-variant-numeric: tabular-nums;
  white-space: nowrap; }}
.tile span {{ color: var(--muted); font-size: 13px; }}
.scroll {{ overflow: auto; max-height: 620px; margin-top: 10px; border: 1px solid var(--line); border-radius: 8px; }}
table {{ border-collapse: collapse; width: 100%; font-size: 13.5px; font-variant-numeric: tabular-nums; }}
th, td {{ padding: 6px 10px; text-align: right; vertical-align: top; border-bottom: 1px solid var(--line); }}
td {{ white-space: nowrap; }}
th {{ position: sticky; top: 0; background: var(--card); color: var(--muted); font-weight: 600;
  box-shadow: 0 1px 0 var(--line); }}
th small {{ font-weight: 400; display: block; }}
td.words, th.words {{ text-align: left; white-space: normal; min-width: 230px; }}
td.code, th.code {{ text-align: left; font-family: ui-monospace, 'DejaVu Sans Mono', monospace; font-size: 12.5px; }}
td small {{ color: var(--muted); display: block; font-size: 12px; }}
td b {{ font-weight: 600; }}
table tbody:last-child tr:last-child td {{ border-bottom: 0; }}
.points tbody tr:first-child td {{ border-bottom: 0; padding-bottom: 2px; }}
.points tr.words td {{ text-align: left; white-space: normal; padding-top: 0; }}
.points tr.words span {{ color: var(--muted); }}
tbody[data-id] {{ cursor: pointer; }}
tbody[data-id]:hover td {{ background: color-mix(in srgb, var(--accent) 8%, var(--card)); }}
tbody.chosen td {{ background: color-mix(in srgb, var(--accent) 18%, var(--card)); }}
button, select {{ font: inherit; font-size: 13.5px; color: var(--text); background: var(--card);
  border: 1px solid var(--line); border-radius: 6px; padding: 4px 10px; cursor: pointer; max-width: 100%; }}
:focus-visible {{ outline: 2px solid var(--accent); outline-offset: 2px; }}
.controls {{ display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; margin: 8px 0; font-size: 13.5px; }}
.note {{ border-left: 3px solid {ORANGE}; padding: 4px 12px; margin: 10px 0; }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; font-size: 13.5px; margin: 8px 0; }}
dt {{ color: var(--muted); }}
dd {{ margin: 0; overflow-wrap: anywhere; }}
@media (max-width: 640px) {{ section {{ padding: 14px; }} dl {{ grid-template-columns: 1fr; gap: 0; }}
  dd {{ margin-bottom: 6px; }} }}
@media print {{ body {{ background: none; }} section {{ break-inside: avoid; }} .controls, nav {{ display: none; }}
  .scroll {{ max-height: none; }} }}
"""
