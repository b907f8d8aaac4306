//! A browser whichever its engine: what scenarios that run in all of them may ask.

use crate::{Browser, Firefox, WebKit};

/// The steps that Blink, WebKit and Gecko can all be asked for.
///
/// A step that fails ends the test, with the step's name.
#[expect(async_fn_in_trait, reason = "the tests await it in place and never on another thread")]
pub trait Engine: Sized {
    /// The browser's name, as the example `account` reads it from `User-Agent`.
    const NAME: &'static str;

    /// Starts a browser with a fresh profile, which ends with the value.
    async fn start() -> Self;

    /// Goes to a page and waits until it has loaded.
    async fn open(&self, url: &str);

    /// Types text into a field.
    async fn fill(&self, css: &str, text: &str);

    /// Clicks an element.
    async fn click(&self, css: &str);

    /// The value of a JavaScript expression, as text; none while the page gives way to another.
    async fn script(&self, expression: &str) -> Option<String>;

    /// The value of a cookie of the page, `HttpOnly` ones too.
    async fn cookie(&self, name: &str) -> Option<String>;

    /// Opens a page in a new tab, does the steps there and comes back to the tab before.
    async fn in_another_tab(&self, url: &str, steps: impl AsyncFnOnce(&Self));
}

/// What every browser here has as a method of its own.
macro_rules! steps {
    () => {
        async fn start() -> Self {
            Self::start().await
        }

        async fn open(&self, url: &str) {
            self.open(url).await;
        }

        async fn fill(&self, css: &str, text: &str) {
            self.fill(css, text).await;
        }

        async fn click(&self, css: &str) {
            self.click(css).await;
        }
    };
}

/// And these, which WebDriver says.
macro_rules! steps_over_webdriver {
    () => {
        steps!();

        async fn script(&self, expression: &str) -> Option<String> {
            self.execute(format!("return String({expression})"), Vec::new()).await.ok()?.convert().ok()
        }

        async fn cookie(&self, name: &str) -> Option<String> {
            Some(self.get_named_cookie(name).await.ok()?.value)
        }

        async fn in_another_tab(&self, url: &str, steps: impl AsyncFnOnce(&Self)) {
            let before = self.window().await.expect("there is a tab");
            let tab = self.new_tab().await.expect("a tab opens");
            self.switch_to_window(tab).await.expect("the tab is there");
            self.open(url).await;
            steps(self).await;
            self.switch_to_window(before).await.expect("the tab before is there");
        }
    };
}

impl Engine for Browser {
    const NAME: &'static str = "Chrome";

    steps_over_webdriver!();
}

impl Engine for WebKit {
    const NAME: &'static str = "Safari";

    steps_over_webdriver!();
}

impl Engine for Firefox {
    const NAME: &'static str = "Firefox";

    steps!();

    async fn script(&self, expression: &str) -> Option<String> {
        Some(self.evaluate(&format!("String({expression})")).await?.as_str()?.to_owned())
    }

    async fn cookie(&self, name: &str) -> Option<String> {
        self.cookie(name).await
    }

    async fn in_another_tab(&self, url: &str, steps: impl AsyncFnOnce(&Self)) {
        let before = self.switch_to_new_tab().await;
        self.open(url).await;
        steps(self).await;
        self.switch_to_tab(before);
    }
}

/// Makes a test of each scenario, an `async fn` that is generic over [`Engine`], for each engine.
///
/// ```no_run
/// # use session_tests::{Engine, in_every_engine};
/// # fn main() {}
/// in_every_engine! { a_page_opens }
///
/// async fn a_page_opens<E: Engine>() {
///     E::start().await.open("http://localhost/").await;
/// }
/// ```
#[macro_export]
macro_rules! in_every_engine {
    ($($scenario:ident),+ $(,)?) => {$(
        mod $scenario {
            #[tokio::test]
            async fn in_chromium() {
                super::$scenario::<$crate::Browser>().await;
            }

            #[tokio::test]
            async fn in_webkit() {
                super::$scenario::<$crate::WebKit>().await;
            }

            #[tokio::test]
            async fn in_firefox() {
                super::$scenario::<$crate::Firefox>().await;
            }
        }
    )+};
}
