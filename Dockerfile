# Stage 1: build
FROM rust:1-slim AS builder
WORKDIR /app
# Relocations take a thirtieth of the room; stage 2 needs glibc 2.36 for it, which bookworm has.
ENV RUSTFLAGS="-C link-arg=-Wl,-z,pack-relative-relocs"

# Pass 1: a stub binary, so that the dependencies are a layer that outlives every change of src.
COPY Cargo.toml Cargo.lock ./
RUN mkdir src && echo 'fn main() {}' > src/main.rs && \
    cargo build --release --locked && \
    rm -rf src

# Pass 2: the real source on the compiled dependencies. The revision comes only here: it changes with every
# commit and would rebuild all that stands after it.
ARG REVISION=""
COPY src ./src
RUN touch src/main.rs && ARGO_RUST_REVISION="$REVISION" cargo build --release --locked

# Stage 2: a small Debian without a toolchain
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && \
    rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=builder /app/target/release/argo-rust .
ARG REVISION=""
LABEL org.opencontainers.image.title="argo-rust" \
      org.opencontainers.image.description="A small REST API and the whole GitOps loop that delivers it" \
      org.opencontainers.image.revision="$REVISION"
# Numeric, so that Kubernetes can see that it is not root.
USER 65532:65532
EXPOSE 8080 9090
CMD ["./argo-rust"]
