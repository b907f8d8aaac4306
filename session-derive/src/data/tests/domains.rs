//! `cookie(domain = ..)` in its three forms.

use super::*;

#[test]
fn domains_that_the_request_chooses_reach_the_declaration() {
    snapshot(
        "data/domain_list",
        derive(quote! {
            #[session(cookie(name = "user", domain = ["shop-a.example", env("MORE", default = "")], across_domains))]
            struct User { name: String }
        }),
    );
    snapshot(
        "data/domain_function",
        derive(quote! {
            #[session(cookie(name = "user", domain = tenants::cookie_domain))]
            struct User { name: String }
        }),
    );
}

#[test]
fn each_domain_is_a_host_name_and_there_once() {
    assert_refused(
        &refused!(cookie(name = "u", domain = ["a.example", env("B"), env("C", default = "c.example, d.example")])),
        &[],
    );
    assert_refused(&refused!(cookie(name = "u", domain = [])), &["needs at least one"]);
    assert_refused(
        &refused!(cookie(name = "u", domain = ["a.example,b.example", "", "b.example:80", "*.c.example"])),
        &["not a host name", "not a host name", "not a host name", "not a host name"],
    );
    assert_refused(
        &refused!(cookie(name = "u", domain = ["a.example", env("B", default = "x,A.example")])),
        &["given twice"],
    );
    assert_refused(&refused!(cookie(name = "u", domain = [5])), &["`domain` takes strings in brackets"]);
    assert_refused(&refused!(cookie(name = "u", domain = [a])), &["`domain` takes strings in brackets"]);
    assert_refused(
        &refused!(cookie(name = "u", domain = env("A", default = "a.example,b.example"))),
        &["not a host name"],
    );
}

#[test]
fn a_function_is_named_by_its_path() {
    assert_refused(&refused!(cookie(name = "u", domain = by_host)), &[]);
    assert_refused(&refused!(cookie(name = "u", domain = ::my::by_host)), &[]);
    assert_refused(&refused!(cookie(name = "u", domain = Self::by_host)), &[]);
    assert_refused(&refused!(cookie(name = "u", domain = by::host())), &["the runtime calls the function"]);
    assert_refused(&refused!(cookie(name = "u", domain = |_| None)), &["takes the path of a function"]);
    assert_refused(&refused!(cookie(name = "u", domain = example.org)), &["stands in quotes"]);
    assert_refused(&refused!(cookie(name = "u", domain = my - shop.example)), &["stands in quotes"]);
    assert_refused(&refused!(cookie(name = "u", domain = enf("A"))), &["did you mean `env`"]);
    assert_refused(&refused!(cookie(name = "u", domain = 5)), &["`domain` takes a string"]);
    assert_refused(&refused!(cookie(name = "u", domain)), &["`domain` takes a string"]);
}

#[test]
fn what_needs_one_domain_does_not_go_with_several() {
    assert_refused(&refused!(cookie(domain = by_host)), &["`__Host-` cookie with a domain"]);
    assert_refused(&refused!(cookie(name = env("NAME"), domain = by_host)), &[]);
    assert_refused(
        &refused!(cookie(name = "u", domain = by_host), public_origin = "https://a.example"),
        &["no single origin", "chosen here"],
    );
    assert_refused(&refused!(cookie(name = "u", domain = "a.example", across_domains)), &["has no effect"]);
    assert_refused(&refused!(cookie(name = "u", across_domains = true)), &["has no effect"]);
    assert_refused(&refused!(cookie(name = "u", across_domains = false)), &[]);
}
