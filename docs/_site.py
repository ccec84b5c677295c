"""
Brings onto the site what stands outside docs/: plugins' READMEs, and the examples.

On a disk a page links to the file itself (``../../examples/…``); on the site the
same link leads to a page made of the file. MkDocs calls the functions below.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
SHOWN = {".py", ".toml", ".csv"}
LINK = re.compile(r"(?<=\]\()(?P<path>[^)\s#:]+)(?=[)#])")


def outside() -> dict[str, str]:
    """Where each file outside docs/ is on the site, both as paths from their roots."""
    pages = {"README.md": "index.md", "CHANGELOG.md": "changelog.md"}
    pages |= {"CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md"}
    for readme in sorted(ROOT.glob("plugins/*/README.md")):
        pages[readme.relative_to(ROOT).as_posix()] = f"plugins/{readme.parent.name}.md"
    for path in sorted((ROOT / "examples").rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.name == "README.md":
            pages[name] = "examples/index.md"
        elif path.suffix in SHOWN and path.is_file():
            pages[name] = f"{name}.md"
    return pages


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each file outside."""
    for name, page in outside().items():
        if page == "index.md":
            continue
        text = (ROOT / name).read_text()
        if not name.endswith(".md"):
            language = {".py": "python", ".toml": "toml", ".csv": "text"}[Path(name).suffix]
            text = f"# {name}\n\n```{language}\n{text}```\n"
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links that leave docs/ to the pages of their files."""
    pages = outside()
    here = page.file.src_uri
    names = {there: name for name, there in pages.items() if there != "index.md"}
    source = posixpath.dirname(names.get(here, f"docs/{here}"))

    def lead(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(source, found["path"]))
        there = pages.get(target, target.removeprefix("docs/"))
        if there == target:
            return found["path"]
        return posixpath.relpath(there, posixpath.dirname(here) or ".")

    return LINK.sub(lead, markdown)
