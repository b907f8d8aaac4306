//! What the cookie jars of Python's requests and of curl make of our cookies.

use serde::Deserialize;
use serde_json::json;
use session_tests::{App, python, tools::PYTHON_REQUESTS};

use crate::{
    curl::Curl,
    shop::{LIFETIME, REMEMBERED, VISITOR, shop},
};

/// A jar of requests', told that plain HTTP to this machine is as good as HTTPS, as browsers hold it.
const BEGIN: &str = "
import json, sys, time, requests
from http.cookiejar import DefaultCookiePolicy
given = json.load(sys.stdin)
session = requests.Session()
session.trust_env = False
# requests makes a jar with the default policy for each request, so this is where it is told.
cautious = DefaultCookiePolicy.return_ok_secure
trusting = lambda *_: True
DefaultCookiePolicy.return_ok_secure = trusting
post = lambda path, **more: session.post(given['url'] + path, allow_redirects=False, **more)
jar = lambda: sorted(cookie.name for cookie in session.cookies)
";

#[derive(Debug, Deserialize)]
struct Cookie {
    path: String,
    secure: bool,
    http_only: bool,
    same_site: String,
    domain_specified: bool,
    seconds_left: Option<f64>,
}

#[derive(Deserialize)]
struct Seen {
    jar: Vec<String>,
    visitor: Cookie,
    remembered: Cookie,
    over_plain_http: u16,
    visits: Vec<String>,
    rotated: bool,
    left: Vec<String>,
    replayed: u16,
}

#[tokio::test]
async fn the_jar_of_pythons_requests_keeps_our_cookies_as_they_are_meant_and_a_logout_leaves_none() {
    let shop = shop().await;
    let script = format!(
        "{BEGIN}
post('/start')
cookies = {{cookie.name: cookie for cookie in session.cookies}}
seen = lambda cookie: {{
    'path': cookie.path, 'secure': cookie.secure, 'http_only': cookie.has_nonstandard_attr('HttpOnly'),
    'same_site': cookie.get_nonstandard_attr('SameSite'), 'domain_specified': cookie.domain_specified,
    'seconds_left': cookie.expires and cookie.expires - time.time()}}
answer = {{'jar': jar(), 'visitor': seen(cookies['{VISITOR}']), 'remembered': seen(cookies['{REMEMBERED}'])}}
DefaultCookiePolicy.return_ok_secure = cautious
answer['over_plain_http'] = post('/visit').status_code
DefaultCookiePolicy.return_ok_secure = trusting
answer['visits'] = [post('/visit').text]
post('/rotate')
answer['visits'] += [post('/visit').text]
answer['rotated'] = {{cookie.name: cookie for cookie in session.cookies}}['{VISITOR}'].value != cookies['{VISITOR}'].value
last = '; '.join(cookie.name + '=' + cookie.value for cookie in session.cookies)
post('/end')
answer['left'] = jar()
answer['replayed'] = post('/visit', headers={{'Cookie': last}}).status_code
print(json.dumps(answer))"
    );
    let seen: Seen = python(&PYTHON_REQUESTS, &script, &json!({ "url": shop.url() })).await;
    assert_eq!(seen.jar, [REMEMBERED, VISITOR]);
    for cookie in [&seen.visitor, &seen.remembered] {
        assert!(cookie.secure && cookie.http_only && !cookie.domain_specified, "{cookie:?}");
        assert_eq!((&*cookie.path, &*cookie.same_site), ("/", "Lax"));
    }
    assert_eq!(seen.visitor.seconds_left, None, "it ends with the client");
    let left = seen.remembered.seconds_left.expect("it stays");
    assert!((left - LIFETIME as f64).abs() < 60.0, "{left}");
    assert_eq!(seen.over_plain_http, 401, "a client that takes Secure at its word sends it over HTTPS alone");
    assert_eq!((seen.visits, seen.rotated), (vec!["1".into(), "2".into()], true));
    assert_eq!(seen.left, [""; 0]);
    assert_eq!(seen.replayed, 401);
}

#[tokio::test]
async fn the_jar_of_pythons_requests_goes_through_the_quickstart() {
    let app = App::example("quickstart").start().await;
    let script = format!(
        "{BEGIN}
answer = [post('/login', data={{'name': 'Ada'}}).status_code, jar()]
answer += [post('/visit').text, session.get(given['url'] + '/me').json(), post('/logout').status_code, jar()]
answer += [session.get(given['url'] + '/me').status_code]
print(json.dumps(answer))"
    );
    let seen: serde_json::Value = python(&PYTHON_REQUESTS, &script, &json!({ "url": app.url() })).await;
    let ada = json!({ "name": "Ada", "visits": 1 });
    assert_eq!(seen, json!([303, ["user"], "1", ada, 303, [], 401]));
}

#[tokio::test]
async fn curls_jar_keeps_our_cookies_as_they_are_meant_and_a_logout_leaves_none() {
    let shop = shop().await;
    let curl = Curl::at(shop.address().port());
    let post = async |path: &str| curl.run(&["-X", "POST"], path).await.body;
    assert_eq!(post("/start").await, "started");
    let cookies = curl.cookies();
    assert_eq!(cookies.len(), 2);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for cookie in &cookies {
        // host, whether subdomains get it, path, whether it is for HTTPS alone, the end or 0, name, value
        let [host, subdomains, path, secure, end, name, _] = cookie.as_slice() else { panic!("{cookie:?}") };
        assert_eq!((&**host, &**subdomains, &**path, &**secure), ("#HttpOnly_localhost", "FALSE", "/", "TRUE"));
        match end.parse::<u64>().unwrap() {
            0 => assert_eq!(name, VISITOR),
            end => assert!(name == REMEMBERED && (end - now).abs_diff(LIFETIME) < 60, "{cookie:?}"),
        }
    }
    assert_eq!(
        (post("/visit").await, post("/rotate").await, post("/visit").await),
        ("1".into(), "rotated".into(), "2".into())
    );
    // One by one: of several removals in one answer, curl 7 forgets all but the last for a jar that it also reads.
    assert_eq!((&*post("/end/visitor").await, curl.cookies().len()), ("ended", 1));
    assert_eq!((&*post("/end/remembered").await, curl.cookies().len()), ("ended", 0));
}
