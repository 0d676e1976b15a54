//! What a chart's `.helmignore` keeps out of its package, as source-controller 1.9 reads it
//! (`internal/helm/chart/secureloader/ignore`): Go's `filepath.Match`, on the whole path where the rule has a `/`, else on the
//! name. A rule with `!` keeps out all that it does *not* match.

use crate::copies::segment;

/// The rules of one file.
pub(crate) struct HelmIgnore(Vec<Rule>);

struct Rule {
    negated: bool,
    /// It is about folders only.
    folder: bool,
    pattern: String,
    /// The whole path has to match, not the name alone.
    whole: bool,
}

impl HelmIgnore {
    /// Reads a file; empty where there is none. With `**` in it no chart is packaged: then it says nothing here.
    pub(crate) fn new(text: &str) -> HelmIgnore {
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
        let told: Vec<&str> = lines.filter(|it| !it.is_empty() && !it.starts_with('#')).collect();
        let told = if told.iter().any(|it| it.contains("**")) { Vec::new() } else { told };
        HelmIgnore(told.into_iter().chain(["templates/.?*"]).map(Rule::new).collect())
    }

    /// Whether a path within the chart is kept out.
    pub(crate) fn keeps_out(&self, path: &str, is_folder: bool) -> bool {
        for rule in &self.0 {
            let about_others = rule.folder && !is_folder;
            match (rule.negated, !about_others && rule.matches(path)) {
                (true, true) | (false, false) => {}
                (true, false) | (false, true) => return true,
            }
        }
        false
    }
}

impl Rule {
    fn new(line: &str) -> Rule {
        let (negated, line) = line.strip_prefix('!').map_or((false, line), |it| (true, it));
        let (folder, line) = line.strip_suffix('/').map_or((false, line), |it| (true, it));
        Rule { negated, folder, whole: line.contains('/'), pattern: line.trim_start_matches('/').to_owned() }
    }

    fn matches(&self, path: &str) -> bool {
        if !self.whole {
            return segment(&self.pattern, path.rsplit('/').next().unwrap_or_default());
        }
        self.pattern.split('/').count() == path.split('/').count()
            && self.pattern.split('/').zip(path.split('/')).all(|(pattern, name)| segment(pattern, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(rules: &str, out: &[&str], in_it: &[&str]) {
        let ignore = HelmIgnore::new(rules);
        let keeps_out = |path: &&str| ignore.keeps_out(path.trim_end_matches('/'), path.ends_with('/'));
        assert_eq!(out.iter().filter(|it| !keeps_out(it)).collect::<Vec<_>>(), [] as [&&str; 0], "{rules}");
        assert_eq!(in_it.iter().filter(|it| keeps_out(it)).collect::<Vec<_>>(), [] as [&&str; 0], "{rules}");
    }

    #[test]
    fn rules_as_helm_reads_them() {
        check("", &["templates/.draft.yaml"], &["templates/a.yaml", ".hidden", "templates/b/.c"]);
        check("# notes\n*.md\n", &["README.md", "docs/a.md"], &["# notes", "a.mdx"]);
        check("/ci\ndocs/*.txt\n", &["ci", "docs/a.txt"], &["x/ci", "docs/b/a.txt", "x/docs/a.txt"]);
        check("ci/\n", &["ci/", "x/ci/"], &["ci"]);
        check("!values.yaml\n", &["Chart.yaml", "ci/"], &["values.yaml"]);
        check("**/x\n*.md\n", &[], &["a/x", "README.md"]);
    }
}
