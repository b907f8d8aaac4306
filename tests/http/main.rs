//! HTTP behaviour, over real sockets with a real client and its cookie jar.

mod answers;
mod attributes;
mod bad_cookies;
mod borrows;
mod carried;
mod cookies;
mod guards;
mod handlers;
mod harness;
mod leaks;
mod life;
mod long_lived;
mod missing;
mod opaque;
mod or_default;
mod own_backend;
mod quiet;
mod rotation;
mod several;
mod snapshots;
mod startup;
mod stored;
mod support;
mod timeouts;
mod together;
