//! Which security schemes an operation needs.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::SecurityRequirement;

use super::handler::SessionUse;
use crate::guard::Access;

/// The alternatives of one session: a scheme for each transport, and none where anonymous requests are admitted.
fn alternatives(session: &SessionUse) -> Vec<SecurityRequirement> {
    let mut all: Vec<_> = session.schemes.iter().map(|name| SecurityRequirement::new(*name, NO_SCOPES)).collect();
    match session.access {
        Access::Protected => {}
        Access::Optional | Access::OrDefault => all.push(SecurityRequirement::default()),
    }
    all
}

const NO_SCOPES: [&str; 0] = [];

/// Each of the first with each of the second, as both are asked.
fn both(first: &[SecurityRequirement], second: &[SecurityRequirement]) -> Vec<SecurityRequirement> {
    let mut all = Vec::new();
    for (one, other) in first.iter().flat_map(|one| second.iter().map(move |other| (one, other))) {
        let joined = joined(one, other);
        if !all.contains(&joined) {
            all.push(joined);
        }
    }
    all
}

/// A requirement of the schemes of two. utoipa shows what is in one only when it is written.
fn joined(one: &SecurityRequirement, other: &SecurityRequirement) -> SecurityRequirement {
    let [mut one, other] = [one, other].map(|requirement| serde_json::to_value(requirement).unwrap_or_default());
    if let (Some(names), serde_json::Value::Object(others)) = (one.as_object_mut(), other) {
        names.extend(others);
    }
    serde_json::from_value(one).unwrap_or_default()
}

/// Asks for all the sessions of a handler, unless its author has said what is needed.
pub(super) fn require(operation: &mut Operation, sessions: &[SessionUse]) {
    if operation.security.is_none() {
        let all = sessions.iter().map(alternatives);
        operation.security = all.reduce(|first, second| both(&first, &second));
    }
}

/// Asks for a session beside what is needed already.
pub(super) fn require_also(operation: &mut Operation, session: &SessionUse) {
    let own = alternatives(session);
    operation.security = Some(match operation.security.take() {
        Some(needed) if !needed.is_empty() => both(&own, &needed),
        _ => own,
    });
}

const fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

const fn shares(names: &[&str], others: &[&str]) -> bool {
    let mut at = 0;
    while at < names.len() {
        let mut other = 0;
        while other < others.len() {
            if is_same(names[at], others[other]) {
                return true;
            }
            other += 1;
        }
        at += 1;
    }
    false
}

/// Whether each alternative of a `security(...)` names one of a type's schemes.
pub const fn name_one_of(alternatives: &[&[&str]], schemes: &[&str]) -> bool {
    let mut at = 0;
    while at < alternatives.len() {
        if !shares(alternatives[at], schemes) {
            return false;
        }
        at += 1;
    }
    !alternatives.is_empty()
}

/// Whether two types have no scheme in common.
pub const fn are_distinct(schemes: &[&str], others: &[&str]) -> bool {
    !shares(schemes, others)
}
