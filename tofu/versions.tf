terraform {
  # 1.11.0 has faults in import.for_each, which "either tool may come first" rests on.
  required_version = ">= 1.11.1"

  required_providers {
    kubernetes = {
      source = "hashicorp/kubernetes"
      # Exactly one version: what an update of the provider drops from a live Deployment was checked field by field
      # with this one. The first `tofu init` writes .terraform.lock.hcl with its checksums: commit that file.
      version = "3.2.1"
    }
  }

  # State lives in ./terraform.tfstate, which git ignores. backend.tf.example shows a shared, locked, encrypted one.
}

provider "kubernetes" {
  # Never a token here: it would end up in plans. The kubeconfig, the environment or the pod's own account hold it.
  config_path    = var.kubeconfig == "" ? null : var.kubeconfig
  config_context = var.kube_context

  # Argo CD's tracking marks: without these two lines every apply would strip them and start a war with its next sync.
  ignore_annotations = ["^argocd\\.argoproj\\.io/"]
  ignore_labels      = ["^app\\.kubernetes\\.io/instance$"]
}
