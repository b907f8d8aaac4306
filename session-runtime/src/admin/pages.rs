//! The pages, as markup. Everything that comes from elsewhere is escaped by `maud`, and no page has a script.
//!
//! The tables say their roles in words: a style that lays rows out as blocks, as on a phone, takes the roles from them.

use maud::{DOCTYPE, Markup, html};

use super::handlers::{Base, encoded};
use super::panel::Panel;
use super::words::{exact, grouped, relative, several};
use crate::activity::{Hour, Kind, MINUTES, hour};
use crate::clock::Timestamp;
use crate::id::PublicId;
use crate::sessions::{Notice, PageOfSessions, Row, Rows};

/// How many sessions a type has, as far as it is known.
pub(super) enum Counted {
    All(usize),
    AtLeast(usize),
    CannotList,
    /// Why not, in two sentences.
    Failed(&'static str, &'static str),
}

fn layout(base: &Base, title: &str, top: &Markup, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="stylesheet" href=(base.at("/style.css"));
            }
            body {
                header { nav aria-label="Breadcrumb" { (top) } }
                main { (body) }
            }
        }
    }
}

fn crumbs(base: &Base, panel: Option<&Panel>) -> Markup {
    html! {
        a href=(base.at("")) { "Sessions" }
        @if let Some(panel) = panel {
            span aria-hidden="true" { "/" }
            a href=(base.at(&format!("/{}", panel.slug()))) { (panel.title()) }
        }
    }
}

pub(super) fn problem(base: &Base, title: &str, text: &str) -> Markup {
    let body = html! {
        h1 { (title) }
        p .problem role="alert" { (text) }
        p { a href=(base.at("")) { "Back to all sessions" } }
    };
    layout(base, title, &crumbs(base, None), &body)
}

pub(super) fn overview(base: &Base, panels: &[(&Panel, Counted)]) -> Markup {
    let body = html! {
        h1 { "Sessions" }
        @if panels.is_empty() { p { "No sessions were added to this page." } }
        div .cards {
            @for (panel, counted) in panels {
                @let heading = format!("panel-{}", panel.slug());
                section aria-labelledby=(heading) {
                    div .row {
                        h2 id=(heading) { a href=(base.at(&format!("/{}", panel.slug()))) { (panel.title()) } }
                        p .count { (count(base, counted)) }
                    }
                    (activity(panel.title(), &hour(panel.core.session_type())))
                }
            }
        }
        @if !panels.is_empty() {
            p .hint {
                "Events are those of this process alone, since its start, for an hour at most. Other processes of the \
                 application count their own. Types of one name are counted together."
            }
        }
    };
    layout(base, "Sessions", &html! { span { "Sessions" } }, &body)
}

fn count(base: &Base, counted: &Counted) -> Markup {
    html! {
        @match counted {
            Counted::All(count) => { strong { (grouped(*count as u64)) } " live" }
            Counted::AtLeast(count) => {
                strong { "at least " (grouped(*count as u64)) } " live "
                a href=(base.at("?count=all")) { "Count all" }
            }
            Counted::CannotList => { "This store can't list its sessions." }
            Counted::Failed(title, text) => { span .problem role="alert" { (title) ". " (text) } }
        }
    }
}

fn activity(title: &str, hour: &Hour) -> Markup {
    html! {
        div .scroll tabindex="0" role="region" aria-label=(format!("Events of {title} in the last hour")) {
            table .events {
                thead { tr { th scope="col" { "Event" } th scope="col" { "Last hour" } th scope="col" { "By minute" } } }
                tbody {
                    @for kind in Kind::ALL {
                        @let counts = hour.counts(kind);
                        tr {
                            th scope="row" { (name(kind)) }
                            td { (grouped(counts.iter().copied().map(u64::from).sum())) }
                            td { (bars(name(kind), &counts)) }
                        }
                    }
                }
            }
        }
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Started => "Started",
        Kind::Ended => "Ended",
        Kind::Refused => "Refused",
        Kind::Forged => "Forged tokens",
        Kind::Failed => "Errors",
    }
}

/// A bar for each minute, this one at the right.
fn bars(name: &str, counts: &[u32; MINUTES]) -> Markup {
    const HEIGHT: u64 = 20;
    let most = counts.iter().copied().max().unwrap_or_default();
    html! {
        svg viewBox="0 0 180 20" width="180" height="20" role="img"
            aria-label=(format!("{name}: at most {} in a minute", grouped(most.into()))) {
            @for (minute, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
                @let height = (u64::from(*count) * HEIGHT).div_ceil(u64::from(most)).max(2);
                rect x=(minute * 3) y=(HEIGHT - height) width="2" height=(height) {}
            }
        }
    }
}

/// What a form has done.
fn notice(base: &Base, panel: &Panel, notice: Option<&Notice>) -> Markup {
    html! {
        @if let Some(Notice { ended, rest }) = notice {
            div .notice role="status" {
                p {
                    @if *ended > 0 { (several(*ended, "session")) " ended." }
                    @else if rest.is_none() { "No session was ended: there was none to end." }
                    @else { "No session was ended." }
                    @if rest.is_some() { " There may be more: not all of the store was read." }
                }
                @if let Some(rest) = rest {
                    form action=(base.at(&format!("/{}/end-all", panel.slug()))) method="post" {
                        input type="hidden" name="after" value=(rest);
                        button .danger { "End the rest" }
                    }
                }
            }
        }
    }
}

fn find_owner(base: &Base, panel: &Panel) -> Markup {
    html! {
        @if panel.owned {
            form .find action=(base.at(&format!("/{}/find", panel.slug()))) method="post" {
                label for="owner" { "Owner" }
                input id="owner" name="owner" required autocomplete="off";
                button { "Find" }
            }
        }
    }
}

pub(super) fn cannot_list(base: &Base, panel: &Panel, done: Option<&Notice>) -> Markup {
    let body = html! {
        h1 { (panel.title()) }
        (notice(base, panel, done))
        @if panel.core.is_stored() {
            p .problem {
                "The store of these sessions can't list them."
                @if panel.owned { " The sessions of an owner can be found and ended." }
            }
        } @else {
            p .problem { "These sessions are kept in their cookies. They can't be listed, and not be ended from here." }
        }
        (find_owner(base, panel))
    };
    layout(base, panel.title(), &crumbs(base, None), &body)
}

pub(super) fn list(
    base: &Base,
    panel: &Panel,
    page: &PageOfSessions,
    place: Option<&str>,
    done: Option<&Notice>,
    viewer: Option<PublicId>,
) -> Markup {
    let PageOfSessions { rows, next } = page;
    let body = html! {
        h1 { (panel.title()) }
        (notice(base, panel, done))
        (find_owner(base, panel))
        @if rows.sessions.is_empty() && rows.unreadable.is_empty() {
            p { @if next.is_some() { "No live session in this part of the store." } @else { "No live sessions." } }
        }
        (table(base, panel, rows, place.map(|place| ("after", place)), viewer))
        nav .pages aria-label="Pages" {
            @if place.is_some() { a href=(base.at(&format!("/{}", panel.slug()))) { "First page" } }
            @if let Some(next) = next {
                a rel="next" href=(base.at(&format!("/{}?after={}", panel.slug(), encoded(next)))) { "Next page" }
            }
        }
        p { a .danger href=(base.at(&format!("/{}/end-all", panel.slug()))) { "End all sessions" } }
    };
    layout(base, panel.title(), &crumbs(base, None), &body)
}

pub(super) fn owner(
    base: &Base,
    panel: &Panel,
    owner: &str,
    rows: &Rows,
    done: Option<&Notice>,
    viewer: Option<PublicId>,
) -> Markup {
    let shown = rows.sessions.iter().find_map(|row| row.owner.as_ref()?.shown.as_deref());
    let title = format!("Sessions of {}", shown.unwrap_or("an owner"));
    let is_own = rows.sessions.iter().any(|row| Some(row.session) == viewer);
    let body = html! {
        h1 { (title) }
        (notice(base, panel, done))
        @if rows.sessions.is_empty() && rows.unreadable.is_empty() { p { "This owner has no live sessions." } }
        @if rows.older > 0 { p { (several(rows.older as u64, "older session")) " not shown." } }
        (table(base, panel, rows, Some(("owner", owner)), viewer))
        @if rows.sessions.len() > usize::from(is_own) || !rows.unreadable.is_empty() || rows.older > 0 {
            form action=(base.at(&format!("/{}/owner/{}/end", panel.slug(), encoded(owner)))) method="post" {
                button .danger { @if is_own { "End all others" } @else { "End all of this owner" } }
            }
        }
    };
    layout(base, &title, &crumbs(base, Some(panel)), &body)
}

pub(super) fn ask_end_all(base: &Base, panel: &Panel, count: usize, more: bool) -> Markup {
    let title = format!("End all sessions of {}?", panel.title());
    let body = html! {
        h1 { (title) }
        p {
            @if more { "At least " }
            (several(count as u64, "live session")) ". Whoever uses one is logged out, apart from you. This can't be undone."
        }
        form .row action=(base.at(&format!("/{}/end-all", panel.slug()))) method="post" {
            button .danger { "End all sessions" }
            a href=(base.at(&format!("/{}", panel.slug()))) { "Cancel" }
        }
    };
    layout(base, &title, &crumbs(base, Some(panel)), &body)
}

/// Sessions in a table, and below it those that can't be read. `place` brings a form back to this page.
fn table(base: &Base, panel: &Panel, rows: &Rows, place: Option<(&str, &str)>, viewer: Option<PublicId>) -> Markup {
    let is_owners = place.is_some_and(|(name, _)| name == "owner");
    let (owned, now) = (panel.owned && !is_owners, panel.core.now());
    let head = |text: &str| html! { th scope="col" role="columnheader" { (text) } };
    html! {
        @if !rows.sessions.is_empty() {
            table .sessions role="table" {
                caption { (several(rows.sessions.len() as u64, "session")) " on this page" }
                thead role="rowgroup" {
                    tr role="row" {
                        @if owned { (head("Owner")) }
                        (head("Device")) (head("Session"))
                        @if panel.line.is_some() { (head("About")) }
                        (head("Started")) (head("Last used")) (head("Expires")) (head("End it"))
                    }
                }
                tbody role="rowgroup" {
                    @for row in &rows.sessions {
                        tr role="row" {
                            @if owned { td role="cell" data-label="Owner" { (owner_cell(base, panel, row)) } }
                            td role="cell" data-label="Device" {
                                @match &row.label {
                                    Some(label) => { (label) }
                                    None => { span .none { "not named" } }
                                }
                            }
                            td role="cell" data-label="Session" { code { (row.session) } }
                            @if let Some(line) = &panel.line { td role="cell" data-label="About" { (line(&*row.data)) } }
                            td role="cell" data-label="Started" { (time(row.created, now)) }
                            td role="cell" data-label="Last used" { (time(row.last_seen, now)) }
                            td role="cell" data-label="Expires" { (time(row.expires, now)) }
                            td role="cell" data-label="End it" {
                                @if Some(row.session) == viewer { span .badge { "This is you" } }
                                @else { (end_form(base, panel, row, place)) }
                            }
                        }
                    }
                }
            }
        }
        @if !rows.unreadable.is_empty() {
            h2 { "Not readable" }
            p {
                "These are stored, but this application can't use them. "
                @if is_owners { "They end with the others of this owner." } @else { "“End all sessions” leaves them alone." }
            }
            ul { @for (session, reason) in &rows.unreadable { li { code { (session) } ": " (reason) } } }
        }
    }
}

fn owner_cell(base: &Base, panel: &Panel, row: &Row) -> Markup {
    html! {
        @match &row.owner {
            Some(owner) => {
                a href=(base.at(&format!("/{}/owner/{}", panel.slug(), owner.reference))) {
                    (owner.shown.as_deref().unwrap_or("secret"))
                }
            }
            None => { span .none { "nobody" } }
        }
    }
}

fn end_form(base: &Base, panel: &Panel, row: &Row, place: Option<(&str, &str)>) -> Markup {
    html! {
        form action=(base.at(&format!("/{}/end", panel.slug()))) method="post" {
            input type="hidden" name="session" value=(row.reference);
            @if let Some((name, value)) = place { input type="hidden" name=(name) value=(value); }
            button aria-label=(format!("End session {}", row.session)) { "End" }
        }
    }
}

fn time(time: Timestamp, now: Timestamp) -> Markup {
    html! {
        @match exact(time) {
            Some(exact) => { time datetime=(exact) title=(exact) { (relative(time, now)) } }
            None => { (relative(time, now)) }
        }
    }
}
