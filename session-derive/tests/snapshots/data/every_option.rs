#[automatically_derived]
impl my::sessions::SessionData for User {
    type Backend = my::sessions::backend::Memory;
    const REJECTS: ::core::primitive::bool = true;
    const CLEAR_SITE_DATA: ::core::primitive::bool = true;
    fn declaration() -> my::sessions::__private::Declaration {
        my::sessions::__private::Declaration::new(
                "User",
                ::core::env!("CARGO_PKG_NAME"),
                ::core::module_path!(),
            )
            .name("shop-user")
            .key(my::sessions::__private::Value::env("SESSION_KEYS"))
            .cookie(
                my::sessions::__private::CookieAttribute::Name,
                my::sessions::__private::Value::literal("__Secure-user"),
            )
            .cookie(
                my::sessions::__private::CookieAttribute::Path,
                my::sessions::__private::Value::literal("/app"),
            )
            .cookie(
                my::sessions::__private::CookieAttribute::Domain,
                my::sessions::__private::Value::env_or("DOMAIN", "example.org"),
            )
            .cookie(
                my::sessions::__private::CookieAttribute::SameSite,
                my::sessions::__private::Value::literal("None"),
            )
            .cookie(
                my::sessions::__private::CookieAttribute::Secure,
                my::sessions::__private::Value::literal("true"),
            )
            .cookie(
                my::sessions::__private::CookieAttribute::HttpOnly,
                my::sessions::__private::Value::literal("true"),
            )
            .cookie(
                my::sessions::__private::CookieAttribute::Partitioned,
                my::sessions::__private::Value::env("PARTITIONED"),
            )
            .cookie(
                my::sessions::__private::CookieAttribute::Persistent,
                my::sessions::__private::Value::env_or("PERSISTENT", "false"),
            )
            .cookie(
                my::sessions::__private::CookieAttribute::FormerDomain,
                my::sessions::__private::Value::literal(""),
            )
            .cookie(
                my::sessions::__private::CookieAttribute::FormerPath,
                my::sessions::__private::Value::literal("/old"),
            )
            .transport(my::sessions::__private::Transport::Bearer)
            .transport(my::sessions::__private::Transport::header("x-session"))
            .transport(my::sessions::__private::Transport::Cookie)
            .trusted_origins(
                my::sessions::__private::Value::literal("https://app.example"),
            )
            .trusted_origins(my::sessions::__private::Value::env_or("PARTNERS", ""))
            .public_origin(
                my::sessions::__private::Value::env_or(
                    "PUBLIC_ORIGIN",
                    "http://localhost:3000",
                ),
            )
            .idle(my::sessions::__private::Value::literal("30m"))
            .lifetime(my::sessions::__private::Value::env_or("SESSION_LIFETIME", "12h"))
    }
    async fn open_backend(
        __scope: &my::sessions::backend::Scope,
    ) -> ::core::result::Result<my::sessions::backend::Memory, my::sessions::OpenError> {
        let mut __config = <<my::sessions::backend::Memory as my::sessions::backend::OpenBackend>::Config as ::core::default::Default>::default();
        my::sessions::__private::set(
            &mut __config.capacity,
            "backend = memory(capacity)",
            my::sessions::__private::Value::literal("10000"),
        )?;
        my::sessions::__private::open_with::<
            my::sessions::backend::Memory,
        >(
                __config,
                __scope,
                &[
                    (
                        "backend = memory(capacity)",
                        my::sessions::__private::Value::literal("10000"),
                    ),
                ],
            )
            .await
    }
    fn lends() -> ::core::primitive::bool {
        my::sessions::__private::LeaseSupport::<my::sessions::backend::Memory>::OF
            .implemented()
    }
    fn missing() -> my::sessions::__private::Missing {
        my::sessions::__private::Missing::checked_redirect("/login")
    }
}
#[automatically_derived]
impl<__State> my::sessions::__private::FromRequestParts<__State> for User
where
    __State: my::sessions::__private::HasSessions<User> + ::core::marker::Send
        + ::core::marker::Sync,
{
    type Rejection = my::sessions::__private::Rejection;
    fn from_request_parts(
        __parts: &mut my::sessions::__private::Parts,
        __state: &__State,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self, my::sessions::__private::Rejection>,
    > + ::core::marker::Send {
        my::sessions::__private::snapshot::<User, __State>(__parts, __state)
    }
}
#[automatically_derived]
impl<__State> my::sessions::__private::OptionalFromRequestParts<__State> for User
where
    __State: my::sessions::__private::HasSessions<User> + ::core::marker::Send
        + ::core::marker::Sync,
{
    type Rejection = my::sessions::__private::Rejection;
    fn from_request_parts(
        __parts: &mut my::sessions::__private::Parts,
        __state: &__State,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::core::option::Option<Self>,
            my::sessions::__private::Rejection,
        >,
    > + ::core::marker::Send {
        my::sessions::__private::snapshot_optional::<User, __State>(__parts, __state)
    }
}
#[automatically_derived]
#[diagnostic::do_not_recommend]
impl<
    '__a,
    __S: ::core::marker::Send + ::core::marker::Sync,
> my::sessions::__private::FromRequestParts<__S> for &'__a User
where
    fn(
        my::sessions::__private::AddSessionAttributeToHandlerOf<&'__a User>,
    ): ::core::ops::FnOnce(__S),
{
    type Rejection = my::sessions::__private::Infallible;
    fn from_request_parts(
        _: &mut my::sessions::__private::Parts,
        _: &__S,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self, my::sessions::__private::Infallible>,
    > + ::core::marker::Send {
        my::sessions::__private::never()
    }
}
#[automatically_derived]
#[diagnostic::do_not_recommend]
impl<
    '__a,
    __S: ::core::marker::Send + ::core::marker::Sync,
> my::sessions::__private::OptionalFromRequestParts<__S> for &'__a User
where
    fn(
        my::sessions::__private::AddSessionAttributeToHandlerOf<&'__a User>,
    ): ::core::ops::FnOnce(__S),
{
    type Rejection = my::sessions::__private::Infallible;
    fn from_request_parts(
        _: &mut my::sessions::__private::Parts,
        _: &__S,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::core::option::Option<Self>,
            my::sessions::__private::Infallible,
        >,
    > + ::core::marker::Send {
        my::sessions::__private::never()
    }
}
#[automatically_derived]
#[diagnostic::do_not_recommend]
impl<
    '__a,
    __S: ::core::marker::Send + ::core::marker::Sync,
> my::sessions::__private::FromRequestParts<__S> for &'__a mut User
where
    fn(
        my::sessions::__private::AddSessionAttributeToHandlerOf<&'__a mut User>,
    ): ::core::ops::FnOnce(__S),
{
    type Rejection = my::sessions::__private::Infallible;
    fn from_request_parts(
        _: &mut my::sessions::__private::Parts,
        _: &__S,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self, my::sessions::__private::Infallible>,
    > + ::core::marker::Send {
        my::sessions::__private::never()
    }
}
#[automatically_derived]
#[diagnostic::do_not_recommend]
impl<
    '__a,
    __S: ::core::marker::Send + ::core::marker::Sync,
> my::sessions::__private::OptionalFromRequestParts<__S> for &'__a mut User
where
    fn(
        my::sessions::__private::AddSessionAttributeToHandlerOf<&'__a mut User>,
    ): ::core::ops::FnOnce(__S),
{
    type Rejection = my::sessions::__private::Infallible;
    fn from_request_parts(
        _: &mut my::sessions::__private::Parts,
        _: &__S,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::core::option::Option<Self>,
            my::sessions::__private::Infallible,
        >,
    > + ::core::marker::Send {
        my::sessions::__private::never()
    }
}
