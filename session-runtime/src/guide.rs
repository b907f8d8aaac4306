#![doc = include_str!("docs/links.md")]
#![doc = include_str!("../docs/README.md")]

/// Makes a page of the guide from its file.
///
/// `links.md` stands before it: of two definitions of a link the first one counts, so that the names of pages lead to
/// modules here, and to files where the page is read as a file.
macro_rules! pages {
    ($($name:ident = $file:literal;)+) => {$(
        #[doc = include_str!("docs/links.md")]
        #[doc = include_str!(concat!("../docs/", $file))]
        pub mod $name {}
    )+};
}

pages! {
    tutorial = "tutorial.md";
    testing = "testing.md";
    deploying = "deploying.md";
    operating = "operating.md";
    admin = "admin.md";
    data = "data.md";
    redis = "redis.md";
    users = "users.md";
    people = "people.md";
    live = "live.md";
    sign_on = "sign-on.md";
    device_bound = "device-bound.md";
    frameworks = "frameworks.md";
    openapi = "openapi.md";
    reference = "reference.md";
    observability = "observability.md";
    errors = "errors.md";
    tokens = "tokens.md";
    concurrency = "concurrency.md";
    security_model = "security-model.md";
    security = "security.md";
    comparison = "comparison.md";
    migrating = "migrating.md";
    faq = "faq.md";
}
