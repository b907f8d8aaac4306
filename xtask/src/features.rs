//! The cargo features that a manifest declares.

/// The names in a manifest's `[features]` table, `default` aside.
pub(crate) fn features(manifest: &str) -> impl Iterator<Item = &str> {
    let table = manifest.lines().skip_while(|line| line.trim() != "[features]").skip(1);
    let table = table.take_while(|line| !line.starts_with('['));
    let names = table.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().trim_matches('"'));
    names.filter(|name| !name.starts_with('#') && *name != "default")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_features_are_those_of_their_table_without_comments_and_default() {
        let manifest = "\
[package]
name = \"x\"

[features]
default = [\"redis\"]
## Sessions in Redis: `backend = redis(url = …)`.
redis = [\"dep:redis\"]
\"file\" = []

[dependencies]
redis = { version = \"1\", optional = true }
";
        assert_eq!(features(manifest).collect::<Vec<_>>(), ["redis", "file"]);
    }

    #[test]
    fn a_manifest_without_features_has_none() {
        assert_eq!(features("[package]\nname = \"x\"\n").count(), 0);
    }
}
