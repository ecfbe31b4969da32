//! The delivery's contract (ARCHITECTURE.md) as whoever asks the service needs it; bench/ reads the manifest by this
//! file as well.

pub const MANIFEST: &str = "k8s/deployment.yaml";

/// The path that the kubelet asks for readiness.
pub fn probe_path(manifest: &str) -> Option<&str> {
    let (_, probe) = manifest.split_once("readinessProbe:")?;
    probe.lines().find_map(|line| line.trim().strip_prefix("path: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_is_that_of_the_readiness_probe() {
        let other = "livenessProbe:\n  httpGet:\n    path: /other\n";
        let probe = "readinessProbe:\n  httpGet:\n    path: /ready\n    port: 8080\n";
        assert_eq!(probe_path(&format!("{other}{probe}")), Some("/ready"));
        assert_eq!(probe_path(other), None);
    }
}
