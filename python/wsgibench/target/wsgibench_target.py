"""This folder as a package, wsgibench_target, so that no module of ours has a
name that an application under test may have (apps, pages, servers ...).

Whoever imports it has put the folder on the path; it is taken off again.
"""

from __future__ import absolute_import

import os
import sys

#: Makes a package of a module.
__path__ = [os.path.dirname(os.path.abspath(__file__))]

sys.path[:] = [
    folder for folder in sys.path if os.path.abspath(folder) != __path__[0]
]
