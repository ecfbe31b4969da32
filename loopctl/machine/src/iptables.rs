//! Finds and removes what kube-proxy leaves behind in iptables: `kube-proxy --cleanup` forgets some.

use std::process::Command;

use anyhow::Result;

use super::shell;

/// kube-proxy writes rules for both families, whichever the cluster uses.
const FAMILIES: [&str; 2] = ["iptables", "ip6tables"];
const TABLES: [&str; 3] = ["filter", "nat", "mangle"];

/// The chains of Kubernetes on this machine, each as `family table chain`.
pub fn kubernetes_chains() -> Vec<String> {
    let mut chains = Vec::new();
    for family in FAMILIES {
        for table in TABLES {
            chains.extend(chains_of(&save(family, table)).iter().map(|chain| format!("{family} {table} {chain}")));
        }
    }
    chains
}

/// Removes every rule that carries the comment, also those that an older loopctl wrote in other words.
pub fn remove_rules_with(comment: &str) -> Result<()> {
    for table in TABLES {
        let saved = save("iptables", table);
        let rules = deletions(&saved, comment);
        if !rules.is_empty() {
            let text = format!("*{table}\n{}\nCOMMIT\n", rules.join("\n"));
            shell::run_with_input(Command::new("iptables-restore").args(["--wait", "--noflush"]), &text)?;
        }
    }
    Ok(())
}

fn deletions(saved: &str, comment: &str) -> Vec<String> {
    let marks = [format!("--comment {comment} "), format!("--comment \"{comment}\" ")];
    let rules = saved.lines().filter_map(|line| line.strip_prefix("-A "));
    rules.filter(|rule| marks.iter().any(|mark| rule.contains(mark))).map(|rule| format!("-D {rule}")).collect()
}

/// Removes the chains of Kubernetes and the rules that lead to them, except those that `kept` names.
pub fn remove_kubernetes_chains(kept: &[String]) -> Result<()> {
    for family in FAMILIES {
        for table in TABLES {
            let saved = save(family, table);
            let chains: Vec<&str> = chains_of(&saved)
                .into_iter()
                .filter(|chain| !kept.contains(&format!("{family} {table} {chain}")))
                .collect();
            if !chains.is_empty() {
                let restore = format!("{family}-restore");
                let arguments = ["--wait", "--noflush"];
                shell::run_with_input(Command::new(restore).args(arguments), &removal(table, &saved, &chains))?;
            }
        }
    }
    Ok(())
}

/// A machine without one of the families has no rules there, and none are to be removed.
fn save(family: &str, table: &str) -> String {
    shell::run(Command::new(format!("{family}-save")).args(["-t", table])).unwrap_or_default()
}

fn chains_of(saved: &str) -> Vec<&str> {
    let names = saved.lines().filter_map(|line| line.strip_prefix(':')?.split(' ').next());
    names.filter(|name| name.starts_with("KUBE-")).collect()
}

/// All in one transaction: first the rules that lead in, then what is in the chains, then the chains.
fn removal(table: &str, saved: &str, chains: &[&str]) -> String {
    let mut lines = vec![format!("*{table}")];
    for rule in saved.lines().filter_map(|line| line.strip_prefix("-A ")) {
        let mut words = rule.split(' ');
        let from = words.next().unwrap_or_default();
        let leads_in = words.any(|word| chains.contains(&word));
        if leads_in && !chains.contains(&from) {
            lines.push(format!("-D {rule}"));
        }
    }
    lines.extend(chains.iter().map(|chain| format!("-F {chain}")));
    lines.extend(chains.iter().map(|chain| format!("-X {chain}")));
    lines.push("COMMIT\n".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_known_by_their_whole_comment() {
        let saved = "-A FORWARD -i argo-rust0 -m comment --comment argo-rust-loop -j ACCEPT\n\
                     -A FORWARD -m comment --comment argo-rust-loop-of-another -j ACCEPT\n\
                     -A FORWARD -m comment --comment other -j ACCEPT\n";
        let expected = "-D FORWARD -i argo-rust0 -m comment --comment argo-rust-loop -j ACCEPT";
        assert_eq!(deletions(saved, "argo-rust-loop"), [expected]);
    }

    #[test]
    fn rules_that_lead_to_a_chain_go_before_the_chain() {
        let saved = "*filter\n:INPUT ACCEPT [0:0]\n:KUBE-FIREWALL - [0:0]\n:KUBE-OTHER - [0:0]\n:CNI-1 - [0:0]\n\
                     -A INPUT -j KUBE-FIREWALL\n-A INPUT -j CNI-1\n-A KUBE-OTHER -j KUBE-FIREWALL\nCOMMIT\n";
        assert_eq!(chains_of(saved), ["KUBE-FIREWALL", "KUBE-OTHER"]);
        assert_eq!(
            removal("filter", saved, &["KUBE-FIREWALL", "KUBE-OTHER"]),
            "*filter\n-D INPUT -j KUBE-FIREWALL\n-F KUBE-FIREWALL\n-F KUBE-OTHER\n-X KUBE-FIREWALL\n-X KUBE-OTHER\nCOMMIT\n"
        );
    }
}
