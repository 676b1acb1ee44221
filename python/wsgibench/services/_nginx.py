"""nginx as an origin, with its own folder, configuration and port."""

from __future__ import annotations

import getpass
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wsgibench.services import _content
from wsgibench.services._process import ProcessService, missing, program

PACKAGES = ("nginx",)

CONFIGURATION = """\
%(user)sdaemon off;
worker_processes 1;
pid %(folder)s/pid;
error_log %(folder)s/error.log;
events { worker_connections 4096; }
http {
    access_log off;
    types { text/html html; text/xml xml; }
    default_type application/octet-stream;
    client_body_temp_path %(folder)s/temp;
    proxy_temp_path %(folder)s/temp;
    fastcgi_temp_path %(folder)s/temp;
    uwsgi_temp_path %(folder)s/temp;
    scgi_temp_path %(folder)s/temp;
    server {
        listen %(host)s:%(port)d backlog=1024%(tls)s;
        root %(folder)s/www;
%(certificate)s    }
}
"""


def missing_nginx() -> str:
    return missing("nginx", PACKAGES, program("nginx"))


def fetch(url: str, ca: str | None = None) -> bytes:
    context = ssl.create_default_context(cafile=ca) if ca else None
    # Never through a proxy: it is here.
    handlers: list[Any] = [urllib.request.ProxyHandler({})]
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    opener = urllib.request.build_opener(*handlers)
    with opener.open(url, timeout=5) as response:
        body: bytes = response.read()
        return body


def check(url: str, ca: str | None = None) -> str:
    """What is wrong with the page there; "" if nothing is."""
    try:
        body = fetch(url, ca)
    except (OSError, urllib.error.URLError) as error:
        return str(error)
    return "" if body == _content.PAGE else "a wrong page"


def start(
    name: str,
    folder: Path,
    host: str,
    port: int,
    *,
    certificate: tuple[Path, Path] | None = None,
    ca: Path | None = None,
    inside: Sequence[str] = (),
) -> ProcessService:
    """`inside`: a command that runs the rest in another network."""
    (folder / "www").mkdir()
    (folder / "temp").mkdir()
    (folder / "www" / "page.html").write_bytes(_content.PAGE)
    (folder / "www" / "feed.xml").write_bytes(_content.feed())
    lines = ""
    if certificate is not None:
        lines = (
            "        ssl_certificate %s;\n        ssl_certificate_key %s;\n"
            % certificate
        )
    values = {
        "user": "user %s;\n" % getpass.getuser() if os.geteuid() == 0 else "",
        "folder": folder,
        "host": host,
        "port": port,
        "tls": " ssl" if certificate else "",
        "certificate": lines,
    }
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION % values)
    base = "%s://%s:%d" % ("https" if certificate else "http", host, port)
    settings = {"page": base + "/page.html", "feed": base + "/feed.xml"}
    if ca is not None:
        settings["ca"] = str(ca)
    command = [*inside, program("nginx"), "-p", str(folder)]
    return ProcessService(
        name,
        [*command, "-c", str(configuration)],
        folder,
        settings,
        lambda: check(settings["page"], settings.get("ca")),
    )
