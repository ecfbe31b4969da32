locals {
  # Services may share a namespace, so namespaces are counted once.
  namespaces = toset([for service in var.services : service.namespace])
}

# An empty list, not an error, when the namespace does not exist yet.
data "kubernetes_resources" "namespace" {
  for_each = local.namespaces

  api_version    = "v1"
  kind           = "Namespace"
  field_selector = "metadata.name=${each.key}"
}

import {
  for_each = toset([for name in local.namespaces : name if length(data.kubernetes_resources.namespace[name].objects) > 0])
  to       = kubernetes_namespace_v1.namespace[each.key]
  id       = each.key
}

resource "kubernetes_namespace_v1" "namespace" {
  for_each = local.namespaces

  metadata {
    name = each.key

    labels = {
      "app.kubernetes.io/name"             = each.key
      "app.kubernetes.io/part-of"          = each.key
      "pod-security.kubernetes.io/enforce" = "restricted"
      "pod-security.kubernetes.io/audit"   = "restricted"
      "pod-security.kubernetes.io/warn"    = "restricted"
    }

    annotations = local.kept_by_argocd
  }

  lifecycle {
    # Written at birth only; afterwards they are git's and Argo CD's.
    ignore_changes = [
      metadata[0].annotations,
      metadata[0].labels,
      wait_for_default_service_account,
    ]

    # A namespace takes everything in it along, the pull secret too. To retire one on purpose, take it out of the
    # state first: tofu state rm 'kubernetes_namespace_v1.namespace["NAME"]'
    prevent_destroy = true
  }
}
