.DEFAULT_GOAL := help
.PHONY: help run test test-service test-delivery test-bump e2e e2e-long bench lint fmt image clean

help: ## print these lines
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the API on port 8080, its metrics on 9090
	cargo run --release --locked

test: ## run every check that needs no cluster, installing its tools into .tools
	@scripts/test

test-service: ## test the service alone: its units and its API from outside
	cd $(or $(FOLDER),.) && cargo test --locked --lib --test api

test-delivery: ## test that manifests, workflow, tofu and documents agree with each other
	cargo test --locked --test delivery

test-bump: ## put the bump of the image's tag through 200 rounds of racing runs
	BUMP_ROUNDS=200 cargo test --locked --test bump -- --nocapture

e2e: ## prove on a real cluster of its own what README says about the loop
	cargo build --locked --manifest-path loopctl/Cargo.toml
	cargo test --locked --manifest-path loopctl/Cargo.toml --package loopctl --package e2e --lib --test proofs -- $(PROOF)

e2e-long: test-bump ## the same proofs with all their repetitions, and those of the bump
	E2E_LONG=1 $(MAKE) e2e

bench: ## measure the service beside its peers and write the tables (10 minutes; BENCH=--quick: 4)
	@scripts/bench-tools
	cargo run --locked --release --manifest-path bench/Cargo.toml -- --write $(BENCH)

lint: ## run formatters and linters only
	@scripts/test lint

fmt: ## format Rust and, where tofu is installed, HCL
	cargo fmt
	cargo fmt --all --manifest-path loopctl/Cargo.toml
	rustfmt --edition 2024 src/routes/*.rs loopctl/delivery/src/journey/hops/*.rs loopctl/delivery/src/doctor/*.rs
	@if command -v tofu >/dev/null; then tofu fmt -recursive tofu; fi

image: ## build the image with docker and start it once, as the workflow does
	docker build --build-arg REVISION=$$(git rev-parse HEAD) --tag argo-rust:local .
	.github/scripts/smoke-image argo-rust:local $$(git rev-parse HEAD)

clean: ## remove what was built and the tools that were installed
	cargo clean
	rm -rf .tools
