//! The pages.

use axum::response::Html;
use html_escape::encode_safe;
use session_runtime::Device;

fn page(body: &str) -> Html<String> {
    Html(format!("<!doctype html><meta charset=utf-8><title>Device-bound</title>{body}"))
}

pub(crate) fn login() -> Html<String> {
    page(
        "<form method=post action=/login><label>Name <input name=name required></label> <button>Log in</button></form>",
    )
}

pub(crate) fn home(name: &str, device: Device) -> Html<String> {
    let bound = match device {
        Device::Bound { .. } => "bound to this device",
        Device::Unbound => {
            "not bound to a device: load the page again in a moment, or use the browser command that was printed"
        }
    };
    page(&format!(
        "<p>You are <b id=who>{}</b>.</p><p>This session is <span id=device>{bound}</span>.</p>\
         <p><a href=/steal>steal my cookie</a></p><form method=post action=/logout><button>Log out</button></form>",
        encode_safe(name)
    ))
}

pub(crate) fn stolen(host: &str, cookie: &str) -> Html<String> {
    page(&format!(
        "<p>Whoever has copied the session's cookie would send this:</p>\
         <pre id=curl>curl -k --cookie '{}' https://{}/steal</pre>\
         <p>Within 30 seconds of the login it may still be answered. After that it is turned away: the answer is the redirect \
         of a request without a session, and the log says session.device_unproven. This browser goes on.</p>\
         <p><a href=/>Back</a></p>",
        encode_safe(cookie),
        encode_safe(host)
    ))
}
