"""MkDocs hooks: pages from outside docs/, links between them, and diagrams without another host.

The site's paths are the repository's, without docs/. A link to a file that is not a page, such as a
licence or a configuration, leads to a copy of it in the site.
"""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import nicegui
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "benchmarks/README.md",
    "deploy/README.md",
    "deploy/systemd/README.md",
    "examples/portland_i205/README.md",
)
SCRIPT = Path(__file__).with_suffix(".js")
# NiceGUI, a dependency of the dashboard, ships Mermaid as modules.
MERMAID = Path(nicegui.__file__).parent / "elements" / "mermaid" / "dist"
_FENCE = re.compile(r"^ *(```|~~~)")
# The address in [text](address), [name]: address, src="address" and href="address".
_LINK = re.compile(
    r"(?P<before>\]\(|^\[[^\]]+\]: *|\b(?:src|srcset|href)=\")(?P<address>[^)\s\"]+)"
)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Replace `folder/*.md` in the navigation by the folder's pages."""
    config.nav = [_expand(item, Path(config.docs_dir)) for item in config.nav or ()]
    return config


def _expand(item: object, docs: Path) -> object:
    """Return one item of the navigation with its wildcards replaced."""
    if isinstance(item, dict):
        return {title: _expand(inner, docs) for title, inner in item.items()}
    if isinstance(item, list):
        return [_expand(inner, docs) for inner in item]
    if isinstance(item, str) and "*" in item:
        pages = sorted(docs.glob(item), key=lambda page: (page.name != "README.md", page.name))
        return [page.relative_to(docs).as_posix() for page in pages]
    return item


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages outside docs/, the files that pages link to, and the diagrams' script."""
    for page in PAGES:
        _add(files, config, page, ROOT / page)
    for page in [file for file in files if file.is_documentation_page()]:
        for path in _linked_files(page):
            _add(files, config, _site_path(path), ROOT / path)
    _add(files, config, f"assets/{SCRIPT.name}", SCRIPT)
    for module in MERMAID.glob("*.js"):
        _add(files, config, f"assets/mermaid/{module.name}", module)
    return files


def _add(files: Files, config: MkDocsConfig, site_path: str, source: Path) -> None:
    """Add a file to the site, once."""
    if site_path not in files.src_uris:
        files.append(File.generated(config, site_path, abs_src_path=str(source)))


def _linked_files(page: File) -> Iterator[str]:
    """Yield the files of the repository that a page links to."""
    for line, is_code in _lines(page.content_string):
        for link in () if is_code else _LINK.finditer(line):
            path = _repository_path(page, link["address"])
            if path is not None and (ROOT / path).is_file():
                yield path


def on_page_markdown(markdown: str, *, page: Page, files: Files, **_: object) -> str:
    """Turn links to files of the repository into links between the site's files."""

    def rewrite(link: re.Match[str]) -> str:
        path = _repository_path(page.file, link["address"])
        target = None if path is None else files.get_file_from_path(_site_path(path))
        if target is None:
            return link[0]  # MkDocs reports it when it is broken
        fragment = urlsplit(link["address"]).fragment
        if link["before"].endswith('="'):  # MkDocs leaves the addresses in HTML as they are
            address = target.url_relative_to(page.file)
        else:
            address = os.path.relpath(target.src_uri, os.path.dirname(page.file.src_uri) or ".")
        return link["before"] + address + (f"#{fragment}" if fragment else "")

    return "\n".join(
        line if is_code else _LINK.sub(rewrite, line) for line, is_code in _lines(markdown)
    )


def _repository_path(page: File, address: str) -> str | None:
    """Return the repository path for a relative address on a page."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not parts.path or parts.path.startswith("/"):
        return None
    source = Path(page.abs_src_path or "")
    path = os.path.relpath(source.parent / parts.path, ROOT)
    return f"{path}/README.md" if (ROOT / path).is_dir() else path


def _site_path(repository_path: str) -> str:
    """Return the path in the site of a file of the repository."""
    return repository_path.removeprefix("docs/")


def _lines(markdown: str) -> Iterator[tuple[str, bool]]:
    """Yield each line, and True for lines of code blocks."""
    fenced = False
    for line in markdown.split("\n"):
        fence = _FENCE.match(line) is not None
        yield line, fenced or fence
        fenced ^= fence
