# `make demo` and `make test` need only make and a Python of at least 3.12; everything else is installed into .venv.
.DELETE_ON_ERROR:
.PHONY: demo test lint types tests test-slow test-home fuzz bench docs pictures entities translations clean

VENV := .venv
BIN := $(VENV)/bin
T ?=

demo: $(VENV)/ready
	@$(BIN)/phonehome demo

# Types keep one core busy and tests wait for other processes at times, so they run side by side.
test: lint
	@$(MAKE) --no-print-directory -j2 types tests

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/ready
	$(BIN)/mypy

# `make tests T=tests/test_har.py` runs one file.  Four at once for two cores, since many wait for other processes; each
# takes a fourth in one piece, so that what a file prepares is prepared once.
tests: $(VENV)/ready
	$(BIN)/pytest -n 4 --dist worksteal -m "not slow and not home" $(T)

# As root also 9,000 tunnels at once through a household in network namespaces.
test-slow: $(VENV)/ready
	$(BIN)/pytest -m slow $(T)

# A household in network namespaces; as root, with iproute2, nftables and curl.
test-home: $(VENV)/ready
	$(BIN)/pytest -m "home and not slow" tests/household

# Damages captures at random and reads them for ten minutes; what goes wrong is kept in fuzz-found/.
fuzz: $(VENV)/ready
	$(BIN)/python tests/mutations.py

bench: $(VENV)/ready
	@for script in bench/*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

# Writes docs/cli.md, docs/coverage.md, docs/glossary.md, docs/share-schema.json and docs/first-report.md anew from the program and the packs.
docs: $(VENV)/ready
	UPDATE_DOCS=1 $(BIN)/pytest -q tests/test_cli_docs.py tests/test_catalogue.py tests/test_redact.py tests/test_first_report.py tests/test_language.py

# Takes the pictures of the README anew, from the demo; needs chromium and chromium-driver.
pictures: $(VENV)/ready
	$(BIN)/python tests/pictures.py

# Brings translations up to date with the English texts; L=fr begins another one.
translations: $(VENV)/ready
	$(BIN)/python -m analysis.translation_update $(L)

# Brings the list of third parties up to date from npm; needs npm.
entities: $(VENV)/ready
	npm pack --silent third-party-web --pack-destination $(VENV)
	$(BIN)/python -m analysis.entities_update $(VENV)/third-party-web-*.tgz && rm $(VENV)/third-party-web-*.tgz

# The stamp is written last, so that an interrupted set-up is done again by the next call.  Our modules are compiled as
# pip compiles those that it installs: where Python may not keep what it compiled, each start would do it anew (0.4 s).
$(VENV)/ready: pyproject.toml .ci/find-python
	@python=$$(sh .ci/find-python) && echo "Setting up with $$python ..." && \
	rm -rf $(VENV) && "$$python" -m venv $(VENV) && \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]' && \
	$(BIN)/python -m compileall -q captures analysis addons && \
	touch $@

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
