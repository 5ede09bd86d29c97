"""The report as one HTML file: the page's script and style stand in it, and what it shows as JSON."""

import base64
import hashlib
import html
from pathlib import Path

from leaplab.errors import LeaplabError
from leaplab.report.model import Report

BUILT = Path(__file__).parents[1] / "explorer" / "web" / "dist" / "report"
"""Where the page of reports is built."""


def page_of(report: Report, built: Path = BUILT) -> str:
    """The whole file.

    Its policy lets it run its own script, whose hash it names, and ask nobody for anything.

    Raises:
        LeaplabError: the page is not built.
    """
    try:
        script, style = ((built / name).read_text(encoding="utf-8") for name in ("report.js", "report.css"))
    except FileNotFoundError as error:
        raise LeaplabError(
            f"The page of reports is not built ({error.filename} is missing); run `make web` in leaplab's repository."
        ) from error
    script = script.replace("</script", "<\\/script")
    digests = [_digest(each) for each in (script, style)]
    policy = (
        f"default-src 'none'; script-src 'sha256-{digests[0]}'; style-src 'sha256-{digests[1]}'; img-src data: blob:;"
        " base-uri 'none'; form-action 'none'"
    )
    # In a script element `<` may begin what ends it.
    content = report.model_dump_json().replace("<", "\\u003c")
    title = html.escape(f"{report.name} \u2013 leaplab report")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{title}</title>\n<link rel="icon" href="data:,">\n<style>{style}</style>\n</head>\n<body>\n'
        '<div id="report"></div>\n<noscript>This report needs JavaScript; it asks nobody for anything.</noscript>\n'
        f'<script type="application/json" id="content">{content}</script>\n<script>{script}</script>\n'
        "</body>\n</html>\n"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
