"""What runs inside the interpreter under test.

Python 2.7 and 3; nothing but the standard library at import time. The folder
is put on the path by itself (child.py), so that an interpreter under test
holds nothing of ours but this.
"""
