#![allow(dead_code, unused_imports, unused_macros)]
#[path = "http/device_bound/mod.rs"]
mod device_bound;
#[path = "browser/device_bound.rs"]
mod in_browser;
#[path = "http/support/mod.rs"]
mod support;
