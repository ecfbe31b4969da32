//! The board in a cluster: an account that may read and nothing else, a Deployment, and a Service that no node port leads
//! to.

use delivery::coordinates::Coordinates;

pub struct Wanted<'a> {
    pub image: &'a str,
    /// Name and key of the Secret with GitHub's token; none where GitHub is told nothing.
    pub token: Option<(&'a str, &'a str)>,
}

/// In the order in which they are applied.
pub fn manifests(names: &Coordinates, wanted: &Wanted) -> String {
    let text = include_str!("../assets/board.manifests");
    let (volume, mount, argument) = match wanted.token {
        Some((secret, key)) => (
            format!(
                "\n        - name: token\n          secret:\n            secretName: {secret}\n            items: [{{key: {key}, path: token}}]"
            ),
            "\n            - name: token\n              mountPath: /token\n              readOnly: true".to_owned(),
            "\n            - --github-token-file=/token/token".to_owned(),
        ),
        None => Default::default(),
    };
    [
        ("namespace", names.namespace.as_str()),
        ("argocd", &names.application_namespace),
        ("application", &names.application),
        ("project", &names.project),
        ("service", &names.service),
        ("repository", &names.repository),
        ("image", wanted.image),
        ("volume", &volume),
        ("mount", &mount),
        ("argument", &argument),
    ]
    .iter()
    .fold(text.to_owned(), |text, (word, value)| text.replace(&format!("$({word})"), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_may_read_and_no_secret_is_among_it() {
        let names = Coordinates {
            namespace: "shop".into(),
            application_namespace: "argocd".into(),
            application: "shop".into(),
            project: "shop".into(),
            service: "shop".into(),
            repository: "https://github.com/acme/shop.git".into(),
            ..Coordinates::default()
        };
        let text = manifests(&names, &Wanted { image: "ghcr.io/acme/loopctl:1", token: Some(("github", "token")) });
        // What the kubelet puts in is left to it.
        assert!(!text.replace("$(POD_IP)", "").contains("$("), "a word is left:\n{text}");
        let verbs: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("verbs: ")).collect();
        assert!(verbs.len() > 3 && verbs.iter().all(|verbs| *verbs == "[get, list, watch]"), "{verbs:?}");
        assert!(!text.contains("resources: [secrets") && !text.contains("NodePort"), "{text}");
        insta::assert_snapshot!("manifests", text);
    }
}
