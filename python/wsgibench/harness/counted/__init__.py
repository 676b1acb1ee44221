"""Costs that are counted, not timed: the same on a busy machine.

callgrind.py, perf.py  instructions in user space, allocations
calls.py               system calls, by name
start.py               one start of a cell, or of several in turns
measure.py             the same in the place of harness/cell.py
"""
