# Sizing: edit, then `tofu apply`. A new service is a new entry, then its pull secret, then `tofu apply`.
services = {
  "argo-rust" = {
    namespace = "argo-rust"
    replicas  = 1
    image     = "ghcr.io/voloshko/argo-rust:sha-0000000" # not read: the tag in k8s/deployment.yaml is
    port      = 8080
    node_port = 30800
    probes = {
      path                    = "/hello"
      liveness_initial_delay  = 5
      liveness_period         = 10
      readiness_initial_delay = 3
      readiness_period        = 5
    }
    resources = {
      requests = { cpu = "50m", memory = "32Mi" }
      limits   = { cpu = "200m", memory = "64Mi" }
    }
    image_pull_secret = "ghcr-secret"
  }
}
