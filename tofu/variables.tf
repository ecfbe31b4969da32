variable "services" {
  description = "Each service by its name: where it runs, how much of it, and how it is reached and probed."
  nullable    = false

  # No field is optional: an object type drops names it does not know without a word, so a misspelt optional field would
  # be ignored, while a misspelt required one is reported as missing.
  type = map(object({
    namespace = string
    replicas  = number
    image     = string # birth value; not read where a deployment.yaml in k8s/ describes the service
    port      = number
    node_port = number

    probes = object({
      path                    = string
      liveness_initial_delay  = number
      liveness_period         = number
      readiness_initial_delay = number
      readiness_period        = number
    })

    resources = object({
      requests = object({ cpu = string, memory = string })
      limits   = object({ cpu = string, memory = string })
    })

    image_pull_secret = string # "" for a public image
  }))

  validation {
    condition     = alltrue([for name in keys(var.services) : can(regex("^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$", name))])
    error_message = "A service's name (the key in services) must be a DNS label: 1 to 63 of a-z, 0-9 and '-', starting with a letter and not ending in '-'. Given: ${jsonencode(keys(var.services))}."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : can(regex("^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", service.namespace))])
    error_message = "namespace must be a DNS label: 1 to 63 of a-z, 0-9 and '-', neither starting nor ending with '-'. Given: ${jsonencode({ for name, service in var.services : name => service.namespace })}."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : !can(regex("^(default$|kube-)", service.namespace))])
    error_message = "namespace must be one of the service's own, neither default nor kube-*: OpenTofu would take the cluster's namespace for its own. Given: ${jsonencode({ for name, service in var.services : name => service.namespace })}."
  }

  validation {
    condition = alltrue([for service in values(var.services) : try(
      service.replicas >= 0 && service.replicas <= 100 && service.replicas == floor(service.replicas),
      false,
    )])
    error_message = "replicas must be a whole number from 0 (stopped) to 100. Given: ${jsonencode({ for name, service in var.services : name => service.replicas })}."
  }

  validation {
    condition = alltrue([for service in values(var.services) : can(regex(
      join("", [
        "^([A-Za-z0-9.-]+(:[0-9]+)?/)?",                                                     # registry
        "[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*",                        # repository
        "(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}(@sha256:[0-9a-f]{64})?|@sha256:[0-9a-f]{64})$", # tag, digest or both
      ]),
      service.image,
    ))])
    error_message = "image must name a repository in lower case with a tag or a digest, such as ghcr.io/voloshko/argo-rust:sha-0123abc. Given: ${jsonencode({ for name, service in var.services : name => service.image })}."
  }

  validation {
    condition = alltrue([for service in values(var.services) : try(
      service.port >= 1 && service.port <= 65535 && service.port == floor(service.port),
      false,
    )])
    error_message = "port must be a whole number from 1 to 65535. Given: ${jsonencode({ for name, service in var.services : name => service.port })}."
  }

  validation {
    condition = alltrue([for service in values(var.services) : try(
      service.node_port >= 30000 && service.node_port <= 32767 && service.node_port == floor(service.node_port),
      false,
    )])
    error_message = "node_port must be a whole number from 30000 to 32767, the range that Kubernetes keeps for NodePorts. Given: ${jsonencode({ for name, service in var.services : name => service.node_port })}."
  }

  validation {
    condition     = length(distinct([for service in values(var.services) : service.node_port])) == length(var.services)
    error_message = "Each service needs a node_port of its own: a NodePort is taken once for the whole cluster. Given: ${jsonencode({ for name, service in var.services : name => service.node_port })}."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : can(regex("^/[!-~]*$", service.probes.path))])
    error_message = "probes.path must start with '/' and hold no spaces, such as /hello. Given: ${jsonencode({ for name, service in var.services : name => service.probes })}."
  }

  validation {
    condition = alltrue([for service in values(var.services) : try(alltrue([
      for delay in [service.probes.liveness_initial_delay, service.probes.readiness_initial_delay] :
      delay >= 0 && delay <= 100 && delay == floor(delay)
    ]), false)])
    error_message = "probes.liveness_initial_delay and probes.readiness_initial_delay must be whole seconds from 0 to 100: a rollout counts as failed after 120. Given: ${jsonencode({ for name, service in var.services : name => service.probes })}."
  }

  validation {
    condition = alltrue([for service in values(var.services) : try(alltrue([
      for period in [service.probes.liveness_period, service.probes.readiness_period] :
      period >= 1 && period <= 100 && period == floor(period)
    ]), false)])
    error_message = "probes.liveness_period and probes.readiness_period must be whole seconds from 1 to 100: a rollout counts as failed after 120. Given: ${jsonencode({ for name, service in var.services : name => service.probes })}."
  }

  validation {
    condition = alltrue([for service in values(var.services) : try(alltrue([
      for cpu in [service.resources.requests.cpu, service.resources.limits.cpu] :
      can(regex("^([0-9]+m|[0-9]+([.][0-9]{1,3})?)$", cpu)) && can(regex("[1-9]", cpu))
    ]), false)])
    error_message = "cpu in resources.requests and resources.limits must be more than 0, in cores (\"2\", \"0.5\") or thousandths of one (\"250m\"). Given: ${jsonencode({ for name, service in var.services : name => service.resources })}."
  }

  validation {
    condition = alltrue([for service in values(var.services) : try(alltrue([
      for memory in [service.resources.requests.memory, service.resources.limits.memory] :
      can(regex("^([0-9]+|[0-9]+([.][0-9]+)?(Ki|Mi|Gi|Ti|Pi|Ei|k|M|G|T|P|E))$", memory))
    ]), false)])
    error_message = "memory in resources.requests and resources.limits must be a number with a suffix Ki, Mi, Gi, Ti, Pi, Ei, k, M, G, T, P or E, or whole bytes without one, such as \"64Mi\". Given: ${jsonencode({ for name, service in var.services : name => service.resources })}."
  }

  # The two rules below do arithmetic; what cannot be read as a number passes them, as the two above have refused it.

  validation {
    condition = alltrue([for service in values(var.services) : try(alltrue([
      for memory in [service.resources.requests.memory, service.resources.limits.memory] :
      tonumber(regex("^[0-9.]+", memory)) * local.quantity_thousandths[replace(memory, "/^[0-9.]+/", "")] >= local.quantity_thousandths["Mi"]
    ]), true)])
    error_message = "memory in resources.requests and resources.limits must be at least 1Mi, or no container starts (without a suffix it is bytes). Given: ${jsonencode({ for name, service in var.services : name => service.resources })}."
  }

  validation {
    condition = alltrue([for service in values(var.services) : try(alltrue([
      for pair in [
        { request = service.resources.requests.cpu, limit = service.resources.limits.cpu },
        { request = service.resources.requests.memory, limit = service.resources.limits.memory },
      ] :
      # Rounded, because a decimal fraction such as 0.063 has no exact binary form.
      floor(tonumber(regex("^[0-9.]+", pair.request)) * local.quantity_thousandths[replace(pair.request, "/^[0-9.]+/", "")] + 0.5)
      <= floor(tonumber(regex("^[0-9.]+", pair.limit)) * local.quantity_thousandths[replace(pair.limit, "/^[0-9.]+/", "")] + 0.5)
    ]), true)])
    error_message = "resources.requests must not be above resources.limits, for cpu as for memory. Given: ${jsonencode({ for name, service in var.services : name => service.resources })}."
  }

  validation {
    condition = alltrue([for service in values(var.services) : service.image_pull_secret == "" || can(regex(
      "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?([.][a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$",
      service.image_pull_secret,
    ))])
    error_message = "image_pull_secret must be the name of a Secret in the service's namespace, such as ghcr-secret, or \"\" for a public image. Given: ${jsonencode({ for name, service in var.services : name => service.image_pull_secret })}."
  }
}

locals {
  # What each suffix of a Kubernetes quantity stands for, in thousandths, so that millicores stay whole.
  quantity_thousandths = merge(
    { m = 1, "" = 1000 },
    { for power, suffix in ["k", "M", "G", "T", "P", "E"] : suffix => 1000 * pow(1000, power + 1) },
    { for power, suffix in ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"] : suffix => 1000 * pow(1024, power + 1) },
  )
}

variable "kubeconfig" {
  description = "Path of the kubeconfig file. null or \"\": what KUBE_CONFIG_PATH names, or inside a pod its own service account."
  type        = string
  default     = "~/.kube/config"
}

variable "kube_context" {
  description = "Context of the kubeconfig. null: its current context."
  type        = string
  default     = null
}

variable "node_host" {
  description = "Host or address at which the node's ports are reached; used in the endpoints output only."
  type        = string
  default     = "127.0.0.1"
  nullable    = false

  validation {
    condition     = can(regex("^([A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\])$", var.node_host))
    error_message = "node_host must be a host name or an address without scheme and port, an IPv6 address in brackets. Given: ${jsonencode(var.node_host)}."
  }
}
