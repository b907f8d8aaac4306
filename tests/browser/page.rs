//! What a page shows, and the servers that show it.

use session_tests::{App, Engine, Redis, wait};
use tempfile::TempDir;

const KEY: &str = "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkA=";

/// Waits until the page says this: a click or a submitted form takes a moment.
pub(crate) async fn shows<E: Engine>(browser: &E, css: &str, text: &str) {
    let what = format!("{css} says {text:?}");
    let content = format!("document.querySelector({css:?})?.textContent ?? ''");
    wait::until(wait::ANSWER, &what, async || browser.script(&content).await.as_deref() == Some(text)).await;
}

/// An example in one process in memory, or in two on a store that they share.
pub(crate) struct Site {
    pub(crate) apps: Vec<App>,
    _redis: Option<Redis>,
    _folder: TempDir,
}

/// Where an example keeps its sessions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    Memory,
    Redis,
    Sqlite,
}

impl Site {
    pub(crate) async fn start(example: &str, place: Place) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let redis = match place {
            Place::Redis => Some(Redis::start().await),
            _ => None,
        };
        let store = match (&redis, place) {
            (Some(redis), _) => Some(redis.url()),
            (None, Place::Sqlite) => Some(format!("sqlite:{}", folder.path().join("sessions").display())),
            _ => None,
        };
        let mut apps = Vec::new();
        for _ in 0..if store.is_some() { 2 } else { 1 } {
            let program = App::example(example).env("ACCOUNTS", folder.path().join("accounts.json"));
            let program = match &store {
                Some(store) => program.env("SESSION_STORE", store).env("SESSION_KEYS", KEY),
                None => program,
            };
            apps.push(program.start().await);
        }
        Self { apps, _redis: redis, _folder: folder }
    }

    /// The address of the first process, and of the last: another one, where there are two.
    pub(crate) fn urls(&self) -> [String; 2] {
        let url = |app: &App| format!("http://localhost:{}", app.address().port());
        [url(&self.apps[0]), url(&self.apps[self.apps.len() - 1])]
    }
}

/// Makes a test of each scenario (`async fn scenario<E: Engine>(place: Place)`) for each place in Chromium, and for the
/// other engines in memory: which store it is makes no difference to a browser.
macro_rules! in_every_place {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            use session_tests::{Browser, Firefox, WebKit};

            use crate::page::Place;

            #[tokio::test]
            async fn in_memory() {
                super::$scenario::<Browser>(Place::Memory).await;
            }

            #[tokio::test]
            async fn on_redis() {
                super::$scenario::<Browser>(Place::Redis).await;
            }

            #[tokio::test]
            async fn on_sqlite() {
                super::$scenario::<Browser>(Place::Sqlite).await;
            }

            #[tokio::test]
            async fn in_webkit() {
                super::$scenario::<WebKit>(Place::Memory).await;
            }

            #[tokio::test]
            async fn in_firefox() {
                super::$scenario::<Firefox>(Place::Memory).await;
            }
        }
    )+};
}
pub(crate) use in_every_place;
