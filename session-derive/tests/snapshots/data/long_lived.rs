#[automatically_derived]
impl ::session_runtime::SessionData for User {
    type Backend = ::session_runtime::backend::File;
    const ENCRYPT: ::core::primitive::bool = true;
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
        ::session_runtime::backend::File,
        ::session_runtime::OpenError,
    > {
        let mut __config = <<::session_runtime::backend::File as ::session_runtime::backend::OpenBackend>::Config as ::core::default::Default>::default();
        ::session_runtime::__private::set(
            &mut __config.dir,
            "backend = file(dir)",
            ::session_runtime::__private::Value::env("SESSIONS"),
        )?;
        ::session_runtime::__private::set(
            &mut __config.durable,
            "backend = file(durable)",
            ::session_runtime::__private::Value::literal("true"),
        )?;
        ::session_runtime::__private::open_with::<
            ::session_runtime::backend::File,
        >(
                __config,
                __scope,
                &[
                    (
                        "backend = file(dir)",
                        ::session_runtime::__private::Value::env("SESSIONS"),
                    ),
                    (
                        "backend = file(durable)",
                        ::session_runtime::__private::Value::literal("true"),
                    ),
                ],
            )
            .await
    }
    fn lends() -> ::core::primitive::bool {
        ::session_runtime::__private::LeaseSupport::<
            ::session_runtime::backend::File,
        >::OF
            .implemented()
    }
    const VERSION: ::core::primitive::u32 = 3u32;
    fn migrate(
        __version: ::core::primitive::u32,
        __data: &[::core::primitive::u8],
    ) -> ::core::option::Option<
        ::core::result::Result<Self, ::session_runtime::__private::DecodeError>,
    > {
        ::session_runtime::__private::previous_version::<history::UserV2>()
            .migrate::<Self>(__version, __data)
    }
    fn validate(
        &self,
    ) -> ::core::result::Result<(), ::session_runtime::__private::Invalid> {
        ::session_runtime::__private::validate_garde(self)
    }
    const VERIFIES: ::core::primitive::bool = true;
    async fn verify(
        &self,
        __parts: &::session_runtime::__private::Parts,
    ) -> ::core::result::Result<
        (),
        ::core::option::Option<::session_runtime::__private::Response>,
    > {
        ::session_runtime::__private::verified(
                ::session_runtime::__private::ask(self, __parts, accounts::is_active),
            )
            .await
    }
    fn on_end() -> ::core::option::Option<::session_runtime::__private::EndHook> {
        ::core::option::Option::Some(
            ::session_runtime::__private::on_end::<Self, _, _>(accounts::ended),
        )
    }
}
const _: () = ::core::assert!(
    ::session_runtime::__private::previous_version:: < history::UserV2 > ().version <
    3u32,
    "`from = history::UserV2` is not an older version: this is version 3, and `history::UserV2` declares 3 or later; count this one on, or correct the other"
);
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
