//! The quickstart and our cookies as their users meet them: in a real browser, with curl, and with Python's requests.

mod account;
mod admin;
mod chat;
mod chromium;
mod curl;
mod device_bound;
mod device_bound_example;
mod device_bound_site;
mod domains;
mod engines;
mod expiry;
mod flash;
mod harness;
mod openapi;
mod page;
mod proxy;
mod quickstart;
mod requests;
mod return_to;
mod shop;
mod single_sign_on;
