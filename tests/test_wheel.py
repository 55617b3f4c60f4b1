"""The wheel: installed elsewhere, in an environment that knows nothing of this checkout, it serves everything."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[1]
START_S = 60.0

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, and this one's dependencies but not this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    build = ["wheel", str(ROOT), "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*pip, *build], check=True, timeout=120)
    (wheel,) = folder.glob("router-*.whl")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    install = ["--python", str(python), "install", "--no-deps", "--no-index", "--no-compile", str(wheel)]
    subprocess.run([*pip, *install], check=True, timeout=120)
    (packages,) = (folder / "env" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


@pytest.fixture(scope="module")
def address(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the installed `router demo` serves, started in an empty folder; it has to end as told."""
    folder = tmp_path_factory.mktemp("empty")
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [python.with_name("router"), "demo", "--port", "0"],
            cwd=folder,
            env=kept | {"PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield announced(process, folder / "out")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
        assert sorted(path.name for path in folder.iterdir()) == [".router", "out"]
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def announced(process: subprocess.Popen[bytes], out: Path) -> str:
    """The address that the demo prints."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        text = out.read_text()
        if found := re.search(r"(http://127\.0\.0\.1:\d+)/demo/", text):
            return found[1]
        assert process.poll() is None, text
        time.sleep(0.05)
    raise AssertionError(f"the demo did not start: {out.read_text()}")


def test_it_is_the_installed_one(python: Path) -> None:
    code = "import router, router.settings; print(router.__file__); print(router.settings.Settings().static_folder)"
    got = subprocess.run(
        [python, "-c", code], check=True, capture_output=True, text=True, timeout=60, cwd=python.parent
    )
    assert str(ROOT) not in got.stdout and got.stdout.count("site-packages/router") == 2


@pytest.mark.parametrize(
    ("path", "kind", "word"),
    [
        ("/", "text/html", "Router"),
        ("/demo/", "text/html", "うつわ"),
        ("/demo/p/mug-ash", "text/html", "<script"),
        ("/demo/catalogue.json", "application/json", '"JPY"'),
        ("/agent/", "text/html", "<script"),
        ("/agent/app.js", "text/javascript", "import"),
        ("/beacon.js", "text/javascript", ""),
        ("/widget.js", "text/javascript", ""),
        ("/readyz", "application/json", '"ready":true'),
    ],
)
def test_it_serves(address: str, path: str, kind: str, word: str) -> None:
    got = httpx.get(address + path)
    assert got.status_code == 200 and got.headers["content-type"].startswith(kind)
    assert got.content and word in got.text


def test_what_the_pages_name_is_there(address: str) -> None:
    """Every script, style and picture of every page travels in the wheel, and every module that a script imports."""
    seen: set[str] = set()
    queue = ["/", "/demo/", "/demo/cart", "/demo/checkout", "/demo/shipping", "/demo/thanks", "/agent/"]
    while queue:
        path = queue.pop()
        if path in seen or path.startswith("/demo/p/"):
            continue
        seen.add(path)
        got = httpx.get(address + path)
        assert got.status_code == 200, path
        if got.headers["content-type"].startswith(("text/html", "text/javascript")):
            queue += [str(httpx.URL(path).join(found).path) for found in named(got.text)]
    assert {"/agent/base.css", "/demo/shop.js", "/demo/shop.css", "/home/home.css", "/beacon.js"} <= seen
    assert [path for path in seen if path.startswith("/vendor/")] and len(seen) > 30


def named(text: str) -> list[str]:
    """Addresses on this host that a page or a module names."""
    tags = re.findall(r"<(?:script|link|img|a)\b[^>]*?(?:src|href)=\"([^\"#?:]+)\"", text)
    return tags + re.findall(r"""(?:from|import)\s*["']([^"']+\.js)["']""", text)
