"""The generator in this process: from a rendered load to its own result."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable
from typing import Any

from wsgibench import native
from wsgibench.errors import UsageError
from wsgibench.load import merge
from wsgibench.load.render import Rendered
from wsgibench.load.spec import LoadSpec

LIVE_SECONDS = 0.2

Live = dict[str, int]
OnLive = Callable[[Live], None]


def make(spec: LoadSpec, rendered: Rendered) -> Any:
    """A LoadGenerator, or one sentence why there is none."""
    kind = native.binding().LoadGenerator
    settings = spec.settings()
    if settings["tls"] and not kind.has_tls():
        raise UsageError(
            "this build of the load generator has no TLS: install OpenSSL "
            "(libssl-dev, openssl-devel) and reinstall wsgibench."
        )
    try:
        generator = kind(**settings)
        for pool in rendered.pools:
            generator.add_pool(pool.texts, pool.keep, pool.alias)
        for one in rendered.requests:
            generator.add_request(
                one.pieces,
                one.route,
                one.is_head,
                one.closes,
                one.check_body,
                list(one.statuses),
                one.body,
                one.length,
            )
        for stage in spec.stages_asked():
            generator.add_stage(*stage)
        if rendered.order:
            generator.set_order(rendered.order)
        return generator
    except FileNotFoundError as error:
        raise UsageError(
            "no certificates can be read from %r." % spec.tls_ca
        ) from error
    except OSError as error:
        if error.errno == errno.EKEYREJECTED:
            raise UsageError(
                "no certificate and key that fit can be read from %r."
                % spec.tls_cert
            ) from error
        raise UsageError(
            "the load generator refuses this: %s." % error
        ) from error


def run(
    spec: LoadSpec, rendered: Rendered, on_live: OnLive | None = None
) -> dict[str, Any]:
    """The generator's own result. KeyboardInterrupt ends the run early; a
    second one does not wait for answers either."""
    generator = make(spec, rendered)
    try:
        running = True
        while running:
            try:
                running = generator.poll(LIVE_SECONDS)
                if on_live is not None:
                    on_live(generator.live())
            except KeyboardInterrupt:
                generator.stop()
        raw: dict[str, Any] = json.loads(generator.result())
    finally:
        generator.close()
    return merge.histograms(raw)
