# What lies just inside each bound is accepted, and outputs say what was asked for.

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

run "every_lower_bound_is_accepted" {
  command = plan
  variables {
    services = {
      s = merge(run.fixture.shop, {
        namespace         = "0"
        replicas          = 0
        port              = 1
        node_port         = 30000
        probes            = { path = "/", liveness_initial_delay = 0, liveness_period = 1, readiness_initial_delay = 0, readiness_period = 1 }
        resources         = { requests = { cpu = "1m", memory = "1Mi" }, limits = { cpu = "1m", memory = "1Mi" } }
        image_pull_secret = ""
      })
    }
  }

  assert {
    condition     = kubernetes_deployment_v1.service["s"].spec[0].replicas == "0"
    error_message = "0 replicas must reach the Deployment as 0."
  }
}

run "every_upper_bound_is_accepted" {
  command = plan
  variables {
    services = {
      (join("", [for _ in range(63) : "z"])) = merge(run.fixture.shop, {
        namespace         = join("", [for _ in range(63) : "z"])
        replicas          = 100
        port              = 65535
        node_port         = 32767
        probes            = { path = "/health?full=1&from=probe", liveness_initial_delay = 100, liveness_period = 100, readiness_initial_delay = 100, readiness_period = 100 }
        resources         = { requests = { cpu = "64", memory = "7Ei" }, limits = { cpu = "64", memory = "7Ei" } }
        image_pull_secret = "registry.example.com"
      })
    }
  }

  assert {
    condition     = one(values(kubernetes_deployment_v1.service)).spec[0].replicas == "100"
    error_message = "100 replicas must reach the Deployment as 100."
  }
}

# Each pair is the same amount written in two ways, as request and as limit: refused if compared as text or inexactly.
run "equal_quantities_in_different_units_are_accepted" {
  command = plan
  variables {
    services = {
      for number, pair in [
        { request = { cpu = "1000m", memory = "67108864" }, limit = { cpu = "1", memory = "64Mi" } },
        { request = { cpu = "1", memory = "64Mi" }, limit = { cpu = "1000m", memory = "67108864" } },
        { request = { cpu = "100m", memory = "2000k" }, limit = { cpu = "0.1", memory = "2000000" } },
        { request = { cpu = "0.1", memory = "0.1G" }, limit = { cpu = "100m", memory = "100M" } },
        { request = { cpu = "0.063", memory = "0.505G" }, limit = { cpu = "63m", memory = "505M" } },
        { request = { cpu = "63m", memory = "505M" }, limit = { cpu = "0.063", memory = "0.505G" } },
        { request = { cpu = "0.333", memory = "1Gi" }, limit = { cpu = "333m", memory = "1024Mi" } },
        { request = { cpu = "2", memory = "1T" }, limit = { cpu = "2.0", memory = "1000G" } },
        { request = { cpu = "9m", memory = "1Ti" }, limit = { cpu = "10m", memory = "1024Gi" } },
        { request = { cpu = "900m", memory = "1P" }, limit = { cpu = "1", memory = "1000T" } },
        { request = { cpu = "1", memory = "1Pi" }, limit = { cpu = "1", memory = "1126T" } },
        { request = { cpu = "1", memory = "1E" }, limit = { cpu = "1", memory = "1Ei" } },
      ] : "pair-${number}" => merge(run.fixture.shop, { node_port = 30000 + number, resources = { requests = pair.request, limits = pair.limit } })
    }
  }

  assert {
    condition     = length(kubernetes_deployment_v1.service) == 12
    error_message = "Each of the twelve services must get a Deployment."
  }
}

run "every_usual_form_of_an_image_is_accepted" {
  command = plan
  variables {
    services = {
      for number, image in [
        "nginx:1.29",
        "localhost:5000/shop:latest",
        "ghcr.io/voloshko/shop:sha-0123abc",
        "ghcr.io/voloshko/my-shop_v2.api:V1.0_rc-1",
        "ghcr.io/voloshko/shop@sha256:${sha256("shop")}",
        "ghcr.io/voloshko/shop:1@sha256:${sha256("shop")}",
      ] : "image-${number}" => merge(run.fixture.shop, { node_port = 30000 + number, image = image })
    }
  }

  assert {
    condition     = kubernetes_deployment_v1.service["image-0"].spec[0].template[0].spec[0].container[0].image == "nginx:1.29"
    error_message = "A service without a manifest must be born with the image of its map entry."
  }
}

run "no_service_at_all_is_accepted" {
  command = plan
  variables { services = {} }

  assert {
    condition     = length(output.endpoints) == 0
    error_message = "No service must mean no endpoint."
  }
}

run "outputs_say_where_each_service_answers_and_how_large_it_is" {
  command = plan
  variables {
    services  = { shop = run.fixture.shop, cart = merge(run.fixture.shop, { node_port = 30802, replicas = 3 }) }
    node_host = "[2001:db8::1]"
  }

  assert {
    condition     = jsonencode(output.endpoints) == jsonencode({ cart = "http://[2001:db8::1]:30802", shop = "http://[2001:db8::1]:30801" })
    error_message = "endpoints must join node_host and each service's NodePort. Got: ${jsonencode(output.endpoints)}"
  }

  assert {
    condition     = jsonencode(output.sizing.cart) == jsonencode({ limits = { cpu = "210m", memory = "65Mi" }, replicas = 3, requests = { cpu = "60m", memory = "33Mi" } })
    error_message = "sizing must repeat replicas, requests and limits of the map entry. Got: ${jsonencode(output.sizing)}"
  }
}

run "terraform_tfvars_itself_is_accepted" {
  command = plan

  assert {
    condition     = output.endpoints["argo-rust"] == "http://${var.node_host}:30800"
    error_message = "The entry in terraform.tfvars must put argo-rust on NodePort 30800 of node_host."
  }
}
