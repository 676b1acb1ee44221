"""The application under its import path, "wsgibench_target.entry:application",
for servers that import it in processes of their own."""

from __future__ import absolute_import

import json
import os

from wsgibench_target import build

application = build.application(json.loads(os.environ["WSGIBENCH_TASK"]))
