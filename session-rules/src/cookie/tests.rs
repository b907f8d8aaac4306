use super::*;

fn broken(change: impl FnOnce(&mut Cookie)) -> Vec<&'static str> {
    let mut cookie = Cookie::for_type("User");
    change(&mut cookie);
    cookie.violations().iter().map(|v| v.option).collect()
}

#[test]
fn the_name_comes_from_the_type() {
    for (name, cookie) in [
        ("User", "__Host-user"),
        ("ShoppingCart", "__Host-shopping-cart"),
        ("HTTPUser2", "__Host-http-user2"),
        ("_", "__Host-session"),
    ] {
        assert_eq!(Cookie::for_type(name).name, cookie);
        assert!(Cookie::for_type(name).violations().is_empty());
    }
}

#[test]
fn each_rule_names_the_option_that_breaks_it() {
    assert_eq!(broken(|c| c.name = "a b".into()), ["name"]);
    assert_eq!(broken(|c| c.name = String::new()), ["name"]);
    assert_eq!(broken(|c| c.domain = Some("example.org".into())), ["domain"]);
    assert_eq!(broken(|c| c.path = "/app".into()), ["path"]);
    assert_eq!(broken(|c| c.secure = false), ["secure"]);
    assert_eq!(broken(|c| (c.name, c.secure) = ("__secure-x".into(), false)), ["secure"]);
    assert_eq!(broken(|c| (c.name, c.secure, c.same_site) = ("x".into(), false, SameSite::None)), ["same_site"]);
    assert_eq!(broken(|c| (c.name, c.secure, c.partitioned) = ("x".into(), false, true)), ["partitioned"]);
    assert_eq!(broken(|c| (c.name, c.domain) = ("x".into(), Some("https://example.org".into()))), ["domain"]);
    assert_eq!(broken(|c| (c.name, c.path) = ("x".into(), "app".into())), ["path"]);
    assert_eq!(broken(|c| (c.name, c.path) = ("x".into(), "/;x".into())), ["path"]);
}

#[test]
fn what_the_cookie_had_before_is_another_domain_or_path() {
    let former = |change: fn(&mut Cookie)| {
        let mut cookie = Cookie::for_type("User");
        (cookie.name, cookie.domain) = ("user".into(), Some("example.org".into()));
        change(&mut cookie);
        assert_eq!(cookie.violations(), []);
        let former = cookie.former();
        former.iter().map(|c| (c.domain.clone().unwrap_or_default(), c.path.clone())).collect::<Vec<_>>()
    };
    let pairs = |list: &[(&str, &str)]| list.iter().map(|(d, p)| ((*d).into(), (*p).into())).collect::<Vec<_>>();
    assert_eq!(former(|_| ()), []);
    assert_eq!(former(|c| c.former_domain = Some(String::new())), pairs(&[("", "/")]), "it had none");
    assert_eq!(former(|c| c.former_path = Some("/a".into())), pairs(&[("example.org", "/a")]));
    let both = former(|c| (c.former_domain, c.former_path) = (Some("www.example.org".into()), Some("/a".into())));
    assert_eq!(both, pairs(&[("example.org", "/a"), ("www.example.org", "/"), ("www.example.org", "/a")]));
    assert_eq!(broken(|c| c.former_path = Some("/a".into())), ["former_path"], "__Host- allows no other");
    assert_eq!(broken(|c| (c.name, c.former_path) = ("u".into(), Some("/".into()))), ["former_path"]);
    assert_eq!(broken(|c| (c.name, c.former_path) = ("u".into(), Some("a".into()))), ["former_path"]);
    assert_eq!(broken(|c| (c.name, c.former_domain) = ("u".into(), Some(String::new()))), ["former_domain"]);
    assert_eq!(broken(|c| (c.name, c.former_domain) = ("u".into(), Some("a:1".into()))), ["former_domain"]);
    let dotted = broken(|c| {
        (c.name, c.domain, c.former_domain) = ("u".into(), Some("a.example".into()), Some(".A.example".into()));
    });
    assert_eq!(dotted, ["former_domain"], "browsers take it for the same cookie");
}

#[test]
fn every_broken_rule_is_reported_at_once() {
    let all = broken(|c| {
        (c.domain, c.path, c.secure, c.same_site) = (Some("a".into()), "/x".into(), false, SameSite::None);
    });
    assert_eq!(all, ["domain", "path", "secure", "same_site"]);
}
