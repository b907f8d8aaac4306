#[automatically_derived]
impl ::session_runtime::SessionData for r#User {
    type Backend = ::session_runtime::backend::Redis;
    fn declaration() -> ::session_runtime::__private::Declaration {
        ::session_runtime::__private::Declaration::new(
                "User",
                ::core::env!("CARGO_PKG_NAME"),
                ::core::module_path!(),
            )
            .key(::session_runtime::__private::Value::env("K"))
    }
    async fn open_backend(
        __scope: &::session_runtime::backend::Scope,
    ) -> ::core::result::Result<
        ::session_runtime::backend::Redis,
        ::session_runtime::OpenError,
    > {
        let mut __config = <<::session_runtime::backend::Redis as ::session_runtime::backend::OpenBackend>::Config as ::core::default::Default>::default();
        ::session_runtime::__private::set(
            &mut __config.url,
            "backend = redis(url)",
            ::session_runtime::__private::Value::env("REDIS_URL"),
        )?;
        ::session_runtime::__private::set(
            &mut __config.prefix,
            "backend = redis(prefix)",
            ::session_runtime::__private::Value::literal("shop"),
        )?;
        ::session_runtime::__private::open_with::<
            ::session_runtime::backend::Redis,
        >(
                __config,
                __scope,
                &[
                    (
                        "backend = redis(url)",
                        ::session_runtime::__private::Value::env("REDIS_URL"),
                    ),
                    (
                        "backend = redis(prefix)",
                        ::session_runtime::__private::Value::literal("shop"),
                    ),
                ],
            )
            .await
    }
    fn lends() -> ::core::primitive::bool {
        ::session_runtime::__private::LeaseSupport::<
            ::session_runtime::backend::Redis,
        >::OF
            .implemented()
    }
    fn missing() -> ::session_runtime::__private::Missing {
        ::session_runtime::__private::Missing::checked_status(403u16)
    }
}
#[automatically_derived]
impl<__State> ::session_runtime::__private::FromRequestParts<__State> for r#User
where
    __State: ::session_runtime::__private::HasSessions<r#User> + ::core::marker::Send
        + ::core::marker::Sync,
{
    type Rejection = ::session_runtime::__private::Rejection;
    fn from_request_parts(
        __parts: &mut ::session_runtime::__private::Parts,
        __state: &__State,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self, ::session_runtime::__private::Rejection>,
    > + ::core::marker::Send {
        ::session_runtime::__private::snapshot::<r#User, __State>(__parts, __state)
    }
}
#[automatically_derived]
impl<__State> ::session_runtime::__private::OptionalFromRequestParts<__State> for r#User
where
    __State: ::session_runtime::__private::HasSessions<r#User> + ::core::marker::Send
        + ::core::marker::Sync,
{
    type Rejection = ::session_runtime::__private::Rejection;
    fn from_request_parts(
        __parts: &mut ::session_runtime::__private::Parts,
        __state: &__State,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::core::option::Option<Self>,
            ::session_runtime::__private::Rejection,
        >,
    > + ::core::marker::Send {
        ::session_runtime::__private::snapshot_optional::<
            r#User,
            __State,
        >(__parts, __state)
    }
}
#[automatically_derived]
#[diagnostic::do_not_recommend]
impl<
    '__a,
    __S: ::core::marker::Send + ::core::marker::Sync,
> ::session_runtime::__private::FromRequestParts<__S> for &'__a r#User
where
    fn(
        ::session_runtime::__private::AddSessionAttributeToHandlerOf<&'__a r#User>,
    ): ::core::ops::FnOnce(__S),
{
    type Rejection = ::session_runtime::__private::Infallible;
    fn from_request_parts(
        _: &mut ::session_runtime::__private::Parts,
        _: &__S,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self, ::session_runtime::__private::Infallible>,
    > + ::core::marker::Send {
        ::session_runtime::__private::never()
    }
}
#[automatically_derived]
#[diagnostic::do_not_recommend]
impl<
    '__a,
    __S: ::core::marker::Send + ::core::marker::Sync,
> ::session_runtime::__private::OptionalFromRequestParts<__S> for &'__a r#User
where
    fn(
        ::session_runtime::__private::AddSessionAttributeToHandlerOf<&'__a r#User>,
    ): ::core::ops::FnOnce(__S),
{
    type Rejection = ::session_runtime::__private::Infallible;
    fn from_request_parts(
        _: &mut ::session_runtime::__private::Parts,
        _: &__S,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::core::option::Option<Self>,
            ::session_runtime::__private::Infallible,
        >,
    > + ::core::marker::Send {
        ::session_runtime::__private::never()
    }
}
#[automatically_derived]
#[diagnostic::do_not_recommend]
impl<
    '__a,
    __S: ::core::marker::Send + ::core::marker::Sync,
> ::session_runtime::__private::FromRequestParts<__S> for &'__a mut r#User
where
    fn(
        ::session_runtime::__private::AddSessionAttributeToHandlerOf<&'__a mut r#User>,
    ): ::core::ops::FnOnce(__S),
{
    type Rejection = ::session_runtime::__private::Infallible;
    fn from_request_parts(
        _: &mut ::session_runtime::__private::Parts,
        _: &__S,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self, ::session_runtime::__private::Infallible>,
    > + ::core::marker::Send {
        ::session_runtime::__private::never()
    }
}
#[automatically_derived]
#[diagnostic::do_not_recommend]
impl<
    '__a,
    __S: ::core::marker::Send + ::core::marker::Sync,
> ::session_runtime::__private::OptionalFromRequestParts<__S> for &'__a mut r#User
where
    fn(
        ::session_runtime::__private::AddSessionAttributeToHandlerOf<&'__a mut r#User>,
    ): ::core::ops::FnOnce(__S),
{
    type Rejection = ::session_runtime::__private::Infallible;
    fn from_request_parts(
        _: &mut ::session_runtime::__private::Parts,
        _: &__S,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::core::option::Option<Self>,
            ::session_runtime::__private::Infallible,
        >,
    > + ::core::marker::Send {
        ::session_runtime::__private::never()
    }
}
