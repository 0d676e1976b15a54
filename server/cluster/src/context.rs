//! Names of contexts, and which of them are protected.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// A context of a kubeconfig: the files it was read from, in order, and its name.
///
/// The name alone is not enough: two kubeconfig lists may both call something `admin`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextKey {
    /// The kubeconfig files, in the order in which they are merged.
    pub kubeconfig: Arc<[PathBuf]>,
    /// The name of the context.
    pub name: Arc<str>,
}

impl ContextKey {
    /// The context `name` of these kubeconfig files.
    pub fn new(kubeconfig: impl Into<Arc<[PathBuf]>>, name: impl Into<Arc<str>>) -> Self {
        Self { kubeconfig: kubeconfig.into(), name: name.into() }
    }
}

impl fmt::Display for ContextKey {
    /// The name, as people know it. Show the files beside it where two contexts share a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The patterns of contexts on which every action asks, unless the user's own file says otherwise.
pub const PROTECTED_BY_DEFAULT: [&str; 3] = ["*prod*", "*prd*", "*live*"];

/// Whether `name` fits one of the `globs`, without regard to case.
///
/// A glob knows `*` (any text, also none) and `?` (one character); everything else is itself. Case is ignored
/// because `EU-Prod` is no less a production cluster than `eu-prod`.
pub fn is_protected<'a>(name: &str, globs: impl IntoIterator<Item = &'a str>) -> bool {
    globs.into_iter().any(|glob| glob_matches(glob, name))
}

fn glob_matches(glob: &str, text: &str) -> bool {
    let glob: Vec<char> = glob.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    // The last `*` seen and where the text stood then: on a mismatch the star takes one character more.
    let (mut g, mut t, mut star) = (0, 0, None::<(usize, usize)>);
    while t < text.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, t));
                g += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                g += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    g = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protected_contexts() {
        let check = |name: &str, expected: bool| {
            assert_eq!(is_protected(name, PROTECTED_BY_DEFAULT), expected, "{name}");
        };
        check("prod", true);
        check("gke_shop_europe-west1_PROD-eu", true);
        check("prd", true);
        check("admin@live-2", true);
        check("production", true);
        check("staging", false);
        check("kind-dev", false);
        check("", false);
    }

    #[test]
    fn globs() {
        let check = |glob: &str, name: &str, expected: bool| {
            assert_eq!(glob_matches(glob, name), expected, "{glob} {name}");
        };
        check("*", "", true);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-b-b-d", false);
        check("p?d", "prd", true);
        check("p?d", "pd", false);
        check("ä*", "Ä1", true);
        check("", "x", false);
    }
}
