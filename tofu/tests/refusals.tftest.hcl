# Each bad entry is refused before the cluster is asked anything. `services.good` is what each run spoils in one place;
# accepted.tftest.hcl shows that it, and what lies just inside each bound, passes.

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

run "a_name_with_an_upper_case_letter_is_refused" {
  command = plan
  variables { services = { Shop = run.fixture.shop } }
  expect_failures = [var.services]
}

run "a_name_that_starts_with_a_digit_is_refused" {
  command = plan
  variables { services = { "1shop" = run.fixture.shop } }
  expect_failures = [var.services]
}

run "a_name_of_64_characters_is_refused" {
  command = plan
  variables { services = { (join("", [for _ in range(64) : "a"])) = run.fixture.shop } }
  expect_failures = [var.services]
}

run "a_namespace_with_a_dot_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { namespace = "my.shop" }) } }
  expect_failures = [var.services]
}

run "a_namespace_that_ends_in_a_hyphen_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { namespace = "shop-" }) } }
  expect_failures = [var.services]
}

run "an_empty_namespace_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { namespace = "" }) } }
  expect_failures = [var.services]
}

run "the_cluster_s_own_namespace_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { namespace = "kube-system" }) } }
  expect_failures = [var.services]
}

run "the_default_namespace_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { namespace = "default" }) } }
  expect_failures = [var.services]
}

run "negative_replicas_are_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { replicas = -1 }) } }
  expect_failures = [var.services]
}

run "half_a_replica_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { replicas = 1.5 }) } }
  expect_failures = [var.services]
}

run "more_than_100_replicas_are_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { replicas = 101 }) } }
  expect_failures = [var.services]
}

run "replicas_left_null_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { replicas = null }) } }
  expect_failures = [var.services]
}

run "an_image_without_a_tag_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { image = "ghcr.io/voloshko/shop" }) } }
  expect_failures = [var.services]
}

run "a_registry_port_taken_for_a_tag_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { image = "localhost:5000/shop" }) } }
  expect_failures = [var.services]
}

run "an_image_with_an_empty_tag_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { image = "ghcr.io/voloshko/shop:" }) } }
  expect_failures = [var.services]
}

run "an_image_in_upper_case_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { image = "ghcr.io/Voloshko/shop:sha-0123abc" }) } }
  expect_failures = [var.services]
}

run "an_image_with_a_cut_digest_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { image = "ghcr.io/voloshko/shop@sha256:0123abc" }) } }
  expect_failures = [var.services]
}

run "port_0_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { port = 0 }) } }
  expect_failures = [var.services]
}

run "port_65536_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { port = 65536 }) } }
  expect_failures = [var.services]
}

run "a_fractional_port_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { port = 8080.5 }) } }
  expect_failures = [var.services]
}

run "node_port_29999_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { node_port = 29999 }) } }
  expect_failures = [var.services]
}

run "node_port_32768_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { node_port = 32768 }) } }
  expect_failures = [var.services]
}

run "a_fractional_node_port_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { node_port = 30801.5 }) } }
  expect_failures = [var.services]
}

run "a_node_port_taken_twice_is_refused" {
  command = plan
  variables { services = { shop = run.fixture.shop, cart = run.fixture.shop } }
  expect_failures = [var.services]
}

run "a_probe_path_without_a_slash_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { probes = merge(run.fixture.shop.probes, { path = "hello" }) }) } }
  expect_failures = [var.services]
}

run "a_probe_path_with_a_space_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { probes = merge(run.fixture.shop.probes, { path = "/hello world" }) }) } }
  expect_failures = [var.services]
}

run "an_empty_probe_path_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { probes = merge(run.fixture.shop.probes, { path = "" }) }) } }
  expect_failures = [var.services]
}

run "a_probe_left_null_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { probes = null }) } }
  expect_failures = [var.services]
}

run "a_negative_liveness_delay_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { probes = merge(run.fixture.shop.probes, { liveness_initial_delay = -1 }) }) } }
  expect_failures = [var.services]
}

run "a_negative_readiness_delay_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { probes = merge(run.fixture.shop.probes, { readiness_initial_delay = -1 }) }) } }
  expect_failures = [var.services]
}

run "a_readiness_delay_past_the_rollout_s_deadline_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { probes = merge(run.fixture.shop.probes, { readiness_initial_delay = 120 }) }) } }
  expect_failures = [var.services]
}

run "a_fractional_delay_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { probes = merge(run.fixture.shop.probes, { liveness_initial_delay = 0.5 }) }) } }
  expect_failures = [var.services]
}

run "a_liveness_period_of_0_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { probes = merge(run.fixture.shop.probes, { liveness_period = 0 }) }) } }
  expect_failures = [var.services]
}

run "a_readiness_period_of_0_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { probes = merge(run.fixture.shop.probes, { readiness_period = 0 }) }) } }
  expect_failures = [var.services]
}

run "a_fractional_period_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { probes = merge(run.fixture.shop.probes, { readiness_period = 1.5 }) }) } }
  expect_failures = [var.services]
}

run "a_cpu_suffix_that_does_not_exist_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "50c", memory = "32Mi" }, limits = { cpu = "200m", memory = "64Mi" } } }) } }
  expect_failures = [var.services]
}

run "cpu_with_a_memory_suffix_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "50m", memory = "32Mi" }, limits = { cpu = "1Gi", memory = "64Mi" } } }) } }
  expect_failures = [var.services]
}

run "less_than_a_thousandth_of_a_core_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "0.0001", memory = "32Mi" }, limits = { cpu = "200m", memory = "64Mi" } } }) } }
  expect_failures = [var.services]
}

run "half_a_millicore_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "0.5m", memory = "32Mi" }, limits = { cpu = "200m", memory = "64Mi" } } }) } }
  expect_failures = [var.services]
}

run "no_cpu_at_all_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "0m", memory = "32Mi" }, limits = { cpu = "200m", memory = "64Mi" } } }) } }
  expect_failures = [var.services]
}

run "negative_cpu_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "-50m", memory = "32Mi" }, limits = { cpu = "200m", memory = "64Mi" } } }) } }
  expect_failures = [var.services]
}

run "resources_left_null_are_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = null }) } }
  expect_failures = [var.services]
}

run "a_memory_suffix_that_does_not_exist_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "50m", memory = "32Mi" }, limits = { cpu = "200m", memory = "64MB" } } }) } }
  expect_failures = [var.services]
}

run "a_memory_suffix_in_lower_case_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "50m", memory = "32Mi" }, limits = { cpu = "200m", memory = "64mi" } } }) } }
  expect_failures = [var.services]
}

run "memory_in_thousandths_of_a_byte_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "50m", memory = "32000000000m" }, limits = { cpu = "200m", memory = "64Mi" } } }) } }
  expect_failures = [var.services]
}

run "memory_with_a_space_before_its_suffix_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "50m", memory = "32Mi" }, limits = { cpu = "200m", memory = "64 Mi" } } }) } }
  expect_failures = [var.services]
}

run "a_forgotten_memory_suffix_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "50m", memory = "32" }, limits = { cpu = "200m", memory = "64Mi" } } }) } }
  expect_failures = [var.services]
}

run "a_cpu_request_above_its_limit_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "201m", memory = "32Mi" }, limits = { cpu = "200m", memory = "64Mi" } } }) } }
  expect_failures = [var.services]
}

run "a_cpu_request_in_cores_above_a_limit_in_millicores_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "1", memory = "32Mi" }, limits = { cpu = "999m", memory = "64Mi" } } }) } }
  expect_failures = [var.services]
}

run "a_memory_request_above_its_limit_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "50m", memory = "65Mi" }, limits = { cpu = "200m", memory = "64Mi" } } }) } }
  expect_failures = [var.services]
}

run "a_request_of_64Mi_under_a_limit_of_64M_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "50m", memory = "64Mi" }, limits = { cpu = "200m", memory = "64M" } } }) } }
  expect_failures = [var.services]
}

run "a_request_one_byte_above_its_limit_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "50m", memory = "67108865" }, limits = { cpu = "200m", memory = "64Mi" } } }) } }
  expect_failures = [var.services]
}

run "a_request_in_Pi_under_a_limit_in_T_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { resources = { requests = { cpu = "50m", memory = "1Pi" }, limits = { cpu = "200m", memory = "1125T" } } }) } }
  expect_failures = [var.services]
}

run "a_pull_secret_in_upper_case_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { image_pull_secret = "GHCR" }) } }
  expect_failures = [var.services]
}

run "a_pull_secret_left_null_is_refused" {
  command = plan
  variables { services = { shop = merge(run.fixture.shop, { image_pull_secret = null }) } }
  expect_failures = [var.services]
}

run "a_node_host_with_a_scheme_is_refused" {
  command = plan
  variables { node_host = "http://node.example" }
  expect_failures = [var.node_host]
}

run "a_node_host_with_a_port_is_refused" {
  command = plan
  variables { node_host = "node.example:30800" }
  expect_failures = [var.node_host]
}
