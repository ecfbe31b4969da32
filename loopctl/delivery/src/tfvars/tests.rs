use fastrand::Rng;

use super::*;

/// Not the name of a service that a reader of this repository may have added.
const NEW: &str = "new-in-this-test";
const OURS: &str = include_str!("../../../../tofu/terraform.tfvars");

fn service(port: u16) -> Service {
    let mut service = Tfvars::parse(OURS).unwrap().services()[0].1.clone();
    service.node_port = port;
    service
}

/// An entry put in is the only difference, and taken out again leaves what was there before.
fn check(text: &str) {
    let before = Tfvars::parse(text).unwrap_or_else(|error| panic!("{error:#} in\n{text}"));
    let with = before.with(NEW, &service(30801)).unwrap_or_else(|error| panic!("{error:#} in\n{text}"));
    assert_eq!(with.service(NEW), Some(&service(30801)));
    keeps_every_other_byte(text, with.text());
    let without = with.without(NEW).unwrap_or_else(|error| panic!("{error:#} in\n{}", with.text()));
    assert_eq!(without.text(), text);
    for (name, _) in before.services() {
        let less = before.without(name).unwrap_or_else(|error| panic!("{error:#} in\n{text}"));
        keeps_every_other_byte(less.text(), text);
    }
    let host = before.with_node_host("node.example").unwrap_or_else(|error| panic!("{error:#} in\n{text}"));
    assert_eq!(host.node_host(), Some("node.example"));
    assert_eq!(host.with_node_host("node.example").unwrap().text(), host.text(), "a second time changes nothing");
    if before.node_host().is_none() {
        keeps_every_other_byte(text, host.text());
    }
}

/// `longer` is `shorter` with one piece put in somewhere.
fn keeps_every_other_byte(shorter: &str, longer: &str) {
    let front = shorter.bytes().zip(longer.bytes()).take_while(|(left, right)| left == right).count();
    let back = shorter.bytes().rev().zip(longer.bytes().rev()).take_while(|(left, right)| left == right).count();
    assert!(front + back >= shorter.len(), "more than one piece differs:\n{shorter}\n---\n{longer}");
}

#[test]
fn an_edit_of_our_own_file_keeps_every_other_byte() {
    check(OURS);
    check(&OURS.replace('\n', "\r\n"));
    check(OURS.trim_end());
}

#[test]
fn an_edit_keeps_layouts_that_people_write() {
    let entry = entry::write("a", &service(30802), "  ");
    let bare = entry.replacen("\"a\" =", "a :", 1);
    let inner = entry.trim().replace('\n', "\n  ");
    for text in [
        "services = {\n}\n".to_owned(),
        format!("services = {{\n{entry}}}"),
        format!("services = {{\n{bare}}}\n"),
        format!("services = {{\n  # above\n{entry}\n  # at the end\n}}\nkube_context = \"x\"\n"),
        format!("// first\nnode_host = \"h\" # why\nservices={{\n{}  }}", entry.replace("}\n", "},\n")),
        format!("\u{feff}services = {{\n{entry}}}\n"),
        format!("\u{feff}node_host = \"h\"\r\nservices = {{\r\n{}}}\r\n", entry.replace('\n', "\r\n")),
        format!("services = {{\n\n  /* a\n block */\n  {inner} # behind\n\n\n}}\n\n\n"),
    ] {
        check(&text);
    }
}

#[test]
fn a_map_on_one_line_gets_lines_and_keeps_what_it_had() {
    let entry = entry::write("a", &service(30802), "").replace('\n', " ");
    let compact = "a = { namespace = \"a\", replicas = 1, image = \"a:1\", port = 1, node_port = 30001, probes = { path = \"/\", \
                   liveness_initial_delay = 1, liveness_period = 1, readiness_initial_delay = 1, readiness_period = 1 }, \
                   resources = { requests = { cpu = \"1\", memory = \"1Gi\" }, limits = { cpu = \"1\", memory = \"1Gi\" } }, \
                   image_pull_secret = \"\" }";
    assert!(Tfvars::parse(&format!("services = {{ {entry} }}")).is_err(), "fields need commas or lines");
    for text in
        ["services = {}\n".to_owned(), format!("services = {{ {compact} }}\n"), format!("services = {{ {compact}, }}")]
    {
        let with = Tfvars::parse(&text).unwrap().with(NEW, &service(30801)).unwrap();
        keeps_every_other_byte(&text, with.text());
        assert_eq!(with.without(NEW).unwrap().services(), Tfvars::parse(&text).unwrap().services());
    }
    let both = format!("services = {{ {compact}, {} }}\n", compact.replacen('a', "b", 1));
    let less = Tfvars::parse(&both).unwrap().without("a").unwrap();
    assert_eq!(less.services().len(), 1);
    keeps_every_other_byte(less.text(), &both);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    let refused = |text: &str, part: &str| {
        let read = Tfvars::parse(text).and_then(|read| read.complete().map(|_| ()));
        let error = format!("{:#}", read.err().unwrap_or_else(|| panic!("accepted: {text}")));
        assert!(error.contains(part), "{error}\nshould contain {part}");
    };
    refused("services = [", "is not HCL");
    refused("node_host = \"a\"", "has no map `services");
    refused("services = file(\"a\")", "must be a map written out");
    refused("services = { \"a\" = { port = var.x } }", "services[\"a\"]: port: `var.x` is not a plain value");
    refused("services = { \"a\" = { namespace = \"a\" } }", "services[\"a\"]: missing field `replicas`");
    refused(&OURS.replace("replicas ", "replica "), "missing field `replicas`");
    refused(&OURS.replace("port      = 8080", "port = 80800"), "services[\"argo-rust\"]: invalid value");
}

/// Our own file, written in another way, means the same.
#[test]
fn what_tofu_reads_is_read_however_it_is_written() {
    let ours = Tfvars::parse(OURS).unwrap();
    let means_the_same = |text: &str| {
        let read = Tfvars::parse(text).unwrap_or_else(|error| panic!("{error:#} in\n{text}"));
        let services = read.complete().unwrap_or_else(|error| panic!("{error:#} in\n{text}"));
        assert_eq!(services, ours.services(), "{text}");
    };
    let replicas = ours.services()[0].1.replicas;
    let line = OURS.lines().find(|line| line.trim_start().starts_with("replicas")).expect("it has replicas");
    let written = |value: &str| OURS.replacen(line, &format!("    replicas = {value}"), 1);
    for value in [
        format!("\"{replicas}\""),
        format!("{replicas}.0"),
        format!("{replicas}e0"),
        format!("({replicas})"),
        format!("{replicas} + 0"),
        format!("{replicas} # // why\n    # a line"),
        format!("{replicas} /* a block */"),
        format!("{replicas}\n    owner = \"ann\"\n    computed = upper(\"x\")"),
    ] {
        means_the_same(&written(&value));
    }
    means_the_same(&format!("\u{feff}{OURS}"));
    means_the_same(&OURS.replace('\n', "\r\n"));
    means_the_same(&format!("\u{feff}{}", OURS.replace('\n', "\r\n")));
    means_the_same(&format!("motd = <<EOT\nservices = {{\nEOT\nother = [1, {{ a = 2 }}]\n{OURS}"));
    means_the_same(&format!("indented = <<-EOT\n  text\n  EOT\n{OURS}flag = true\n"));
    means_the_same(&OURS.replacen("namespace =", "\"namespace\" =", 1));
    means_the_same(&OURS.replacen("namespace =", "namespace :", 1));
}

#[test]
fn a_line_that_is_not_understood_stops_only_who_needs_it() {
    let entry = |name: &str| entry::write(name, &service(30802), "  ");
    let broken = entry("b").replacen("replicas  = 1", "replicas  = max(1, 2)", 1);
    assert!(broken.contains("max"), "{broken}");
    let text = format!("services = {{\n{}{broken}}}\nnode_host = \"h\"\n", entry("a"));
    let read = Tfvars::parse(&text).unwrap();
    assert_eq!((read.services().len(), read.node_host()), (1, Some("h")));
    let error = read.complete().expect_err("b is not understood").to_string();
    let line = text[..text.find("\"b\"").expect("it is there")].matches('\n').count() + 1;
    assert!(error.starts_with(&format!("{FILE}, line {line}: services[\"b\"]: replicas: ")), "{error}");
    // Another entry comes and goes, and the line stays as it is.
    let with = read.with(NEW, &service(30801)).unwrap();
    keeps_every_other_byte(&text, with.text());
    assert_eq!(with.without(NEW).unwrap().text(), text);
    assert!(read.with("b", &service(30803)).is_err(), "a name that is there is there, understood or not");
    assert_eq!(read.without("b").unwrap().unread(), []);
    for (services, why) in [
        ("services = file(\"a\")", "line 1: services must be a map"),
        ("\nservices = null", "line 2: services must be a map"),
        ("services = {\n  (\"a\") = {}\n}", "line 2: "),
    ] {
        let read = Tfvars::parse(&format!("{services}\nnode_host = \"h\"\n")).unwrap();
        assert_eq!(read.node_host(), Some("h"));
        assert!(read.complete().expect_err(services).to_string().contains(why), "{:?}", read.unread());
    }
    let twice = Tfvars::parse(&format!("services = {{\n{0}{0}}}\n", entry("a"))).err();
    assert!(twice.expect("it is there twice").to_string().contains("line 21"), "the line is named");
}

#[test]
fn a_name_is_put_in_only_once_and_only_what_is_there_is_taken_out() {
    let ours = Tfvars::parse(OURS).unwrap();
    let name = ours.services()[0].0.clone();
    assert!(ours.with(&name, &service(1)).is_err());
    assert!(ours.without("nobody").is_err());
}

fn printable(random: &mut Rng, longest: usize) -> String {
    (0..random.usize(..=longest)).map(|_| random.char(' '..='~')).collect()
}

/// Up to two lines that say nothing to OpenTofu.
fn fillers(random: &mut Rng) -> Vec<String> {
    let filler = |random: &mut Rng| match random.u8(..5) {
        0 => String::new(),
        1 => "   ".to_owned(),
        2 => format!("{}# {}", " ".repeat(random.usize(..5)), printable(random, 20)),
        3 => format!("{}// {}", " ".repeat(random.usize(..5)), printable(random, 20)),
        _ => "  /* over\n two lines */".to_owned(),
    };
    (0..random.u8(..3)).map(|_| filler(random)).collect()
}

/// Comments, blank lines and entries in any order, as lines.
fn any_file(random: &mut Rng) -> String {
    let mut lines = fillers(random);
    lines.push("services = {".to_owned());
    for number in 0..random.u8(..4) {
        lines.extend(fillers(random));
        let (name, indent) = (format!("s{number}"), " ".repeat(random.usize(..5)));
        let mut entry = entry::write(&name, &service(30900), &indent).trim_end().to_owned();
        if random.bool() {
            entry = entry.replacen(&format!("\"{name}\""), &name, 1);
        }
        if random.bool() {
            entry.push(',');
        }
        if random.bool() {
            entry += &format!("  # {}", printable(random, 12));
        }
        lines.push(entry);
    }
    lines.extend(fillers(random));
    lines.push("}".to_owned());
    lines.extend(fillers(random));
    let text = lines.join("\n") + "\n";
    if random.bool() { text.replace('\n', "\r\n") } else { text }
}

#[test]
fn an_edit_of_any_file_keeps_every_other_byte() {
    for seed in 0..256 {
        check(&any_file(&mut Rng::with_seed(seed)));
    }
}
