output "endpoints" {
  description = "Where each service answers, by the NodePort on var.node_host."
  value = {
    for name, service in kubernetes_service_v1.service : name => "http://${var.node_host}:${service.spec[0].port[0].node_port}"
  }
}

output "sizing" {
  description = "Replicas, requests and limits of each service, as last applied."
  value = {
    for name, deployment in kubernetes_deployment_v1.service : name => {
      replicas = tonumber(deployment.spec[0].replicas)
      requests = deployment.spec[0].template[0].spec[0].container[0].resources[0].requests
      limits   = deployment.spec[0].template[0].spec[0].container[0].resources[0].limits
    }
  }
}
