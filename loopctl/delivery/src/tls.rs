//! Whatever speaks TLS here needs to be told once by what: ring, because it needs nothing but a C compiler to be built.

/// Before a client is made; further calls change nothing.
pub fn provide() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
