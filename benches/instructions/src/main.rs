//! `session-instructions KIND COUNT` answers COUNT requests of one kind in this process, without a network, so that two
//! runs of it differ by nothing but the requests that one has more.

mod applications;

use std::{env, error::Error};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
    response::Response,
};
use tower::{Service as _, ServiceExt as _};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Sessions that take turns where tokens are to be new to the process, and more than it is told to remember.
const COLD: usize = 64;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [kind, count] = arguments.as_slice() else { return Err("usage: session-instructions KIND COUNT".into()) };
    let (application, load) = kind.rsplit_once('-').ok_or("a kind is an application and a load, as in memory-read")?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(answer(
        application,
        load,
        count.parse()?,
    ))
}

async fn answer(application: &str, load: &str, count: usize) -> Outcome<()> {
    let router = applications::router(application).await?;
    let method = match load {
        "read" => Method::GET,
        "write" | "update" => Method::POST,
        _ => return Err(format!("there is no load `{load}`").into()),
    };
    let sessions = if application == "cold" { COLD } else { 1 };
    let mut cookies = Vec::new();
    for _ in 0..sessions {
        let response = send(&router, Method::POST, "/login", None).await?;
        cookies.push(cookie_of(&response));
    }
    let path = format!("/{load}");
    let mut last = None;
    for at in 0..count {
        let cookie = cookies[at % sessions].as_deref();
        last = Some(send(&router, method.clone(), &path, cookie).await?);
    }
    // A write that is lost would be a cheap one. A session in its cookie counts from the same cookie each time.
    if let Some(last) = last
        && method == Method::POST
        && application != "cookie"
    {
        let body = to_bytes(last.into_body(), 64).await?;
        if body != count.to_string() {
            return Err(format!("the last of {count} writes answered {body:?}").into());
        }
    }
    Ok(())
}

async fn send(router: &Router, method: Method, path: &str, cookie: Option<&str>) -> Outcome<Response> {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "127.0.0.1:3000");
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, cookie);
    }
    let mut service = router.clone().into_service::<Body>();
    let response = service.ready().await?.call(request.body(Body::empty())?).await?;
    match response.status() {
        StatusCode::OK => Ok(response),
        status => Err(format!("{path} answered {status}").into()),
    }
}

/// What a browser sends back.
fn cookie_of(response: &Response) -> Option<String> {
    let cookie = response.headers().get(header::SET_COOKIE)?.to_str().ok()?;
    cookie.split(';').next().map(str::to_owned)
}
