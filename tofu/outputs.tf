output "endpoints" {
  description = "Where each service answers: its NodePort on node_host."
  value = {
    for name, service in kubernetes_service_v1.service : name => "http://${var.node_host}:${service.spec[0].port[0].node_port}"
  }
}

output "sizing" {
  description = "Replicas, requests and limits that each service is declared with."

  # From the map, not from the Deployment: Kubernetes rewrites "0.5" as "500m", and an output that changes by itself
  # would make every plan after the first apply report a change.
  value = {
    for name, service in var.services : name => {
      replicas = service.replicas
      requests = service.resources.requests
      limits   = service.resources.limits
    }
  }
}
