//! The quickstart and our cookies as their users meet them: in a real browser, with curl, and with Python's requests.

mod chromium;
mod curl;
mod harness;
mod quickstart;
mod requests;
mod shop;
