# What a birth by OpenTofu creates. For argo-rust it must be what git says, or the two orders of birth would differ.

mock_provider "kubernetes" {
  mock_data "kubernetes_resources" {
    defaults = { objects = [] }
  }
}

run "fixture" {
  module {
    source = "./tests/fixture"
  }
}

run "argo_rust_is_born_as_the_manifests_in_git_say" {
  command = plan

  assert {
    condition = jsonencode([for born in kubernetes_namespace_v1.namespace["argo-rust"].metadata : [born.name, born.labels, born.annotations]]) == jsonencode(
      [for git in [yamldecode(file("../k8s/namespace.yaml")).metadata] : [git.name, git.labels, git.annotations]]
    )
    error_message = "namespace.tf and k8s/namespace.yaml must agree on name, labels and annotations."
  }

  assert {
    condition = jsonencode([for born in kubernetes_service_v1.service["argo-rust"].metadata : [born.name, born.namespace, born.labels, born.annotations]]) == jsonencode(
      [for git in [yamldecode(file("../k8s/service.yaml")).metadata] : [git.name, git.namespace, git.labels, git.annotations]]
    )
    error_message = "service.tf and k8s/service.yaml must agree on name, namespace, labels and annotations."
  }

  assert {
    condition = jsonencode([for born in kubernetes_service_v1.service["argo-rust"].spec : [
      born.type, born.selector, [for port in born.port : [port.name, port.port, port.target_port, port.node_port]],
      ]]) == jsonencode([for git in [yamldecode(file("../k8s/service.yaml")).spec] : [
      git.type, git.selector, [for port in git.ports : [port.name, port.port, tostring(port.targetPort), port.nodePort]],
    ]])
    error_message = "service.tf with terraform.tfvars and k8s/service.yaml must agree on type, selector and port."
  }

  assert {
    condition = jsonencode([for born in kubernetes_deployment_v1.service["argo-rust"].metadata : [born.name, born.namespace, born.labels]]) == jsonencode(
      [for git in [yamldecode(file("../k8s/deployment.yaml")).metadata] : [git.name, git.namespace, git.labels]]
    )
    error_message = "deployment.tf and k8s/deployment.yaml must agree on name, namespace and labels."
  }

  assert {
    condition = jsonencode([for born in kubernetes_deployment_v1.service["argo-rust"].spec : [
      born.replicas, born.min_ready_seconds, born.progress_deadline_seconds,
      born.strategy[0].type, born.strategy[0].rolling_update[0].max_unavailable, born.strategy[0].rolling_update[0].max_surge,
      born.selector[0].match_labels, born.template[0].metadata[0].labels,
      ]]) == jsonencode([for git in [yamldecode(file("../k8s/deployment.yaml")).spec] : [
      tostring(git.replicas), git.minReadySeconds, git.progressDeadlineSeconds,
      git.strategy.type, tostring(git.strategy.rollingUpdate.maxUnavailable), tostring(git.strategy.rollingUpdate.maxSurge),
      git.selector.matchLabels, git.template.metadata.labels,
    ]])
    error_message = "deployment.tf with terraform.tfvars and k8s/deployment.yaml must agree on replicas, rollout, selector and the pod's labels."
  }

  assert {
    condition = jsonencode([for born in kubernetes_deployment_v1.service["argo-rust"].spec[0].template[0].spec : [
      born.automount_service_account_token, born.enable_service_links, born.share_process_namespace, born.termination_grace_period_seconds,
      born.security_context[0].run_as_non_root, born.security_context[0].run_as_user, born.security_context[0].run_as_group,
      born.security_context[0].seccomp_profile[0].type, [for secret in born.image_pull_secrets : secret.name],
      ]]) == jsonencode([for git in [yamldecode(file("../k8s/deployment.yaml")).spec.template.spec] : [
      git.automountServiceAccountToken, git.enableServiceLinks, git.shareProcessNamespace, git.terminationGracePeriodSeconds,
      git.securityContext.runAsNonRoot, tostring(git.securityContext.runAsUser), tostring(git.securityContext.runAsGroup),
      git.securityContext.seccompProfile.type, [for secret in git.imagePullSecrets : secret.name],
    ]])
    error_message = "deployment.tf with terraform.tfvars and k8s/deployment.yaml must agree on the pod."
  }

  assert {
    condition = jsonencode([for born in kubernetes_deployment_v1.service["argo-rust"].spec[0].template[0].spec[0].container : [
      born.name, born.image, { for port in born.port : port.name => port.container_port },
      born.security_context[0].run_as_non_root, born.security_context[0].privileged, born.security_context[0].allow_privilege_escalation, born.security_context[0].read_only_root_filesystem, born.security_context[0].capabilities[0].drop,
      born.resources[0].requests, born.resources[0].limits,
      ]]) == jsonencode([for git in yamldecode(file("../k8s/deployment.yaml")).spec.template.spec.containers : [
      git.name, git.image, { for port in git.ports : port.name => port.containerPort },
      git.securityContext.runAsNonRoot, git.securityContext.privileged, git.securityContext.allowPrivilegeEscalation, git.securityContext.readOnlyRootFilesystem, git.securityContext.capabilities.drop,
      git.resources.requests, git.resources.limits,
    ]])
    error_message = "deployment.tf with terraform.tfvars and k8s/deployment.yaml must agree on the container."
  }

  assert {
    condition = jsonencode([for container in kubernetes_deployment_v1.service["argo-rust"].spec[0].template[0].spec[0].container : [
      for born in [container.liveness_probe[0], container.readiness_probe[0]] :
      [born.http_get[0].path, born.http_get[0].port, born.initial_delay_seconds, born.period_seconds, born.timeout_seconds, born.failure_threshold]
      ]]) == jsonencode([for container in yamldecode(file("../k8s/deployment.yaml")).spec.template.spec.containers : [
      for git in [container.livenessProbe, container.readinessProbe] :
      [git.httpGet.path, tostring(git.httpGet.port), git.initialDelaySeconds, git.periodSeconds, git.timeoutSeconds, git.failureThreshold]
    ]])
    error_message = "deployment.tf with terraform.tfvars and k8s/deployment.yaml must agree on the probes."
  }
}

run "a_service_without_a_manifest_is_born_from_its_map_entry" {
  command = plan
  variables { services = { shop = run.fixture.shop } }

  assert {
    condition = jsonencode([for born in kubernetes_deployment_v1.service["shop"].spec[0].template[0].spec[0].container : [
      born.name, born.image, { for port in born.port : port.name => port.container_port }, born.resources[0].requests, born.resources[0].limits,
    ]]) == jsonencode([["shop", "ghcr.io/voloshko/shop:sha-0123abc", { http = 3000 }, { cpu = "60m", memory = "33Mi" }, { cpu = "210m", memory = "65Mi" }]])
    error_message = "The container must have name, image, port and resources of the map entry."
  }

  assert {
    condition = jsonencode([for container in kubernetes_deployment_v1.service["shop"].spec[0].template[0].spec[0].container : [
      for born in [container.liveness_probe[0], container.readiness_probe[0]] : [born.http_get[0].path, born.http_get[0].port, born.initial_delay_seconds, born.period_seconds]
    ]]) == jsonencode([[["/health", "3000", 6, 11], ["/health", "3000", 4, 7]]])
    error_message = "The probes must be those of the map entry."
  }

  assert {
    condition = jsonencode([for born in kubernetes_service_v1.service["shop"].spec : [
      born.selector, [for port in born.port : [port.port, port.target_port, port.node_port]],
    ]]) == jsonencode([[{ "app.kubernetes.io/name" = "shop" }, [[80, "3000", 30801]]]])
    error_message = "The Service must lead from the NodePort of the map entry to its port."
  }

  assert {
    condition     = kubernetes_namespace_v1.namespace["shop"].metadata[0].labels["pod-security.kubernetes.io/enforce"] == "restricted"
    error_message = "Every namespace must enforce the restricted Pod Security profile."
  }
}

run "an_empty_pull_secret_means_none" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { image_pull_secret = "" }) } }

  assert {
    condition     = length(kubernetes_deployment_v1.service["shop"].spec[0].template[0].spec[0].image_pull_secrets) == 0
    error_message = "image_pull_secret = \"\" must leave imagePullSecrets out."
  }
}

run "two_services_in_one_namespace_declare_it_once" {
  command = plan
  variables { services = { shop = run.fixture.shop, cart = merge(run.fixture.shop, { node_port = 30802 }) } }

  assert {
    condition     = jsonencode([keys(kubernetes_namespace_v1.namespace), keys(kubernetes_deployment_v1.service)]) == jsonencode([["shop"], ["cart", "shop"]])
    error_message = "Two services in one namespace must mean one Namespace and two Deployments."
  }
}

run "a_namesake_in_another_namespace_is_not_born_from_the_manifest" {
  command = plan
  variables { services = { argo-rust = merge(run.fixture.shop, { image = "ghcr.io/voloshko/argo-rust:sha-7654321" }) } }

  assert {
    condition     = kubernetes_deployment_v1.service["argo-rust"].spec[0].template[0].spec[0].container[0].image == "ghcr.io/voloshko/argo-rust:sha-7654321"
    error_message = "k8s/deployment.yaml describes namespace argo-rust only; elsewhere the map entry's image counts."
  }
}
