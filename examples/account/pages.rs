//! The pages.

use std::time::{Duration, SystemTime};

use maud::{Markup, html};
use session_runtime::{Listing, PublicId};

use crate::accounts::Refusal;
use crate::page::page;

pub(crate) fn welcome(problem: Option<&Refusal>) -> Markup {
    page(
        "Log in",
        &html! {
            h1 { "Welcome" }
            (problem_box(problem))
            form action="/login" method="post" {
                label { "Your name" input name="name" required autofocus autocomplete="username" maxlength="40"; }
                label {
                    "Password"
                    input name="password" type="password" required minlength="8" autocomplete="current-password";
                }
                label .choice { input name="remember" type="checkbox"; " Remember me on this device" }
                div .row {
                    button { "Log in" }
                    button .quiet formaction="/register" { "Create an account" }
                }
            }
        },
    )
}

pub(crate) fn account(name: &str, notice: Option<&str>, problem: Option<&Refusal>) -> Markup {
    page(
        "Your account",
        &html! {
            (top(&format!("Hello, {name}!")))
            @if let Some(notice) = notice { p .notice role="status" { (notice) } }
            (problem_box(problem))
            section {
                h2 { "Devices" }
                p { "See where you are logged in, and log out from afar." }
                a href="/devices" { "Your devices" }
            }
            section {
                h2 { "Password" }
                p { "Changing it logs all your other devices out." }
                form #password action="/password" method="post" {
                    label {
                        "Current password"
                        input name="current" type="password" required autocomplete="current-password";
                    }
                    label {
                        "New password"
                        input name="new" type="password" required minlength="8" autocomplete="new-password";
                    }
                    button { "Change the password" }
                }
            }
            section .danger {
                h2 { "Delete the account" }
                p { "This can't be undone. You may be asked for your password." }
                form action="/delete" method="post" { button .danger { "Delete my account" } }
            }
        },
    )
}

pub(crate) fn devices(devices: &[Listing], this: PublicId) -> Markup {
    page(
        "Your devices",
        &html! {
            (top("Your devices"))
            p { a href="/" { "Back to your account" } }
            section {
                ul #devices {
                    @for device in devices {
                        li .row {
                            div {
                                strong { (device.label().unwrap_or("A device")) }
                                @if device.is(this) { span .badge { "This device" } }
                                small {
                                    "Logged in " (ago(device.created_at()))
                                    ", last used " (ago(device.last_seen_at()))
                                }
                            }
                            @if !device.is(this) {
                                form action="/devices/end" method="post" {
                                    input type="hidden" name="device" value=(device.public_id());
                                    button .quiet { "Log out" }
                                }
                            }
                        }
                    }
                }
            }
            div .row {
                form action="/devices/end-others" method="post" { button { "Log out all others" } }
                form action="/devices/end-all" method="post" { button .quiet { "Log out everywhere" } }
            }
        },
    )
}

pub(crate) fn ask_again(problem: Option<&Refusal>) -> Markup {
    page(
        "Is it you?",
        &html! {
            h1 { "Is it you?" }
            p { "It's been a while. Please type your password again before you go on." }
            (problem_box(problem))
            form action="/confirm" method="post" {
                label {
                    "Password"
                    input name="password" type="password" required autofocus autocomplete="current-password";
                }
                button { "Go on" }
            }
            p { a href="/" { "Back to your account" } }
        },
    )
}

fn top(title: &str) -> Markup {
    html! {
        div .row {
            h1 { (title) }
            form #logout action="/logout" method="post" { button .quiet { "Log out" } }
        }
    }
}

fn problem_box(problem: Option<&Refusal>) -> Markup {
    html! { @if let Some(problem) = problem { p .problem role="alert" { (problem) } } }
}

fn ago(time: SystemTime) -> String {
    let minutes = SystemTime::now().duration_since(time).unwrap_or(Duration::ZERO).as_secs() / 60;
    let several = |count: u64, unit: &str| format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" });
    match minutes {
        0 => "just now".into(),
        1..60 => several(minutes, "minute"),
        60..1440 => several(minutes / 60, "hour"),
        _ => several(minutes / 1440, "day"),
    }
}
