#[automatically_derived]
impl ::session_runtime::SessionData for User {
    type Backend = crate::Store<u8>;
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
    ) -> ::core::result::Result<crate::Store<u8>, ::session_runtime::OpenError> {
        let mut __config = <<crate::Store<
            u8,
        > as ::session_runtime::backend::OpenBackend>::Config as ::core::default::Default>::default();
        ::session_runtime::__private::set(
            &mut __config.dir,
            "backend = crate::Store<u8>(dir)",
            ::session_runtime::__private::Value::literal("/tmp"),
        )?;
        ::session_runtime::__private::set(
            &mut __config.sync,
            "backend = crate::Store<u8>(sync)",
            ::session_runtime::__private::Value::literal("true"),
        )?;
        ::session_runtime::__private::set(
            &mut __config.size,
            "backend = crate::Store<u8>(size)",
            ::session_runtime::__private::Value::env_or("SIZE", "5"),
        )?;
        ::session_runtime::__private::open_with::<
            crate::Store<u8>,
        >(
                __config,
                __scope,
                &[
                    (
                        "backend = crate::Store<u8>(dir)",
                        ::session_runtime::__private::Value::literal("/tmp"),
                    ),
                    (
                        "backend = crate::Store<u8>(sync)",
                        ::session_runtime::__private::Value::literal("true"),
                    ),
                    (
                        "backend = crate::Store<u8>(size)",
                        ::session_runtime::__private::Value::env_or("SIZE", "5"),
                    ),
                ],
            )
            .await
    }
    fn lends() -> ::core::primitive::bool {
        ::session_runtime::__private::LeaseSupport::<crate::Store<u8>>::OF.implemented()
    }
    fn missing() -> ::session_runtime::__private::Missing {
        ::session_runtime::__private::Missing::handler(self::anonymous)
    }
}
#[automatically_derived]
impl<__State> ::session_runtime::__private::FromRequestParts<__State> for User
where
    __State: ::session_runtime::__private::HasSessions<User> + ::core::marker::Send
        + ::core::marker::Sync,
{
    type Rejection = ::session_runtime::__private::Rejection;
    fn from_request_parts(
        __parts: &mut ::session_runtime::__private::Parts,
        __state: &__State,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self, ::session_runtime::__private::Rejection>,
    > + ::core::marker::Send {
        ::session_runtime::__private::snapshot::<User, __State>(__parts, __state)
    }
}
#[automatically_derived]
impl<__State> ::session_runtime::__private::OptionalFromRequestParts<__State> for User
where
    __State: ::session_runtime::__private::HasSessions<User> + ::core::marker::Send
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
            User,
            __State,
        >(__parts, __state)
    }
}
#[automatically_derived]
#[diagnostic::do_not_recommend]
impl<
    '__a,
    __S: ::core::marker::Send + ::core::marker::Sync,
> ::session_runtime::__private::FromRequestParts<__S> for &'__a User
where
    fn(
        ::session_runtime::__private::AddSessionAttributeToHandlerOf<&'__a User>,
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
> ::session_runtime::__private::OptionalFromRequestParts<__S> for &'__a User
where
    fn(
        ::session_runtime::__private::AddSessionAttributeToHandlerOf<&'__a User>,
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
> ::session_runtime::__private::FromRequestParts<__S> for &'__a mut User
where
    fn(
        ::session_runtime::__private::AddSessionAttributeToHandlerOf<&'__a mut User>,
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
> ::session_runtime::__private::OptionalFromRequestParts<__S> for &'__a mut User
where
    fn(
        ::session_runtime::__private::AddSessionAttributeToHandlerOf<&'__a mut User>,
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
