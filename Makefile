# Two commands: make book, make test. Each sets up .venv first, where that has not been done.
PYTHON ?= python3
PROFILE ?= quick
BIN := .venv/bin

help:
	@echo "make book [PROFILE=quick]  train, execute the notebooks, render _build/html (profiles: smoke quick reference paper)"
	@echo "make book ON=slurm         the same on a cluster, called where jobs are submitted (workflow/on)"
	@echo "make plan [PROFILE=quick]  what that would do, what of it is there, how long it should take; changes nothing"
	@echo "make pdf [PROFILE=quick]   the same, and the whole book as _build/vimae.pdf (needs Chromium)"
	@echo "make test                  style, unit tests, every notebook, the book in a browser"
	@echo "make lab                   change the notebooks in JupyterLab"
	@echo "make verify-reference      do the published numbers still follow from this code?"
	@echo "make bench                 speed beside a peer and the machine's limit; writes benchmarks/record-*.json (15 minutes)"
	@echo "make clean                 remove the rendered book, keep the trained runs"

book: .venv/installed $(if $(wildcard workflow/on/$(ON)/requirements.txt),.venv/on-$(ON))
	$(BIN)/python workflow/run.py $(PROFILE)$(if $(ON), --on $(ON))

plan: .venv/installed
	@$(BIN)/python workflow/plan.py $(PROFILE)

pdf: .venv/installed
	$(BIN)/python workflow/pdf.py $(PROFILE)

test: .venv/installed
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	@$(BIN)/nbstripout --verify notebooks/*.ipynb || { echo "make lab left outputs in notebooks/, which are not \
	  committed. To remove them: $(BIN)/nbstripout notebooks/*.ipynb"; exit 1; }
	$(BIN)/python -m pytest -n 2 --dist worksteal

lab: .venv/installed
	JUPYTER_CONFIG_PATH="$(CURDIR)/workflow/lab" $(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root)

verify-reference: .venv/installed
	$(BIN)/python -m vimae_core verify-reference

bench: .venv/installed benchmarks/.packages
	PYTHONPATH=benchmarks/.packages $(BIN)/python benchmarks/speed.py

benchmarks/.packages: benchmarks/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $@ -r $<
	@touch $@

clean:
	rm -rf _build book/results

# The stamp appears only when all of it has succeeded; changed pins install again.
.venv/installed: requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = "%d.%d" % sys.version_info[:2]; sys.exit(0 if sys.version_info >= (3, 11) else \
	  "Python 3.11 or newer is needed, $(PYTHON) is Python " + v + ". Name another: make $(MAKECMDGOALS) PYTHON=python3.12")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) has no ensurepip, which a virtual environment needs. On Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

# What snakemake needs to reach a cluster.
.venv/on-%: workflow/on/%/requirements.txt .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r $< -c constraints.txt
	@touch $@

.PHONY: help book plan pdf test lab verify-reference bench clean
