//! The quickstart as its users meet it: in a real browser, and with curl.

mod curl;
mod harness;
mod quickstart;
