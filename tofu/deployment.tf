data "kubernetes_resources" "deployment" {
  for_each = var.services

  api_version    = "apps/v1"
  kind           = "Deployment"
  namespace      = each.value.namespace
  field_selector = "metadata.name=${each.key}"
}

import {
  for_each = { for name, service in var.services : name => "${service.namespace}/${name}" if length(data.kubernetes_resources.deployment[name].objects) > 0 }
  to       = kubernetes_deployment_v1.service[each.key]
  id       = each.value
}

resource "kubernetes_deployment_v1" "service" {
  for_each = var.services

  metadata {
    name      = each.key
    namespace = kubernetes_namespace_v1.namespace[each.value.namespace].metadata[0].name
    labels    = local.labels[each.key]
  }

  spec {
    replicas                  = each.value.replicas
    min_ready_seconds         = 3
    progress_deadline_seconds = 120

    strategy {
      type = "RollingUpdate"

      rolling_update {
        max_unavailable = "0"
        max_surge       = "1"
      }
    }

    selector {
      match_labels = local.selector[each.key]
    }

    template {
      metadata {
        labels = local.labels[each.key]
      }

      spec {
        # The provider writes these three at every update: an imported object and one born here must agree on them.
        automount_service_account_token = false
        enable_service_links            = false
        share_process_namespace         = false

        termination_grace_period_seconds = 30

        security_context {
          run_as_non_root = true
          run_as_user     = "65532"
          run_as_group    = "65532"

          seccomp_profile {
            type = "RuntimeDefault"
          }
        }

        dynamic "image_pull_secrets" {
          for_each = each.value.image_pull_secret == "" ? [] : [each.value.image_pull_secret]

          content {
            name = image_pull_secrets.value
          }
        }

        # One container only: a second one in git would be removed at the next apply.
        container {
          name  = each.key
          image = local.birth_image[each.key]

          dynamic "port" {
            for_each = local.birth_ports[each.key]

            content {
              name           = port.key
              container_port = port.value
            }
          }

          # The provider writes run_as_non_root and privileged at every update, as false where nothing is said. For
          # run_as_non_root that would undo the pod's true and the namespace would refuse the next pod.
          security_context {
            run_as_non_root            = true
            privileged                 = false
            allow_privilege_escalation = false
            read_only_root_filesystem  = true

            capabilities {
              drop = ["ALL"]
            }
          }

          resources {
            requests = each.value.resources.requests
            limits   = each.value.resources.limits
          }

          liveness_probe {
            initial_delay_seconds = each.value.probes.liveness_initial_delay
            period_seconds        = each.value.probes.liveness_period
            timeout_seconds       = 3
            failure_threshold     = 3

            http_get {
              path = each.value.probes.path
              port = each.value.port
            }
          }

          readiness_probe {
            initial_delay_seconds = each.value.probes.readiness_initial_delay
            period_seconds        = each.value.probes.readiness_period
            timeout_seconds       = 2
            failure_threshold     = 3

            http_get {
              path = each.value.probes.path
              port = each.value.port
            }
          }
        }
      }
    }
  }

  # A first rollout that has to wait for its pull secret or its first image would taint the Deployment, and the next
  # apply would delete and recreate it.
  wait_for_rollout = false

  lifecycle {
    # Every attribute of a Deployment but replicas and the container's resources. An update sends the whole spec, so an
    # attribute that is missing here is taken from this file and overwrites what git says.
    ignore_changes = [
      metadata[0].annotations,
      metadata[0].labels,
      spec[0].min_ready_seconds,
      spec[0].paused,
      spec[0].progress_deadline_seconds,
      spec[0].revision_history_limit,
      spec[0].selector,
      spec[0].strategy,
      spec[0].template[0].metadata,
      spec[0].template[0].spec[0].active_deadline_seconds,
      spec[0].template[0].spec[0].affinity,
      spec[0].template[0].spec[0].automount_service_account_token,
      spec[0].template[0].spec[0].dns_config,
      spec[0].template[0].spec[0].dns_policy,
      spec[0].template[0].spec[0].enable_service_links,
      spec[0].template[0].spec[0].host_aliases,
      spec[0].template[0].spec[0].host_ipc,
      spec[0].template[0].spec[0].host_network,
      spec[0].template[0].spec[0].host_pid,
      spec[0].template[0].spec[0].hostname,
      spec[0].template[0].spec[0].image_pull_secrets,
      spec[0].template[0].spec[0].init_container,
      spec[0].template[0].spec[0].node_name,
      spec[0].template[0].spec[0].node_selector,
      spec[0].template[0].spec[0].os,
      spec[0].template[0].spec[0].priority_class_name,
      spec[0].template[0].spec[0].readiness_gate,
      spec[0].template[0].spec[0].restart_policy,
      spec[0].template[0].spec[0].runtime_class_name,
      spec[0].template[0].spec[0].scheduler_name,
      spec[0].template[0].spec[0].security_context,
      spec[0].template[0].spec[0].service_account_name,
      spec[0].template[0].spec[0].share_process_namespace,
      spec[0].template[0].spec[0].subdomain,
      spec[0].template[0].spec[0].termination_grace_period_seconds,
      spec[0].template[0].spec[0].toleration,
      spec[0].template[0].spec[0].topology_spread_constraint,
      spec[0].template[0].spec[0].volume,
      spec[0].template[0].spec[0].container[0].args,
      spec[0].template[0].spec[0].container[0].command,
      spec[0].template[0].spec[0].container[0].env,
      spec[0].template[0].spec[0].container[0].env_from,
      spec[0].template[0].spec[0].container[0].image,
      spec[0].template[0].spec[0].container[0].image_pull_policy,
      spec[0].template[0].spec[0].container[0].lifecycle,
      spec[0].template[0].spec[0].container[0].liveness_probe,
      spec[0].template[0].spec[0].container[0].port,
      spec[0].template[0].spec[0].container[0].readiness_probe,
      spec[0].template[0].spec[0].container[0].restart_policy,
      spec[0].template[0].spec[0].container[0].security_context,
      spec[0].template[0].spec[0].container[0].startup_probe,
      spec[0].template[0].spec[0].container[0].stdin,
      spec[0].template[0].spec[0].container[0].stdin_once,
      spec[0].template[0].spec[0].container[0].termination_message_path,
      spec[0].template[0].spec[0].container[0].termination_message_policy,
      spec[0].template[0].spec[0].container[0].tty,
      spec[0].template[0].spec[0].container[0].volume_device,
      spec[0].template[0].spec[0].container[0].volume_mount,
      spec[0].template[0].spec[0].container[0].working_dir,
    ]
  }
}
