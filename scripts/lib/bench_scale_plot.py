# `scripts/bench scale --svg FILE`: the curves of a result of scripts/bench scale, as a picture. Usage: bench_scale_plot.py JSON SVG
import json
import sys

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 420, 260, 60, 40, 50


def panel(x, title, unit, points):
    """One curve: `points` are (number, value); the numbers double from one to the next, so they stand at equal distance."""
    most = max(value for _, value in points) * 1.15
    width, height = WIDTH - LEFT - 20, HEIGHT - TOP - BOTTOM

    def place(index, value):
        step = width / max(1, len(points) - 1)
        return x + LEFT + index * step, TOP + height * (1 - value / most)

    parts = [f'<text x="{x + LEFT}" y="20" font-weight="bold">{title}</text>']
    for tick in range(5):
        value = most * tick / 4
        _, y = place(0, value)
        parts.append(f'<line x1="{x + LEFT}" y1="{y:.1f}" x2="{x + WIDTH - 20}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{x + LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.0f}</text>')
    places = [place(index, value) for index, (_, value) in enumerate(points)]
    line = " ".join(f"{px:.1f},{py:.1f}" for px, py in places)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#1f6feb" stroke-width="2"/>')
    for (px, py), (number, value) in zip(places, points):
        parts.append(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="#1f6feb"><title>{number}: {value:.1f}</title></circle>')
        parts.append(f'<text x="{px:.1f}" y="{TOP + height + 18}" text-anchor="middle">{number}</text>')
    parts.append(f'<text x="{x + LEFT}" y="{HEIGHT - 10}">{unit}</text>')
    return parts


def curve(results, prefix, value):
    points = [(int(name.removeprefix(prefix)), value(result)) for name, result in results.items() if name.startswith(prefix)]
    return sorted(points)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        report = json.load(file)
    results = report["results"]
    panels = [
        ("Cost of a packet, ns", "flows, one leg each", curve(results, "flows_", lambda r: r["nanoseconds_per_packet"])),
        (
            "Cost of a copy, ns",
            "legs of one flow",
            curve(results, "legs_", lambda r: r["nanoseconds_per_packet"] / r["legs"]),
        ),
        (
            "To install a flow with its leg, µs",
            "flows",
            [(change["flows"], change["install_microseconds_per_flow"]) for change in report["changes"]],
        ),
    ]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * len(panels)}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for index, (title, unit, points) in enumerate(panels):
        parts += panel(index * WIDTH, title, unit, points)
    parts.append("</svg>")
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write("\n".join(parts) + "\n")


main()
