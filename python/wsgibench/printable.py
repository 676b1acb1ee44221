"""Text of others, fit for a terminal and for every encoding of Unicode; and
for Markdown.

Control characters move the cursor, change the title and the colours of a
terminal; marks of direction show text in another order than it has; half of a
surrogate pair cannot be encoded. Such a character is written as in a literal
of Python: ``\\x1b``.
"""

from __future__ import annotations

import re
from typing import Any

#: Not printable to str.isprintable(), and left as they are.
LAYOUT = "\n\t"


def text(given: str) -> str:
    if given.isprintable():
        return given
    return "".join(
        one
        if one.isprintable() or one in LAYOUT
        else one.encode("unicode_escape").decode("ascii")
        for one in given
    )


#: What ends a cell of a table, begins HTML or makes a link or an image.
MARKS = re.compile(r"[\\|]|(?<=\])\(")


def markdown(given: str) -> str:
    """In one line, with nothing that is more than text."""
    line = " ".join(given.split()).replace("<", "&lt;")
    return MARKS.sub(r"\\\g<0>", line)


def values(given: Any) -> Any:
    """The same for all strings in a value of JSON, names included; lists and
    objects are changed in place. However deep it is nested."""
    whole = [given]
    rest: list[Any] = [whole]
    while rest:
        holder = rest.pop()
        if isinstance(holder, dict):
            if not all(map(str.isprintable, holder)):
                pairs = [(text(name), one) for name, one in holder.items()]
                holder.clear()
                holder.update(pairs)
            items: Any = holder.items()
        else:
            items = enumerate(holder)
        for place, one in items:
            if isinstance(one, str):
                holder[place] = text(one)  # no name is added or taken away
            elif isinstance(one, (dict, list)):
                rest.append(one)
    return whole[0]
