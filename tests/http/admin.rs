//! The page for operators: who may see it, what it shows, and what it ends.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::http::{Method, request::Parts};
use session_runtime::{Missing, admin::Admin, backend::Memory, testing::ManualClock};
use session_tests::serve;

use crate::{
    admin_app::{HINT, Operator, client, location, open, owner, row, site, values},
    support::assert_problem,
};

#[tokio::test]
async fn the_guard_turns_away_who_is_anonymous_or_no_operator_and_the_type_says_how() {
    let site = site().await;
    let ordinary = client(&site.server, &site.operators.start(Operator { admin: false }).await.unwrap());
    for path in ["/admin", "/admin/members", "/admin/members/end-all", "/admin/style.css", "/admin/nothing"] {
        assert_problem(&site.server.client().get(path).await, 401, "missing");
        assert_problem(&ordinary.get(path).await, 403, "forbidden");
    }
    _ = site.member("ann", "a phone").await;
    for path in ["/admin/members/end-all", "/admin/members/end", "/admin/members/find"] {
        assert_problem(&site.server.client().post_form(path, &[("session", "x")]).await, 401, "missing");
        assert_problem(&ordinary.post_form(path, &[("session", "x")]).await, 403, "forbidden");
    }
    assert_eq!(site.live().await, 1);
}

async fn is_on_duty(operator: &Operator, parts: &Parts, shift: &&'static str) -> bool {
    operator.admin && parts.headers.get("x-shift").is_some_and(|header| header == *shift)
}

#[tokio::test]
async fn the_guard_may_be_async_and_ask_for_a_fresh_login_and_anonymous_requests_may_be_sent_elsewhere() {
    let (memory, clock) = (Arc::new(Memory::default()), ManualClock::new());
    let operators = open::<Operator>(&memory, &clock).await;
    let admin = Admin::new_with(&operators, "night", is_on_duty).fresh(Duration::from_secs(600));
    let admin = admin.missing(Missing::redirect("/login").unwrap()).sessions("Operators", &operators);
    // Served by itself, at the root.
    let server = serve(admin.router()).await;
    assert_eq!(location(&server.client().get("/").await), "/login");
    let operator = client(&server, &operators.start(Operator { admin: true }).await.unwrap());
    let on =
        async |shift: &'static str| operator.send(Method::GET, "/", |request| request.header("x-shift", shift)).await;
    assert_problem(&on("day").await, 403, "forbidden");
    let reply = on("night").await;
    assert_eq!(reply.status, 200);
    assert!(reply.text().contains("href=\"/operators\"") && reply.text().contains("href=\"/style.css\""));
    clock.advance(Duration::from_secs(601));
    assert_eq!(location(&on("night").await), "/login");
}

#[tokio::test]
async fn the_list_shows_owners_devices_and_ages_and_no_token_no_store_key_and_no_data() {
    let site = site().await;
    let phone = site.member("ann", "Ann's phone").await;
    site.clock.advance(Duration::from_secs(3 * 60));
    let desk = site.member("bob", "Firefox on Linux").await;
    site.robot(7).await;

    let page = site.page("/admin/members").await;
    let ann = row(&page, "ann");
    assert!(ann.contains("Ann's phone") && ann.contains(&phone.public_id().to_string()), "{ann}");
    assert!(ann.contains("3 minutes ago") && ann.contains("in 57 minutes"), "{ann}");
    assert!(row(&page, "Firefox on Linux").contains("just now"), "{page}");
    assert_eq!(values(&page, "name=\"session\" value=\"").len(), 2, "{page}");
    assert!(row(&site.page("/admin/robots").await, "serial 7").contains("&lt;i&gt;serial 7&lt;/i&gt;"));

    let overview = site.page("/admin").await;
    for title in ["Members", "Robots", "Operators"] {
        assert!(overview.contains(&format!(">{title}</a>")), "{overview}");
    }
    assert!(overview.contains("<strong>2</strong> live") && overview.contains("<strong>1</strong> live"), "{overview}");

    let records = site.records().await;
    let pages = [overview, page, site.page("/admin/robots").await, site.page("/admin/operators").await];
    for page in &pages {
        assert!(!page.contains(HINT) && !page.contains("password_hint"), "{page}");
        for started in [&phone, &desk] {
            assert!(!page.contains(&started.token().as_str()[16..]), "a token");
        }
        assert!(!page.contains(&site.admin.cookie("__Host-operator").unwrap()[16..]), "the viewer's own token");
        for record in &records {
            assert!(!page.contains(&record.key.to_string()), "the name of a record");
        }
    }
    assert_eq!(records.len(), 4 + 2, "four sessions, and the lists of two owners");
}

#[tokio::test]
async fn every_answer_is_kept_by_no_cache_and_loads_nothing_from_elsewhere() {
    let site = site().await;
    for (path, kind, status) in [
        ("/admin", "text/html; charset=utf-8", 200),
        ("/admin/members", "text/html; charset=utf-8", 200),
        ("/admin/style.css", "text/css; charset=utf-8", 200),
        ("/admin/nothing", "text/html; charset=utf-8", 404),
        ("/admin/members?after=made-up", "text/html; charset=utf-8", 404),
        ("/admin/members/owner/made-up", "text/html; charset=utf-8", 404),
        ("/admin/robots/owner/made-up", "text/html; charset=utf-8", 404),
    ] {
        let reply = site.admin.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (status, Some(kind)), "{path}");
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        let policy = reply.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'; form-action 'self'"), "{policy}");
        assert!(!reply.text().contains("<script") && !reply.text().contains("style=") && !reply.text().contains("//"));
    }
}

#[tokio::test]
async fn one_session_is_ended_by_its_button_and_nothing_else_is() {
    let site = site().await;
    for (name, device) in [("ann", "phone"), ("ann", "desk"), ("bob", "tablet")] {
        _ = site.member(name, device).await;
    }
    let page = site.page("/admin/members").await;
    let reference = values(row(&page, "desk"), "name=\"session\" value=\"")[0];
    let reply = site.admin.post_form("/admin/members/end", &[("session", reference)]).await;
    assert!(location(&reply).starts_with("/admin/members?done="), "{}", location(&reply));
    let page = site.page(location(&reply)).await;
    assert!(page.contains("1 session ended.") && !page.contains("desk"), "{page}");
    assert!(page.contains("phone") && page.contains("tablet"), "{page}");
    let left = site.members.of("ann").list().await.unwrap();
    assert_eq!(left.iter().map(|listing| listing.label()).collect::<Vec<_>>(), [Some("phone")]);

    let again = site.admin.post_form("/admin/members/end", &[("session", reference)]).await;
    assert!(site.page(location(&again)).await.contains("No session was ended"));
    // Another type's button, an owner's name and what is made up end nothing.
    let robots = site.admin.post_form("/admin/robots/end", &[("session", reference)]).await;
    let owner = owner(&page, "bob").rsplit('/').next().unwrap();
    let owners = site.admin.post_form("/admin/members/end", &[("session", owner)]).await;
    let made_up = site.admin.post_form("/admin/members/end", &[("session", "made-up")]).await;
    assert_eq!([robots, owners, made_up].map(|reply| reply.status.as_u16()), [404; 3]);
    assert_eq!(site.live().await, 2);
}

#[tokio::test]
async fn an_owner_is_found_by_name_and_all_of_the_owners_sessions_are_ended() {
    let site = site().await;
    for (name, device) in [("ann", "phone"), ("ann", "desk"), ("bob", "tablet")] {
        _ = site.member(name, device).await;
    }
    let reply = site.admin.post_form("/admin/members/find", &[("owner", " ann ")]).await;
    assert!(!location(&reply).contains("ann"), "logs and histories learn no name: {}", location(&reply));
    let path = location(&reply).to_owned();
    let page = site.page(&path).await;
    assert!(page.contains("<h1>Sessions of ann</h1>") && page.contains("phone") && page.contains("desk"), "{page}");
    assert!(!page.contains("tablet"), "{page}");
    let linked = site.page(owner(&site.page("/admin/members").await, "tablet")).await;
    assert!(linked.contains("<h1>Sessions of bob</h1>"), "{linked}");

    // One of them, from there and back.
    let reference = values(row(&page, "desk"), "name=\"session\" value=\"")[0];
    let shown = values(&page, "name=\"owner\" value=\"")[0];
    let form = [("session", reference), ("owner", shown)];
    let reply = site.admin.post_form("/admin/members/end", &form).await;
    let page = site.page(location(&reply)).await;
    assert!(page.contains("<h1>Sessions of ann</h1>") && !page.contains("desk"), "{page}");

    let reply = site.admin.post(&format!("{path}/end")).await;
    let page = site.page(location(&reply)).await;
    assert!(page.contains("1 session ended.") && page.contains("This owner has no live sessions."), "{page}");
    let listed =
        [site.members.of("ann").list().await.unwrap().len(), site.members.of("bob").list().await.unwrap().len()];
    assert_eq!(listed, [0, 1]);
    let nobody = site.admin.post_form("/admin/members/find", &[("owner", "nobody")]).await;
    assert!(site.page(location(&nobody)).await.contains("This owner has no live sessions."));
}

#[tokio::test]
async fn all_sessions_of_a_type_are_ended_after_a_question_and_who_asks_is_left_in() {
    let site = site().await;
    for number in 0..120 {
        _ = site.member(&format!("m{number}"), "a device").await;
    }
    site.robot(1).await;
    let page = site.page("/admin/members/end-all").await;
    assert!(page.contains("End all sessions of Members?") && page.contains("120 live sessions"), "{page}");
    assert_eq!(site.live().await, 120, "the question alone ends nothing");
    let reply = site.admin.post("/admin/members/end-all").await;
    assert!(site.page(location(&reply)).await.contains("120 sessions ended."));
    assert_eq!((site.live().await, site.robots.count().await.unwrap()), (0, 1));
    assert!(site.page("/admin/members").await.contains("No live sessions."));

    for _ in 0..3 {
        _ = site.operators.start(Operator { admin: true }).await.unwrap();
    }
    let own = row(&site.page("/admin/operators").await, "This is you").to_owned();
    assert!(!own.contains("<form"), "nobody ends the session by which they look: {own}");
    let reply = site.admin.post("/admin/operators/end-all").await;
    assert!(site.page(location(&reply)).await.contains("3 sessions ended."));
    assert_eq!((site.page("/admin").await.is_empty(), site.operators.count().await.unwrap()), (false, 1));
}

#[tokio::test]
async fn one_request_ends_so_many_and_says_that_there_are_more() {
    let site = site().await;
    for serial in 0..1_250 {
        site.robot(serial).await;
    }
    let reply = site.admin.post("/admin/robots/end-all").await;
    let page = site.page(location(&reply)).await;
    let left = site.robots.count().await.unwrap();
    assert!((1..=250).contains(&left) && page.contains("There may be more"), "{left}: {page}");
    let reply = site.admin.post("/admin/robots/end-all").await;
    assert!(site.page(location(&reply)).await.contains(&format!("{left} session")));
    assert_eq!(site.robots.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_count_that_would_read_the_whole_store_is_made_when_it_is_asked_for() {
    let site = site().await;
    for serial in 0..10_300 {
        site.robot(serial).await;
    }
    let some = site.page("/admin").await;
    assert!(some.contains("<strong>at least 10,") && some.contains("href=\"/admin?count=all\""), "{some}");
    assert!(!some.contains("10,300"), "{some}");
    let all = site.page("/admin?count=all").await;
    assert!(all.contains("<strong>10,300</strong> live") && !all.contains("at least"), "{all}");
    assert!(site.page("/admin/robots/end-all").await.contains("At least 10,"));
}

#[tokio::test]
async fn of_an_owner_with_very_many_sessions_the_newest_are_shown_and_all_are_ended() {
    let site = site().await;
    for number in 0..230 {
        _ = site.member("ann", &format!("device {number} of hers")).await;
    }
    let reply = site.admin.post_form("/admin/members/find", &[("owner", "ann")]).await;
    let path = location(&reply).to_owned();
    let page = site.page(&path).await;
    assert!(page.contains("30 older sessions not shown.") && page.contains("device 229 of hers"), "{page}");
    assert!(!page.contains("device 29 of hers") && page.contains("device 30 of hers"), "{page}");
    let reply = site.admin.post(&format!("{path}/end")).await;
    assert!(site.page(location(&reply)).await.contains("230 sessions ended."));
    assert_eq!(site.live().await, 0);
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let site = site().await;
    _ = site.member("ann", "phone").await;
    let page = site.page("/admin/members").await;
    let (session, ann) = (values(&page, "name=\"session\" value=\"")[0], owner(&page, "ann"));
    for (path, body) in [
        ("/admin/members/end-all".to_owned(), String::new()),
        ("/admin/members/end".to_owned(), format!("session={session}")),
        ("/admin/members/find".to_owned(), "owner=ann".to_owned()),
        (format!("{ann}/end"), String::new()),
    ] {
        let from = async |site_name: &'static str, origin: &'static str| {
            site.admin
                .send(Method::POST, &path, |request| {
                    let request = request.header("sec-fetch-site", site_name).header("origin", origin);
                    request.header("content-type", "application/x-www-form-urlencoded").body(body.clone())
                })
                .await
        };
        assert_problem(&from("cross-site", "https://evil.example").await, 403, "cross-site");
        assert_problem(&from("same-site", "https://shop.example").await, 403, "cross-site");
        assert_eq!(site.live().await, 1, "{path}");
    }
    let own = site.admin.send(Method::POST, "/admin/members/end-all", |request| {
        request.header("sec-fetch-site", "same-origin").header("origin", "http://127.0.0.1")
    });
    assert!(site.page(location(&own.await)).await.contains("1 session ended."));
    for path in ["/admin/members/end", "/admin/members/find", "/admin/members/end-all"] {
        _ = site.member("ann", "phone").await;
        site.admin.get(path).await;
        assert!(site.live().await > 0, "a link to {path} ends nothing");
    }
}

#[tokio::test]
async fn a_long_list_comes_page_by_page_and_each_session_is_on_one_of_them() {
    let site = site().await;
    let mut expected = BTreeSet::new();
    for number in 0..180 {
        expected.insert(site.member(&format!("m{number}"), "a device").await.public_id().to_string());
        site.robot(number).await;
    }
    let (mut found, mut path, mut pages) = (Vec::new(), "/admin/members".to_owned(), 0);
    loop {
        let page = site.page(&path).await;
        let shown = values(&page, "aria-label=\"End session ");
        assert!(shown.len() < 100, "{}", shown.len());
        found.extend(shown.iter().map(|&id| id.to_owned()));
        pages += 1;
        let Some(next) = values(&page, "rel=\"next\" href=\"").first().map(ToString::to_string) else { break };
        assert_eq!(page.contains("First page"), pages > 1);
        path = next;
    }
    assert!(pages > 1, "{pages}");
    assert_eq!(found.len(), 180, "each once");
    assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);

    // Back to the page that the button was on.
    let page = site.page(&path).await;
    let (session, after) = (values(&page, "name=\"session\" value=\"")[0], values(&page, "name=\"after\" value=\"")[0]);
    let reply = site.admin.post_form("/admin/members/end", &[("session", session), ("after", after)]).await;
    let back = site.page(location(&reply)).await;
    assert!(location(&reply).contains("after=") && back.contains("1 session ended."), "{back}");
    // The place of another type's page is none of this one's.
    let other = path.replace("/members?", "/robots?");
    assert_eq!(site.admin.get(&other).await.status, 404);
}

#[tokio::test]
async fn markup_in_names_and_labels_is_text() {
    let site = site().await;
    let name = "<script>alert(\"1\")</script>&amp;' onload=x";
    _ = site.member(name, "\"><img src=x onerror=alert(1)>").await;
    let page = site.page("/admin/members").await;
    let reply = site.admin.post_form("/admin/members/find", &[("owner", name)]).await;
    let of_owner = site.page(location(&reply)).await;
    for page in [&page, &of_owner] {
        assert!(page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;"), "{page}");
        assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"), "{page}");
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
    }
    let form = [("session", "made-up\"><script>"), ("after", "\"><script>")];
    assert!(!site.admin.post_form("/admin/members/end", &form).await.text().contains("<script"));
    let session = values(&page, "name=\"session\" value=\"")[0];
    let back = site.admin.post_form("/admin/members/end", &[("session", session), ("after", "x&done=9\r\ny: z")]).await;
    assert!(location(&back).ends_with("&after=x%26done%3D9%0D%0Ay%3A+z"), "{}", location(&back));
}
