# Conveniences for developers; users need ./bench and ./check only.
.PHONY: build check lint type asan

build:
	WSGIBENCH_DEV=1 WSGIBENCH_CFFI=1 .venv/bin/python setup.py -q build_ext --inplace
	.venv-pypy/bin/python setup.py -q build_ext --inplace
check:
	./check
lint:
	.venv/bin/python -m ruff check .
type:
	.venv/bin/python -m mypy
asan:
	PYTHON=.venv/bin/python scripts/asan.sh tests/http tests/wsgi tests/native
