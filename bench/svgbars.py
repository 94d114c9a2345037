"""Horizontal bar charts as SVG text, for bench/report. No library; no script in the picture.

Readable on light and dark pages: the picture has its own ground, and follows the reader's preference.
"""
from xml.sax.saxutils import escape

WIDTH, MARGIN = 880, 20
LABEL = 300  # for the names, right-aligned before their bars
VALUE = 90  # for the figure behind the longest bar
BAR, GAP, HEAD = 16, 8, 34  # a bar, the room below it, a group's title
TITLE = 40

STYLE = """
.ground { fill: #ffffff } .text { fill: #1f2328 } .faint { fill: #59636e } .rule { stroke: #d1d9e0 }
.ours { fill: #0969da } .other { fill: #9aa4af } .limit { fill: #ffffff; stroke: #59636e; stroke-dasharray: 3 2 }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } .text { fill: #f0f6fc } .faint { fill: #9198a1 } .rule { stroke: #3d444d }
.ours { fill: #4493f8 } .other { fill: #656c76 } .limit { fill: #0d1117; stroke: #9198a1; stroke-dasharray: 3 2 }
}
text { font: 13px system-ui, sans-serif } .title { font-size: 17px; font-weight: 600 } .head { font-weight: 600 }
"""


class Bar:
    """A name, how long, the text behind it, and its kind: ours, other or limit."""

    def __init__(self, name, value, text, kind):
        self.name, self.value, self.text, self.kind = name, value, text, kind


class Group:
    def __init__(self, title, bars):
        self.title, self.bars = title, bars


def text(x, y, words, classes, anchor="start"):
    return f'<text x="{x}" y="{y}" class="{classes}" text-anchor="{anchor}">{escape(words)}</text>'


def chart(title, groups, same_scale):
    """All bars to one scale, or each group to its own, which begins at 0."""
    groups = [group for group in groups if group.bars]
    room = WIDTH - 2 * MARGIN - LABEL - VALUE
    longest = max(bar.value for group in groups for bar in group.bars)
    y = MARGIN + TITLE
    parts = []
    for group in groups:
        parts.append(text(MARGIN, y, group.title, "text head"))
        y += HEAD - BAR
        first = y - 3
        full = longest if same_scale else max(bar.value for bar in group.bars)
        for bar in group.bars:
            length = max(1.0, room * bar.value / full)
            parts.append(text(MARGIN + LABEL - 8, y + BAR - 4, bar.name, "faint", "end"))
            parts.append(f'<rect x="{MARGIN + LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" class="{bar.kind}"/>')
            parts.append(text(round(MARGIN + LABEL + length + 6, 1), y + BAR - 4, bar.text, "text"))
            y += BAR + GAP
        left = MARGIN + LABEL
        parts.append(f'<line x1="{left}" y1="{first}" x2="{left}" y2="{y - GAP + 3}" class="rule"/>')
        y += HEAD - BAR
    height = y
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-label="{escape(title)}">', f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{height}" rx="6"/>',
        text(MARGIN, MARGIN + 14, title, "text title"), *parts, "</svg>", ""])
