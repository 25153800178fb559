"""What a change does to metrics, parameters and plots, as Markdown for a pull request.

`write` compares the working tree with the commit that it starts from, and writes report/report.md
with DVC's own page of plots beside it. `send` puts it on the pull request, in place of the last.
Needs DVC and the standard library.
"""

import argparse
import json
import math
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

FOLDER = Path("report")
REPORT = FOLDER / "report.md"
#: By which the last report is found.
MARK = "<!-- report of ci/report.py -->"
#: Points of a line in a chart.
POINTS = 25
#: Lines of a chart: this change, and what it starts from.
COLOURS = {"workspace": ("violet", "#945dd6"), "base": ("blue", "#13adc7")}
#: Characters that GitHub takes, less some.
LONGEST = 60_000
#: Seconds for each call.
TIMEOUT = 30


def main() -> int:
    """Carry out a command and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    write_command = commands.add_parser("write", help="write report/report.md")
    write_command.add_argument("--base", help="commit to compare with; found unless given")
    commands.add_parser("send", help="put it on the pull request")
    options = parser.parse_args()
    if options.command == "write":
        write(options.base or base())
        return 0
    return send()


# -- writing ---------------------------------------------------------------------------------------


def base() -> str:
    """Return the commit that this change starts from."""
    target = os.environ.get("GITHUB_BASE_REF")
    head = git("rev-parse", "HEAD")
    for each in (f"origin/{target}" if target else "origin/HEAD", "HEAD^"):
        found = git("merge-base", each, "HEAD")
        if found not in ("", head):
            return found
    return "HEAD"


def write(start: str) -> None:
    """Write the report and the page of plots."""
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n", "utf-8")
    start = git("rev-parse", "--short", start) or start
    parts = [MARK, f"## Pipeline, compared with {start}"]
    for title, kind in (("Metrics", "metrics"), ("Parameters", "params")):
        table = dvc(kind, "diff", "--md", start)
        parts += [f"### {title}", table or "No difference."]
    charts = list(drawn(start))
    if charts:
        legend = (
            f"{COLOURS['workspace'][0]}: this change, {COLOURS['base'][0]}: what it starts from"
        )
        parts += ["### Plots", legend, *charts]
        dvc("plots", "diff", start, "--out", str(FOLDER / "plots"))
    text = "\n\n".join(parts)
    if len(text) > LONGEST:
        text = text[:LONGEST].rpartition("\n\n")[0] + "\n\nThe rest is left out."
    REPORT.write_text(text + "\n", "utf-8")
    print(f"Wrote {REPORT}")


def drawn(start: str) -> Iterator[str]:
    """Draw each plot of dvc.yaml that has lines as a chart that GitHub shows."""
    printed = dvc("plots", "diff", start, "--json")
    plots = json.loads(printed).get("data", {}) if printed else {}
    for title, views in plots.items():
        for view in views:
            content = view.get("content")
            content = json.loads(content) if isinstance(content, str) else content
            if view.get("type") == "vega" and isinstance(content, dict):
                yield from draw(title, content)


def draw(title: str, content: dict[str, Any]) -> Iterator[str]:
    """Draw a chart of Vega as charts of mermaid, one for each file and column that it shows."""
    x, y = field(content, "x"), field(content, "y")
    charts: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for row in content.get("data", {}).get("values", []):
        try:
            point = (float(row[x]), float(row[y]))
        except (KeyError, TypeError, ValueError):
            continue
        series = " ".join(str(row[each]) for each in ("filename", "field") if row.get(each))
        name = "workspace" if row.get("rev") == "workspace" else "base"
        if all(map(math.isfinite, point)):
            charts.setdefault(series, {}).setdefault(name, []).append(point)
    for series, lines in charts.items():
        shown = {name: sorted(lines[name]) for name in COLOURS if len(lines.get(name, [])) > 1}
        if shown:
            yield chart(f"{title}: {series}" if len(charts) > 1 else title, x, y, shown)


def chart(title: str, x: str, y: str, lines: dict[str, list[tuple[float, float]]]) -> str:
    """Write a chart of mermaid, whose points stand at even distances."""
    values = [point for line in lines.values() for point in line]
    low, high = min(at for at, _ in values), max(at for at, _ in values)
    bottom, top = min(value for _, value in values), max(value for _, value in values)
    colours = ", ".join(COLOURS[name][1] for name in lines)
    theme = json.dumps({"themeVariables": {"xyChart": {"plotColorPalette": colours}}})
    steps = [low + (high - low) * i / (POINTS - 1) for i in range(POINTS)]
    body = [
        f"%%{{init: {theme}}}%%",
        "xychart-beta",
        f'  title "{plain(title)}"',
        f'  x-axis "{plain(x)}" {low:g} --> {high if high > low else low + 1:g}',
        f'  y-axis "{plain(y)}" {bottom:g} --> {top if top > bottom else bottom + 1:g}',
    ]
    heights = (", ".join(f"{height(line, at):.6g}" for at in steps) for line in lines.values())
    body += [f"  line [{each}]" for each in heights]
    return "\n".join(["```mermaid", *body, "```"])


def field(node: Any, axis: str) -> str:
    """Return the column of numbers that a chart of Vega has on an axis."""
    if isinstance(node, dict):
        found = node.get("encoding", {}).get(axis, {})
        if "field" in found and found.get("type") == "quantitative":
            return str(found["field"])
        node = node.get("layer", [])
    if isinstance(node, list):
        return next((name for each in node if (name := field(each, axis))), "")
    return ""


def height(points: list[tuple[float, float]], at: float) -> float:
    """Return where a line stands between its points; level before the first, after the last."""
    if at <= points[0][0]:
        return points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if at <= x1:
            return y1 if x1 == x0 else y0 + (y1 - y0) * (at - x0) / (x1 - x0)
    return points[-1][1]


def plain(text: str) -> str:
    """Return a text as mermaid takes it between quotes."""
    return " ".join(re.sub(r"[\"`%{}<>;]", " ", text).split())


def dvc(*arguments: str) -> str:
    """Return what DVC prints, nothing where it fails; what it complains of goes to the log."""
    done = subprocess.run(("dvc", *arguments), check=False, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def git(*arguments: str) -> str:
    """Return what git prints, nothing where it refuses."""
    done = subprocess.run(("git", *arguments), check=False, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


# -- sending ---------------------------------------------------------------------------------------


def send() -> int:
    """Put the report on the pull request; return the exit code."""
    place, token = pull_request(), os.environ.get("GITHUB_TOKEN")
    if place is None:
        print("This is no pull request.")
        return 0
    if not token:
        print("Not sent: the variable GITHUB_TOKEN is not set.")
        return 0
    repository, number = place
    body = {"body": REPORT.read_text("utf-8")}
    comments = f"repos/{repository}/issues/{number}/comments"
    try:
        earlier = last_report(comments, token)
        if earlier is None:
            ask("POST", comments, token, body)
        else:
            ask("PATCH", f"repos/{repository}/issues/comments/{earlier}", token, body)
    except urllib.error.HTTPError as error:
        print(f"Not sent: GitHub answers {error.code} {error.reason}.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Not sent: {error}", file=sys.stderr)
        return 1
    print(f"Sent to pull request {number} of {repository}.")
    return 0


def pull_request() -> tuple[str, str] | None:
    """Return the repository and the number, as GitHub Actions and CircleCI tell them."""
    repository, number = os.environ.get("GITHUB_REPOSITORY"), os.environ.get("PULL_REQUEST")
    if repository and number:
        return repository, number
    address = os.environ.get("CIRCLE_PULL_REQUEST", "")
    found = re.search(r"/([\w.-]+/[\w.-]+)/pull/(\d+)$", address)
    return (found[1], found[2]) if found else None


def last_report(comments: str, token: str) -> int | None:
    """Return the id of the comment that an earlier run has made."""
    page = 1
    while found := ask("GET", f"{comments}?per_page=100&page={page}", token):
        for each in found:
            if str(each.get("body", "")).startswith(MARK):
                return int(each["id"])
        page += 1
    return None


def ask(method: str, path: str, token: str, body: dict[str, str] | None = None) -> Any:
    """Call GitHub and return its answer."""
    address = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    request = urllib.request.Request(
        f"{address}/{path}",
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
