//! Opening sessions, with parts of the declaration replaced.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::time::Duration;

use session_rules::origin::Origin;
use session_rules::time;

use super::check::Check;
use super::core::{Core, Inner};
#[cfg(feature = "device-bound")]
use super::device::Binding;
use super::domains::Domains;
use super::end_hook::{EndHook, EndHooks, StatefulEndHook};
use super::ending;
use super::identity::{Claimant, claim_purpose};
use super::schema::Schema;
use super::sweep::sweeper;
use super::{ForgedTokenMonitor, SessionData, Sessions, Threshold};
use crate::backend::{Backend, Cookie, Memory, OpenBackend, Store};
use crate::clock::{Clock, SystemClock};
#[cfg(feature = "admin")]
use crate::crypto::References;
use crate::crypto::{Keyring, Sealer};
use crate::declaration::{DomainSource, Overrides, Settings, Transport};
use crate::error::OpenError;
use crate::guard::StatefulCheck;
use crate::id::{RecordNames, TypeTag};
use crate::lease::{LeaseTiming, Queue, StoreClient};
use crate::missing::Missing;
use crate::telemetry;
use crate::token::{TokenCache, Tokens};

/// Replaces parts of a type's declaration when its sessions are opened.
///
/// What isn't named stays as declared; what is named is not read from the environment.
#[must_use]
pub struct Builder<T> {
    backend: Option<Store>,
    /// Whether the replaced backend may go with a key that ends with the process.
    volatile: bool,
    /// Whether the replaced backend is one whose records travel in tokens.
    carried: Option<bool>,
    overrides: Overrides,
    clock: Arc<dyn Clock>,
    deadline: Duration,
    timing: LeaseTiming,
    token_cache_bytes: usize,
    forged: Threshold,
    missing: Option<Missing>,
    verify: Option<Check>,
    end_hook: Option<EndHook>,
    data: PhantomData<fn() -> T>,
}

impl<T> Builder<T> {
    pub(super) fn new() -> Self {
        Self {
            backend: None,
            volatile: true,
            carried: None,
            overrides: Overrides::default(),
            clock: Arc::new(SystemClock),
            deadline: Duration::from_secs(1),
            timing: LeaseTiming { ttl: Duration::from_secs(10), wait: Duration::from_secs(5) },
            token_cache_bytes: 2 << 20,
            forged: Threshold { tokens: 20, window: Duration::from_secs(60) },
            missing: None,
            verify: None,
            end_hook: None,
            data: PhantomData,
        }
    }

    /// Another backend.
    #[doc = include_str!("../docs/examples/builder_backend.md")]
    pub fn backend<B: Backend>(self, backend: B) -> Self {
        self.shared_backend(Arc::new(backend))
    }

    /// Another backend, in an `Arc` that others use as well.
    ///
    /// If the declared backend has [leases](crate::backend::Leases), handlers may borrow by `&mut`, so this one needs
    /// them too.
    #[doc = include_str!("../docs/examples/builder_shared_backend.md")]
    pub fn shared_backend<B: Backend>(mut self, backend: Arc<B>) -> Self {
        self.backend = Some(Store::new(backend));
        self.carried = Some(TypeId::of::<B>() == TypeId::of::<Cookie>());
        self.volatile = TypeId::of::<B>() == TypeId::of::<Memory>();
        self
    }

    /// Fernet keys, newest first, comma-separated. A malformed one is reported by [`open`](Self::open).
    #[doc = include_str!("../docs/examples/builder_key.md")]
    pub fn key(mut self, keys: &str) -> Self {
        self.overrides.keyring = Some(Keyring::parse(keys));
        self
    }

    /// A key that is made now and ends with the process. All tokens end with it.
    #[doc = include_str!("../docs/examples/builder_ephemeral_key.md")]
    pub fn ephemeral_key(mut self) -> Self {
        self.overrides.keyring = Some(Ok(Keyring::ephemeral()));
        self
    }

    /// The clock by which everything expires.
    #[doc = include_str!("../docs/examples/builder_clock.md")]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How long a session lives without being used.
    #[doc = include_str!("../docs/examples/builder_idle.md")]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.overrides.idle = Some(idle);
        self
    }

    /// How long a session lives however much it is used.
    #[doc = include_str!("../docs/examples/builder_lifetime.md")]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.overrides.lifetime = Some(lifetime);
        self
    }

    /// How long an id is in use before it is rotated on a schedule.
    #[doc = include_str!("../docs/examples/builder_rotate_every.md")]
    pub fn rotate_every(mut self, every: Duration) -> Self {
        self.overrides.rotate_every = Some(every);
        self
    }

    /// How long one call to the backend may take before the request is answered 503 (default: 1 s).
    #[doc = include_str!("../docs/examples/builder_deadline.md")]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How long an exclusive borrow may wait for its turn before the request is answered 409 (default: 5 s). A
    /// handler's own `wait` comes first. More than 400 days count as 400 days.
    #[doc = include_str!("../docs/examples/builder_wait.md")]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.timing.wait = wait.min(time::MAX_LIFETIME);
        self
    }

    /// How long an exclusive borrow outlives its process (default: 10 s). While the handler runs, the lease is
    /// extended every third of that time. More than 400 days count as 400 days.
    #[doc = include_str!("../docs/examples/builder_lease.md")]
    pub fn lease(mut self, ttl: Duration) -> Self {
        self.timing.ttl = ttl.min(time::MAX_LIFETIME);
        self
    }

    /// How many bytes verified tokens may take that are remembered, each with the data decoded last (default: 2 MiB, which
    /// is some 1,600 small sessions). A remembered token need not be decrypted again, nor unchanged data decoded.
    ///
    /// The size of the data in memory is not known. It counts as twice its JSON.
    #[doc = include_str!("../docs/examples/builder_token_cache_bytes.md")]
    pub fn token_cache_bytes(mut self, bytes: usize) -> Self {
        self.token_cache_bytes = bytes;
        self
    }

    /// Origins of other sites that may make requests which change something, such as `https://shop.example`, in
    /// place of the declared `trusted_origins`. A malformed one is reported by [`open`](Self::open).
    #[doc = include_str!("../docs/examples/builder_trusted_origins.md")]
    pub fn trusted_origins<'a>(mut self, origins: impl IntoIterator<Item = &'a str>) -> Self {
        self.overrides.trusted_origins = Some(origins.into_iter().map(Origin::parse).collect());
        self
    }

    /// The origin at which browsers see the application, such as `https://app.example`, in place of the declared
    /// `public_origin`. A malformed one is reported by [`open`](Self::open).
    #[doc = include_str!("../docs/examples/builder_public_origin.md")]
    pub fn public_origin(mut self, origin: &str) -> Self {
        self.overrides.public_origin = Some(Origin::parse(origin));
        self
    }

    /// The domains of an application of several, such as `shop-a.example`, in place of the declared `cookie(domain)`. What is
    /// wrong with one is reported by [`open`](Self::open).
    #[doc = include_str!("../docs/examples/builder_cookie_domains.md")]
    pub fn cookie_domains<'a>(mut self, domains: impl IntoIterator<Item = &'a str>) -> Self {
        self.overrides.domains = Some(DomainSource::List(domains.into_iter().map(str::to_owned).collect()));
        self
    }

    /// Asks this function which domain a request is at, in place of the declared `cookie(domain)`: for domains that are
    /// known only while the application runs. `None` refuses the request with 421. A name that is not a domain of the
    /// request's host is answered with 500, with the event `session.wrong_domain`.
    #[doc = include_str!("../docs/examples/builder_cookie_domain_by.md")]
    pub fn cookie_domain_by(
        mut self,
        domain: impl Fn(&http::request::Parts) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.overrides.domains = Some(DomainSource::Function(Arc::new(domain)));
        self
    }

    /// How many forged tokens of one client, within which time, raise the event `session.forged` (default: 20 in a
    /// minute). It is raised at most once in that time; with zero tokens never.
    ///
    /// A client is an IPv4 address or a /64 network of IPv6, if the request has the connection's
    /// [`ConnectInfo<SocketAddr>`](axum::extract::ConnectInfo). All requests without one count as one client. Behind a
    /// proxy let a middleware of yours put the true address there. A token that has expired does not count as forged. A
    /// token under a key that was removed does, since it looks the same.
    #[doc = include_str!("../docs/examples/builder_forged_tokens.md")]
    pub fn forged_tokens(mut self, tokens: u32, within: Duration) -> Self {
        self.forged = Threshold { tokens, window: within };
        self
    }

    /// What an anonymous request gets where a session is needed, in place of the declared `missing`: such as a handler
    /// that takes the application's state. A handler's own `missing` comes first.
    #[doc = include_str!("../docs/examples/builder_missing.md")]
    pub fn missing(mut self, missing: Missing) -> Self {
        self.missing = Some(missing);
        self
    }

    /// Asks this function on every load whether the request may use the session, in place of the declared `verify`. It is
    /// an async function of the data, the request's parts and this state, such as a database.
    #[doc = include_str!("../docs/examples/builder_verify_with.md")]
    pub fn verify_with<S: Send + Sync + 'static, M: 'static>(
        mut self,
        state: S,
        verify: impl for<'a> StatefulCheck<'a, T, S, M>,
    ) -> Self
    where
        T: SessionData,
    {
        self.verify = Some(Check::with_state(state, verify));
        self
    }

    /// Tells this function of each session that has ended, in place of the declared `on_end`. It is an async function of the
    /// data, the reason and this state, such as a database. [What each backend promises](crate::guide::people).
    #[doc = include_str!("../docs/examples/builder_on_end_with.md")]
    pub fn on_end_with<S: Send + Sync + 'static, M: 'static>(
        mut self,
        state: S,
        hook: impl for<'a> StatefulEndHook<'a, T, S, M>,
    ) -> Self
    where
        T: SessionData,
    {
        self.end_hook = Some(EndHook::with_state(state, hook));
        self
    }

    /// Opens the sessions.
    ///
    /// # Errors
    /// Every setting that is missing or wrong, with its environment variable and the remedy; a backend without leases
    /// for a type that handlers may borrow by `&mut`.
    #[doc = include_str!("../docs/examples/builder_open.md")]
    pub async fn open(self) -> Result<Sessions<T>, OpenError>
    where
        T: SessionData,
    {
        let declaration = T::declaration();
        let scope = declaration.scope().clone();
        let volatile = self.volatile;
        let settings = Settings::resolve(&declaration, self.overrides).and_then(|mut settings| {
            let keyring = settings.keyring.take().or_else(|| volatile.then(Keyring::ephemeral)).ok_or_else(keyless)?;
            Ok((settings, keyring))
        });
        let carried = self.carried.unwrap_or(<T::Backend as OpenBackend>::CARRIED);
        let (store, without_leases) = match self.backend {
            Some(store) => (Ok(store), GIVEN_WITHOUT_LEASES),
            None => (T::open_backend(&scope).await.map(|backend| Store::new(Arc::new(backend))), SILENT_ABOUT_LEASES),
        };
        let store = store.and_then(|store| match store.leases() {
            #[cfg(feature = "device-bound")]
            _ if carried && declaration.is_device_bound() => Err(OpenError::option("backend", None, CARRIED_BUT_BOUND)),
            _ if carried && T::OWNED => Err(OpenError::option("backend", None, CARRIED_BUT_OWNED)),
            None if T::lends() => Err(OpenError::option("backend", None, without_leases)),
            _ => Ok(store),
        });
        // What is wrong with the backend is told together with the rest.
        let ((mut settings, keyring), store) = match (settings, store) {
            (Ok(settings), Ok(store)) => (settings, store),
            (Err(first), Err(second)) => return Err(first.and(second)),
            (Err(error), Ok(_)) | (Ok(_), Err(error)) => return Err(error),
        };
        telemetry::opened(scope.type_name);
        if settings.cookie.http_on_localhost {
            telemetry::http_on_localhost(scope.type_name);
        }
        let purpose = format!("{}/{}", scope.identity(), settings.cookie.name);
        let transports = &settings.transports;
        let source = settings.domains.take();
        let domains =
            source.map(|source| Domains::new(source, &keyring, &purpose, settings.lifetime, &settings.cookie));
        let listed = domains.iter().flat_map(Domains::cookies);
        let cookies = domains.is_none().then_some(&settings.cookie).into_iter().chain(listed);
        let cookies = cookies.filter(|_| transports.contains(&Transport::Cookie));
        claim_purpose(&Claimant::of::<T>(scope.is_named()), &purpose, cookies)?;
        let client = Arc::new(StoreClient {
            session_type: scope.type_name,
            store,
            clock: self.clock,
            deadline: self.deadline,
            writes: Arc::default(),
        });
        #[cfg(feature = "device-bound")]
        let device = settings.device.map(|declared| Binding::new(declared, &keyring, &purpose, &settings.cookie));
        let inner = Inner {
            schema: Schema::of::<T>(),
            tokens: Tokens::new(&keyring, &purpose, settings.lifetime),
            #[cfg(feature = "admin")]
            references: References::new(&keyring, &purpose),
            sealer: Sealer::new(&keyring, &purpose),
            token_cache: TokenCache::new(self.token_cache_bytes),
            queue: Queue::new(),
            slack: client.store.backend().idle_slack(settings.idle),
            rotate_every: settings.rotate_every,
            sweeper: sweeper(&client, settings.idle),
            client,
            type_tag: TypeTag::of(&purpose),
            record_names: RecordNames::of(&purpose),
            purpose,
            carried,
            idle: settings.idle,
            timing: self.timing,
            cookie_on_localhost: settings.cookie.on_localhost(),
            cookie: settings.cookie,
            domains,
            transports: settings.transports,
            trusted_origins: settings.trusted_origins,
            public_origin: settings.public_origin,
            forged_tokens: ForgedTokenMonitor::new(self.forged),
            usual_body: AtomicUsize::new(128),
            duplicates_told: AtomicU64::new(0),
            missing: self.missing.unwrap_or_else(T::missing),
            verify: self.verify,
            end_hooks: self.end_hook.or_else(T::on_end).map(EndHooks::new),
            limit: Some(settings.limit),
            #[cfg(feature = "device-bound")]
            device,
        };
        let core = Core(Arc::new(inner), None);
        ending::note(&core);
        Ok(Sessions::of_core(core))
    }
}

const GIVEN_WITHOUT_LEASES: &str = "has no leases, and handlers may borrow this type by `&mut`, since the backend that it declares has them; give the \
     builder one that implements `Leases` and says so in `Backend::capabilities`, such as `Memory`";
const SILENT_ABOUT_LEASES: &str =
    "implements `Leases`, but doesn't say so; write `Capabilities::none().leases(self)` in its `Backend::capabilities`";
#[cfg(feature = "device-bound")]
const CARRIED_BUT_BOUND: &str = "keeps no sessions, and those of this type keep the key of the device that they are bound to; \
     give the builder one that keeps them, such as `Memory`";
const CARRIED_BUT_OWNED: &str = "keeps no sessions, and those of this type are to be listed and ended by their owner; \
     give the builder one that keeps them, such as `Memory`";

fn keyless() -> OpenError {
    let why = "is missing, and this backend outlives the process; give the builder a `key`, or say `ephemeral_key`";
    OpenError::option("key", None, why)
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("overrides", &self.overrides).finish_non_exhaustive()
    }
}
