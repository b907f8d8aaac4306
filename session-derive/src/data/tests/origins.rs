//! `trusted_origins` and `public_origin`.

use super::*;

#[test]
fn a_public_origin_is_an_origin() {
    assert_refused(&refused!(public_origin = "https://app.example"), &[]);
    assert_refused(&refused!(public_origin = env("PUBLIC_ORIGIN")), &[]);
    assert_refused(&refused!(public_origin = "app.example"), &["with its scheme"]);
    assert_refused(&refused!(public_origin = env("A", default = "https://a.example/")), &["an origin has no path"]);
    assert_refused(&refused!(public_origin = ["https://a.example"]), &["`public_origin` takes a string"]);
    assert_refused(
        &refused!(transport = bearer, public_origin = "https://a.example"),
        &["`public_origin` has no effect; remove it"],
    );
}

#[test]
fn trusted_origins_are_origins() {
    assert_refused(&refused!(trusted_origins = ["https://a.example", "http://localhost:3000"]), &[]);
    assert_refused(&refused!(trusted_origins = "https://a.example"), &[]);
    assert_refused(&refused!(trusted_origins = env("TRUSTED")), &[]);
    assert_refused(
        &refused!(trusted_origins = [env("A"), env("B", default = "https://a.example,https://b.example")]),
        &[],
    );
    assert_refused(&refused!(trusted_origins = []), &[]);
    assert_refused(
        &refused!(trusted_origins = ["a.example", "https://b.example/", "*", "null", ""]),
        &[
            "with its scheme",
            "write \"https://b.example\"",
            "one for each host",
            "every hidden origin",
            "with its scheme",
        ],
    );
    assert_refused(&refused!(trusted_origins = env("A", default = "a.example")), &["with its scheme"]);
    assert_refused(&refused!(trusted_origins = ["https://a.example,https://b.example"]), &["is not an origin"]);
    assert_refused(&refused!(trusted_origins), &["`trusted_origins` takes origins in brackets"]);
    assert_refused(&refused!(trusted_origins = [5]), &["`trusted_origins` takes origins in brackets"]);
    assert_refused(&refused!(trusted_origins("https://a.example")), &["`trusted_origins` takes origins in brackets"]);
}
