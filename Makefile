# Six targets. Each brings what it needs by itself (tools/setup.sh), so the first one on a new machine takes longest.
python := .venv/bin/python

.PHONY: run test check bench screens clean

run: ## The whole product on simulated devices; DEMO=1 plays one visit by itself and ends. Ctrl-C ends it.
	@tools/setup.sh run
	@exec $(python) -m tools.run $(if $(DEMO),--demo)

test: ## All tests: real windows, a real broker, a real browser, devices on pseudo-terminals.
	@tools/setup.sh dev
	$(python) -m pytest $(ARGS)

check: ## Format, lint, types, and who may import whom.
	@tools/setup.sh dev
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m basedpyright
	.venv/bin/lint-imports

bench: ## Figures with their goals or peers; CASE=name for one, JSON=path to write them down.
	@tools/setup.sh dev
	@$(python) -m tools.bench $(CASE) $(if $(JSON),--json $(JSON))

screens: ## Every screen, language and orientation as PNG, for people to look at.
	@tools/setup.sh dev
	@$(python) tools/screens.py
	@$(python) -m tools.console_pictures

clean: ## Back to a fresh clone: the environment and all data of the demo go.
	rm -rf .venv var build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
