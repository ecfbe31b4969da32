data "kubernetes_resources" "service" {
  for_each = var.services

  api_version    = "v1"
  kind           = "Service"
  namespace      = each.value.namespace
  field_selector = "metadata.name=${each.key}"
}

import {
  for_each = { for name, service in var.services : name => "${service.namespace}/${name}" if length(data.kubernetes_resources.service[name].objects) > 0 }
  to       = kubernetes_service_v1.service[each.key]
  id       = each.value
}

resource "kubernetes_service_v1" "service" {
  for_each = var.services

  metadata {
    name        = each.key
    namespace   = kubernetes_namespace_v1.namespace[each.value.namespace].metadata[0].name
    labels      = local.labels[each.key]
    annotations = local.kept_by_argocd
  }

  spec {
    type     = "NodePort"
    selector = local.selector[each.key]

    # One port only: a second one in git would be removed at the next apply.
    port {
      name        = "http"
      port        = 80
      target_port = each.value.port
      node_port   = each.value.node_port
    }
  }

  lifecycle {
    # Everything but the NodePort is written at birth only.
    ignore_changes = [
      metadata[0].annotations,
      metadata[0].labels,
      spec[0].external_ips,
      spec[0].external_traffic_policy,
      spec[0].internal_traffic_policy,
      spec[0].ip_families,
      spec[0].ip_family_policy,
      spec[0].publish_not_ready_addresses,
      spec[0].selector,
      spec[0].session_affinity,
      spec[0].session_affinity_config,
      spec[0].port[0].app_protocol,
      spec[0].port[0].name,
      spec[0].port[0].port,
      spec[0].port[0].protocol,
      spec[0].port[0].target_port,
      wait_for_load_balancer,
    ]
  }
}
