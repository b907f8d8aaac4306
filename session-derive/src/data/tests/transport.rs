//! `transport`, and the options of cookies.

use super::*;

#[test]
fn a_transport_is_one_that_exists() {
    assert_refused(&refused!(transport = bearer), &[]);
    assert_refused(&refused!(transport = [header("x-session"), cookie], cookie(persistent)), &[]);
    assert_refused(&refused!(transport = [cookie]), &[]);
    assert_refused(&refused!(transport = cookies), &["did you mean `cookie`?"]);
    assert_refused(&refused!(transport = query), &["expected `cookie`, `bearer` or `header`"]);
    assert_refused(&refused!(transport), &["`transport` takes `cookie`, `bearer`"]);
    assert_refused(&refused!(transport = "cookie"), &["`transport` takes `cookie`, `bearer`"]);
    assert_refused(&refused!(transport = env("TRANSPORT")), &["unknown transport `env`"]);
    assert_refused(&refused!(transport = (bearer, cookie)), &["write `transport = [bearer, cookie]`"]);
    assert_refused(&refused!(transport = []), &["write `transport = cookie`"]);
    assert_refused(&refused!(transport = [bearer cookie]), &["expected a comma"]);
    assert_refused(&refused!(transport = [bearer, cookie, bearer]), &["named twice"]);
    assert_refused(&refused!(transport = [header("a"), header("A")]), &["named twice"]);
    assert_refused(&refused!(transport = header), &["write `header(\"x-session\")`"]);
    assert_refused(&refused!(transport = header()), &["write `header(\"x-session\")`"]);
    assert_refused(&refused!(transport = header(X_SESSION)), &["write `header(\"x-session\")`"]);
    assert_refused(&refused!(transport = header("a", "b")), &["nothing more in these parentheses"]);
    assert_refused(&refused!(transport = header("x session")), &["can't stand in a header's name"]);
    assert_refused(&refused!(transport = header("Authorization")), &["write `transport = bearer`"]);
    assert_refused(&refused!(transport = header("Set-Cookie")), &["write `transport = cookie`"]);
    assert_refused(&refused!(transport = header("host")), &["choose another name"]);
    assert_refused(&refused!(transport = [bearer, header("Session-Token")]), &["choose another name"]);
    assert_refused(&refused!(transport = bearer("x")), &["remove these parentheses"]);
    assert_refused(&refused!(transport = cookie(persistent)), &["write `transport = cookie, cookie(...)`"]);
}

#[test]
fn options_of_cookies_need_the_cookie_transport() {
    assert_refused(&refused!(transport = bearer, cookie(persistent)), &["sends no cookie"]);
    assert_refused(
        &refused!(cookie(name = "__Host-u"), transport = [header("x-s")], trusted_origins = ["https://a.example"]),
        &["remove `cookie(...)`", "`trusted_origins` has no effect"],
    );
    assert_refused(&refused!(transport = berer, cookie(persistent)), &["did you mean `bearer`?"]);
}

#[test]
fn the_cookie_keeps_the_rules_of_browsers() {
    assert_refused(&refused!(cookie(name = "my cookie")), &["can't stand in a cookie's name"]);
    assert_refused(&refused!(cookie(domain = "example.org")), &["refuse a `__Host-` cookie with a domain"]);
    assert_refused(&refused!(cookie(path = "/app", secure = false)), &["another path", "without `secure`"]);
    assert_refused(&refused!(cookie(name = "__Secure-u", secure = false)), &["`__Secure-`"]);
    assert_refused(&refused!(cookie(name = "u", secure = false, same_site = None)), &["`SameSite=None`"]);
    assert_refused(&refused!(cookie(name = "u", secure = false, partitioned)), &["partitioned"]);
    assert_refused(&refused!(cookie(same_site = Stric)), &["did you mean `Strict`?"]);
    assert_refused(&refused!(cookie(name = env("N"), domain = "example.org")), &[]);
    assert_refused(&refused!(cookie(name = 5, domain = "example.org")), &["`name` takes"]);
}
