# Two commands do everything on a fresh machine: `make demo` and `make test`.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
PREFIX ?= /usr/local
MINUTES ?= 5

.PHONY: help demo test shows soak fuzz player install-c deb clean setup

help: ## these lines
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 10

demo: ## build and start a supervision centre with five simulated cameras; needs Rust and a C compiler only
	@echo "Vigie: building the player for the browser (WebAssembly), then the centre. The first time takes minutes."
	rustup target add wasm32-unknown-unknown
	$(MAKE) --no-print-directory player
	cargo build --locked --release -p vigie-centre
	@echo "Vigie: starting. Ctrl-C ends it; footage stays in demo-store/."
	exec target/release/vigie-centre demo --dome --store demo-store

player: ## the npm package, into player-wasm/dist/
	cargo run --locked -p vigie-player-pack

test: ## install what tests need and run them all
	.ci/setup
	.ci/test

shows: ## the thresholds: each value beside its bound; exit 1 beyond one
	.ci/setup
	.ci/shows

soak: ## long runs
	.ci/soak

fuzz: ## each fuzz target for MINUTES (default 5), then what of core is reached, by module
	COVERAGE=1 .ci/fuzz $$(( $(MINUTES) * 60 ))

install-c: ## the C library below PREFIX (default /usr/local), with headers, vigie.pc and CMake config; DESTDIR is minded
	cargo build --locked --release -p vigie-ffi
	cargo run --locked -q -p vigie-ffi-pack -- --install '$(PREFIX)'

deb: ## the C library as Debian packages, into target/deb/
	cargo build --locked --release -p vigie-ffi
	cargo run --locked -q -p vigie-ffi-pack -- --deb target/deb

clean: ## what was built and what the demo recorded
	cargo clean
	rm -rf player-wasm/dist demo-store
