//! What a handler can answer because of its sessions.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use http::header::{LOCATION, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use session_rules::transport::BEARER_ANSWER;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{HttpMethod, RefOr};

use super::handler::SessionUse;
use super::problem;
use crate::declaration::Transport;
use crate::guard::Access;
use crate::missing::KnownAnswer;
use crate::web::ProblemKind;

/// The answers of one status.
#[derive(Default)]
struct Answer {
    problems: BTreeSet<ProblemKind>,
    redirects: BTreeSet<&'static str>,
}

/// By their status.
#[derive(Default)]
struct Answers {
    by_status: BTreeMap<u16, Answer>,
    /// Whether a handler named by `missing` answers, with whatever status.
    by_a_handler: bool,
}

impl Answers {
    fn problem(&mut self, status: StatusCode, kind: ProblemKind) {
        self.by_status.entry(status.as_u16()).or_default().problems.insert(kind);
    }

    /// What requests without a session get.
    fn missing(&mut self, answer: KnownAnswer) {
        match answer {
            KnownAnswer::Status(status) => self.problem(status, ProblemKind::Missing),
            KnownAnswer::Redirect(to) => {
                let status = StatusCode::SEE_OTHER.as_u16();
                self.by_status.entry(status).or_default().redirects.insert(to);
            }
            KnownAnswer::Handler => self.by_a_handler = true,
        }
    }

    fn of(session: &SessionUse, methods: &[HttpMethod]) -> Self {
        let mut answers = Self::default();
        if session.access == Access::Protected {
            answers.missing(session.missing.known());
        }
        if session.fresh {
            match session.own_missing {
                true => answers.missing(session.missing.known()),
                false => answers.problem(StatusCode::UNAUTHORIZED, ProblemKind::Stale),
            }
        }
        if session.bound && session.access == Access::Protected {
            answers.problem(StatusCode::UNAUTHORIZED, ProblemKind::DeviceUnproven);
        }
        if session.device {
            answers
                .by_status
                .entry(StatusCode::TEMPORARY_REDIRECT.as_u16())
                .or_default()
                .redirects
                .insert("the same page");
            answers.problem(StatusCode::UNAUTHORIZED, ProblemKind::DeviceUnproven);
            answers.problem(StatusCode::FORBIDDEN, ProblemKind::DeviceUnbound);
        }
        if session.domains {
            answers.problem(StatusCode::MISDIRECTED_REQUEST, ProblemKind::Misdirected);
        }
        if session.rejects {
            answers.problem(StatusCode::BAD_REQUEST, ProblemKind::BadToken);
        }
        let by_browsers = session.transports.iter().any(Transport::is_sent_by_browsers);
        if session.csrf && by_browsers && methods.iter().any(is_unsafe) {
            answers.problem(StatusCode::FORBIDDEN, ProblemKind::CrossSite);
        }
        if session.forbids {
            answers.problem(StatusCode::FORBIDDEN, ProblemKind::Forbidden);
        }
        if session.exclusive {
            for kind in [ProblemKind::Busy, ProblemKind::Conflict, ProblemKind::Ended, ProblemKind::LeaseLost] {
                answers.problem(StatusCode::CONFLICT, kind);
            }
            if session.validates {
                answers.problem(StatusCode::UNPROCESSABLE_ENTITY, ProblemKind::Invalid);
            }
        }
        if session.stored {
            answers.problem(StatusCode::SERVICE_UNAVAILABLE, ProblemKind::Unavailable);
        }
        answers
    }

    fn join(&mut self, other: Self) {
        for (status, answer) in other.by_status {
            let own = self.by_status.entry(status).or_default();
            own.problems.extend(answer.problems);
            own.redirects.extend(answer.redirects);
        }
        self.by_a_handler |= other.by_a_handler;
    }
}

/// Whether a request of this method is checked for another site's page.
fn is_unsafe(method: &HttpMethod) -> bool {
    match method {
        HttpMethod::Get | HttpMethod::Head | HttpMethod::Options | HttpMethod::Trace => false,
        HttpMethod::Post | HttpMethod::Put | HttpMethod::Delete | HttpMethod::Patch => true,
    }
}

/// Adds the answers to an operation, except for statuses that its author has described.
pub(super) fn add(operation: &mut Operation, sessions: &[SessionUse], methods: &[HttpMethod]) {
    let mut answers = Answers::default();
    for session in sessions {
        answers.join(Answers::of(session, methods));
    }
    tell_of_tokens(operation, sessions);
    let responses = &mut operation.responses.responses;
    for (status, answer) in answers.by_status {
        let range = format!("{}XX", status / 100);
        if !responses.contains_key(&range) {
            responses.entry(status.to_string()).or_insert_with(|| RefOr::T(answer.response()));
        }
    }
    if answers.by_a_handler {
        let response = || RefOr::T(Response::new("What the handler named by `missing` answers without a session"));
        responses.entry("default".into()).or_insert_with(response);
    }
}

impl Answer {
    fn response(&self) -> Response {
        let mut said: Vec<String> = Vec::new();
        if !self.problems.is_empty() {
            let kinds: Vec<_> =
                self.problems.iter().map(|kind| format!("{}: `{}`", meaning(*kind), kind.uri())).collect();
            said.push(kinds.join("; "));
        }
        if !self.redirects.is_empty() {
            let places: Vec<_> = self.redirects.iter().map(|to| format!("`{to}`")).collect();
            said.push(format!("no session: go to {}", places.join(" or ")));
        }
        let mut response = ResponseBuilder::new().description(sentence(&said.join("; ")));
        if !self.problems.is_empty() {
            let json = ContentBuilder::new().schema(Some(problem::reference())).build();
            response = response.content("application/problem+json", json);
            // Browsers that open a page get the same as a page.
            response = response.content("text/html", ContentBuilder::new().schema(Some(text())).build());
        }
        let has = |kind: ProblemKind| self.problems.contains(&kind);
        let headers = [
            (LOCATION, !self.redirects.is_empty(), "Where to log in."),
            (RETRY_AFTER, has(ProblemKind::Busy) || has(ProblemKind::Unavailable), "When to try again, in seconds."),
            (
                WWW_AUTHENTICATE,
                has(ProblemKind::Stale) || has(ProblemKind::Missing) || has(ProblemKind::DeviceUnproven),
                "How to authenticate: with 401.",
            ),
        ];
        for (name, _, description) in headers.into_iter().filter(|(_, there, _)| *there) {
            response = response.header(name.as_str(), header(description));
        }
        response.build()
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect::<String>() + ".")
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String))
}

fn header(description: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new().schema(Some(text())).description(Some(description)).build()
}

/// What a kind of problem is, in a response's description.
fn meaning(kind: ProblemKind) -> &'static str {
    match kind {
        ProblemKind::BadToken => "the token can't be used",
        ProblemKind::Busy => "other requests are using the session",
        ProblemKind::Conflict => "another request changed the session",
        ProblemKind::CrossSite => "another site's page may have sent the request",
        ProblemKind::DeviceProof => "the device's proof can't be used",
        ProblemKind::DeviceUnbound => "the session is not bound to a device",
        ProblemKind::DeviceUnproven => "the session is bound to a device, which has not proved its key",
        ProblemKind::Ended => "the session ended meanwhile",
        ProblemKind::Forbidden => "this session is not allowed to do that",
        ProblemKind::Internal => "the session can't be stored",
        ProblemKind::Invalid => "the session's data would not be valid",
        ProblemKind::LeaseLost => "the exclusive use of the session ran out",
        ProblemKind::Misdirected => "the application has no sessions at this host",
        ProblemKind::Missing => "authentication is required",
        ProblemKind::NotListed => "not all sessions may have ended",
        ProblemKind::Stale => "recent authentication is required",
        ProblemKind::TooManySessions => "the owner has as many sessions as allowed",
        ProblemKind::Unavailable => "sessions are unavailable",
    }
}

/// Adds the header that brings a new token to the successful responses of handlers that can start or end a session.
fn tell_of_tokens(operation: &mut Operation, sessions: &[SessionUse]) {
    let transports = sessions.iter().filter(|session| session.changes_token).flat_map(|session| &session.transports);
    let names: BTreeSet<&str> = transports.map(token_header).collect();
    let responses = operation.responses.responses.iter_mut();
    for response in responses.filter(|(status, _)| status.starts_with(['2', '3'])).map(|(_, response)| response) {
        let RefOr::T(response) = response else { continue };
        for name in &names {
            let there = response.headers.keys().any(|there| there.eq_ignore_ascii_case(name));
            if !there {
                let description = "The new token, where a session started or ended by this.";
                response.headers.insert((*name).into(), RefOr::T(header(description)));
            }
        }
    }
}

fn token_header(transport: &Transport) -> &str {
    match transport {
        Transport::Cookie | Transport::CookieOnLocalhost => SET_COOKIE.as_str(),
        Transport::Bearer => BEARER_ANSWER,
        Transport::Header(name) => name.as_str(),
    }
}

impl utoipa::IntoResponses for crate::Error {
    /// The answers that a handler can give which returns this error: 409, 422 and 503.
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut answers = Answers::default();
        let conflicts = [
            ProblemKind::Busy,
            ProblemKind::Conflict,
            ProblemKind::Ended,
            ProblemKind::LeaseLost,
            ProblemKind::NotListed,
            ProblemKind::TooManySessions,
        ];
        for kind in conflicts {
            answers.problem(StatusCode::CONFLICT, kind);
        }
        answers.problem(StatusCode::UNPROCESSABLE_ENTITY, ProblemKind::Invalid);
        answers.problem(StatusCode::SERVICE_UNAVAILABLE, ProblemKind::Unavailable);
        let responses = answers.by_status.into_iter();
        responses.map(|(status, answer)| (status.to_string(), RefOr::T(answer.response()))).collect()
    }
}
