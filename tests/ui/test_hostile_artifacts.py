"""Files that attack whoever looks at them do nothing with the rights of JupyterLab's page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Request, expect

from tests.support.notebooks import write_notebook
from tests.ui.driver import PROJECT, Lab, has_status

NOTEBOOK = "hostile.ipynb"
#: Marks the page that it runs in, and asks the server for something; ``{n}`` tells where it was.
ATTACK = "top.hacked=`{n}`;fetch(`/user/x/api/contents?hacked={n}`)"
#: Ways to have a page run something, or show or fetch something of others.
PAGE = """\
<h1>Report</h1><script>{a}</script><script src="run.js?hacked"></script>
<img src="data:," onerror="{a}"><svg onload="{a}"><script>{a}</script></svg>
<iframe srcdoc="<script>{a}</script>"></iframe><iframe src="javascript:{a}"></iframe>
<object data="data:text/html,<script>{a}</script>"></object><embed src="javascript:{a}">
<a id="link" href="javascript:{a}">link</a><details open ontoggle="{a}">more</details>
<form action="/user/x/api/shutdown?hacked" method="post"><button>Go</button></form>
<meta http-equiv="refresh" content="0;url=/user/x/api/contents?hacked"><base href="//hacked/">
<style>body {{ background: url(/user/x/api/contents?hacked-style) }}</style>
<link rel="stylesheet" href="/user/x/api/contents?hacked-link">
<math><mtext><table><mglyph><style><img src="data:," onerror="{a}"></style></mglyph></table></mtext>
"""
DRAWING = """\
<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90" onload="{a}"><script>{a}</script>
<foreignObject width="9" height="9"><body xmlns="http://www.w3.org/1999/xhtml">
<script>{a}</script></body></foreignObject>
<image href="/user/x/api/contents?hacked-image" width="9" height="9"/>
<circle cx="45" cy="45" r="40" fill="teal"/></svg>
"""
#: What a run keeps: the page as a file, as Markdown, in a notebook, in a table and in names.
KEEP = """\
import json, pathlib, mlflow
ATTACK, PAGE, DRAWING = {constants!r}
folder = pathlib.Path('hostile')
folder.mkdir(exist_ok=True)
page = lambda n: PAGE.format(a=ATTACK.format(n=n))
(folder / 'page.html').write_text(page('html'))
notes = '# Notes\\n\\n[link](javascript:top.hacked=1)\\n\\n'
(folder / 'notes.md').write_text(notes + page('md'))
(folder / 'drawing.svg').write_text(DRAWING.format(a=ATTACK.format(n='svg')))
(folder / 'fake.png').write_text(page('png'))
(folder / 'run.js').write_text(ATTACK.format(n='js'))
(folder / 'table.csv').write_text('a,b\\n"' + page('csv').replace('"', '""') + '",=1+1')
facts = {{'a': page('json'), '__proto__': {{'hacked': 'json'}}}}
(folder / 'facts.json').write_text(json.dumps(facts))
link = '\\x1b]8;;javascript:top.hacked=1\\x07link\\x1b]8;;\\x07'
(folder / 'run.log').write_text(page('log') + link)
(folder / '<img src=data:, onerror=top.hacked=2>.txt').write_text('its name attacks')
bundle = {{
    'text/html': page('output'), 'application/javascript': ATTACK.format(n='output-js'),
}}
outputs = [
    {{'output_type': 'display_data', 'data': data, 'metadata': {{'trusted': True}}}}
    for data in (
        bundle,
        {{'text/html': page('output-html')}},
        {{'image/svg+xml': DRAWING.format(a=ATTACK.format(n='output-svg'))}},
        {{'text/markdown': page('output-md')}},
        {{'text/latex': r'$\\href{{javascript:top.hacked=3}}{{x}}$'}},
        {{'application/vnd.jupyter.widget-view+json': {{'model_id': 'x'}}, 'text/plain': 'safe'}},
    )
]
cells = [
    {{'cell_type': 'markdown', 'metadata': {{'trusted': True}}, 'source': page('cell')}},
    {{'cell_type': 'code', 'metadata': {{'trusted': True}}, 'source': '```\\n' + page('code'),
     'outputs': outputs, 'execution_count': 1}},
]
metadata = {{'language_info': {{'name': 'x"><script>top.hacked=4</script>'}}}}
book = {{'cells': cells, 'metadata': metadata, 'nbformat': 4, 'nbformat_minor': 5}}
(folder / 'book.ipynb').write_text(json.dumps(book))
mlflow.log_artifacts(folder, 'hostile')
"""
#: Each file and what is seen of it once it is shown.
SHOWN = {
    "page.html": "Report",
    "notes.md": "Notes",
    "table.csv": "=1+1",
    "facts.json": "__proto__",
    "run.log": "<script>",
    "run.js": "top.hacked",
    ">.txt": "its name attacks",
    "book.ipynb": "safe",
}


@pytest.fixture
def attacked(lab: Lab, root: Path) -> Iterator[Locator]:
    """The artifacts of a run that has kept nothing but attacks; none of them may succeed."""
    constants = (ATTACK, PAGE, DRAWING)
    write_notebook(root / PROJECT / NOTEBOOK, "x: int = 1", KEEP.format(constants=constants))
    asked: list[str] = []

    def note(request: Request) -> None:
        if re.search(r"[?&]hacked|//hacked", request.url):
            asked.append(request.url)

    lab.page.context.on("request", note)
    lab.page.on("dialog", lambda dialog: asked.append(dialog.message))
    lab.show_panel()
    row = lab.run(NOTEBOOK)
    has_status(row, "succeeded")
    lab.choose(row, "Show Artifacts")
    yield lab.page.locator(".jp-Mlops-runPanel:visible")
    assert lab.page.evaluate("() => window.hacked") is None
    assert lab.page.evaluate("() => ({}).hacked") is None
    assert asked == []


def file(tab: Locator, name: str) -> Locator:
    """The row of a file in the tree."""
    return tab.locator(f'.jp-Mlops-artifact[data-path$="{name}"]')


def test_previews(attacked: Locator, lab: Lab) -> None:
    """Pages, notes, drawings, tables, data and notebooks are shown, and nothing in them runs."""
    preview = attacked.get_by_role("region", name="Preview")
    for name, text in SHOWN.items():
        file(attacked, name).click()
        expect(preview).to_contain_text(text)
        active = "script, iframe, object, embed, meta, base, link, [action], [onerror], [onload]"
        expect(preview.locator(active)).to_have_count(0)
        for link in preview.locator("a").all():
            assert "javascript:" not in (link.get_attribute("href") or "")
        lab.page.wait_for_load_state("networkidle")
    file(attacked, "drawing.svg").click()
    drawing = preview.locator("img")
    expect(drawing).to_have_js_property("naturalWidth", 90)
    file(attacked, "fake.png").click()
    expect(preview).to_contain_text("It is not what its name promises.")
    expect(drawing).to_be_hidden()


def test_addresses(attacked: Locator, lab: Lab) -> None:
    """Whoever leads a browser to a file's address has it saved: it is no page and no script."""
    lab.provoked = "Refused to execute script"
    output = attacked.locator('.jp-Mlops-artifact[data-path$=".ipynb"]:not([data-path*="/"])')
    run = str(output.get_attribute("data-path")).removesuffix(".ipynb")
    for name in ("page.html", "drawing.svg", "fake.png"):
        query = urlencode({"project": PROJECT, "path": f"hostile/{name}"})
        address = f"{lab.server.url}mlops/api/runs/{run}/artifact/content?{query}"
        other = lab.page.context.new_page()
        with other.expect_download():
            other.evaluate("address => { location.href = address; }", address)
        other.close()
        # What another page of the same server could do with it.
        came = lab.page.evaluate(
            """address => Promise.all(['script', 'iframe', 'object', 'img'].map(kind => {
              const node = document.createElement(kind);
              const ended = new Promise(resolve => {
                node.onload = () => resolve('shown');
                node.onerror = () => resolve('refused');
                setTimeout(() => resolve('nothing'), 1000);
              });
              node[kind === 'object' ? 'data' : 'src'] = address;
              document.body.append(node);
              return ended.finally(() => node.remove());
            }))""",
            address,
        )
        assert "shown" not in came
