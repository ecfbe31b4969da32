# OpenTofu owns replicas, requests, limits and NodePorts, and nothing else.
#
# Each object is declared whole, so that a new service needs only an entry in terraform.tfvars, but all except sizing is
# a birth value: ignore_changes leaves it to git and Argo CD afterwards. Objects that exist already (Argo CD may have come
# first) are imported by the same `tofu apply` that would otherwise create them; the import blocks are inert from then on.

locals {
  # git may say more about a service than the map does. Where it has a manifest, the birth image and the ports are the
  # manifest's: the tag in the map is never bumped, so a Deployment born from it would start a build of long ago.
  # The repository's own service is k8s/deployment.yaml, another one that git delivers k8s/NAME/deployment.yaml.
  manifests = [
    for file in fileset("${path.module}/../k8s", "{deployment.yaml,*/deployment.yaml}") :
    yamldecode(file("${path.module}/../k8s/${file}"))
  ]
  manifest_containers = {
    for name, service in var.services : name => one(flatten([
      for manifest in local.manifests : [
        for container in manifest.spec.template.spec.containers : container
        if container.name == name && manifest.metadata.name == name && manifest.metadata.namespace == service.namespace
      ]
    ]))
  }

  birth_image = { for name, service in var.services : name => try(local.manifest_containers[name].image, service.image) }
  birth_ports = {
    for name, service in var.services : name => try(
      { for port in local.manifest_containers[name].ports : port.name => port.containerPort },
      { http = service.port },
    )
  }

  # The selector can never be changed on a live object and must be the same in git and here: keep it to the name.
  selector = { for name, service in var.services : name => { "app.kubernetes.io/name" = name } }
  labels   = { for name, service in var.services : name => merge(local.selector[name], { "app.kubernetes.io/part-of" = service.namespace }) }

  # Argo CD must not delete what is declared here as well when its file leaves git or its Application goes.
  kept_by_argocd = { "argocd.argoproj.io/sync-options" = "Prune=false,Delete=false" }
}
