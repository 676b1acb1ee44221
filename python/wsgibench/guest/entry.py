"""The application under its import path, "entry:application", for servers
that import it in processes of their own."""

from __future__ import absolute_import

import json
import os

import build

application = build.application(json.loads(os.environ["WSGIBENCH_TASK"]))
