::core::compile_error! {
    "unknown option `idel`; did you mean `idle`?"
}
#[automatically_derived]
impl sessions::SessionData for User {
    type Backend = sessions::backend::Memory;
    fn declaration() -> sessions::__private::Declaration {
        sessions::__private::Declaration::new(
            "User",
            ::core::env!("CARGO_PKG_NAME"),
            ::core::module_path!(),
        )
    }
    async fn open_backend(
        __scope: &sessions::backend::Scope,
    ) -> ::core::result::Result<sessions::backend::Memory, sessions::OpenError> {
        sessions::__private::open::<Self>(__scope).await
    }
    fn lends() -> ::core::primitive::bool {
        sessions::__private::LeaseSupport::<sessions::backend::Memory>::OF.implemented()
    }
}
#[automatically_derived]
impl<__State> sessions::__private::FromRequestParts<__State> for User
where
    __State: sessions::__private::HasSessions<User> + ::core::marker::Send
        + ::core::marker::Sync,
{
    type Rejection = sessions::__private::Rejection;
    fn from_request_parts(
        __parts: &mut sessions::__private::Parts,
        __state: &__State,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self, sessions::__private::Rejection>,
    > + ::core::marker::Send {
        sessions::__private::snapshot::<User, __State>(__parts, __state)
    }
}
#[automatically_derived]
impl<__State> sessions::__private::OptionalFromRequestParts<__State> for User
where
    __State: sessions::__private::HasSessions<User> + ::core::marker::Send
        + ::core::marker::Sync,
{
    type Rejection = sessions::__private::Rejection;
    fn from_request_parts(
        __parts: &mut sessions::__private::Parts,
        __state: &__State,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::core::option::Option<Self>,
            sessions::__private::Rejection,
        >,
    > + ::core::marker::Send {
        sessions::__private::snapshot_optional::<User, __State>(__parts, __state)
    }
}
#[automatically_derived]
#[diagnostic::do_not_recommend]
impl<
    '__a,
    __S: ::core::marker::Send + ::core::marker::Sync,
> sessions::__private::FromRequestParts<__S> for &'__a User
where
    fn(
        sessions::__private::AddSessionAttributeToHandlerOf<&'__a User>,
    ): ::core::ops::FnOnce(__S),
{
    type Rejection = sessions::__private::Infallible;
    fn from_request_parts(
        _: &mut sessions::__private::Parts,
        _: &__S,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self, sessions::__private::Infallible>,
    > + ::core::marker::Send {
        sessions::__private::never()
    }
}
#[automatically_derived]
#[diagnostic::do_not_recommend]
impl<
    '__a,
    __S: ::core::marker::Send + ::core::marker::Sync,
> sessions::__private::OptionalFromRequestParts<__S> for &'__a User
where
    fn(
        sessions::__private::AddSessionAttributeToHandlerOf<&'__a User>,
    ): ::core::ops::FnOnce(__S),
{
    type Rejection = sessions::__private::Infallible;
    fn from_request_parts(
        _: &mut sessions::__private::Parts,
        _: &__S,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::core::option::Option<Self>,
            sessions::__private::Infallible,
        >,
    > + ::core::marker::Send {
        sessions::__private::never()
    }
}
#[automatically_derived]
#[diagnostic::do_not_recommend]
impl<
    '__a,
    __S: ::core::marker::Send + ::core::marker::Sync,
> sessions::__private::FromRequestParts<__S> for &'__a mut User
where
    fn(
        sessions::__private::AddSessionAttributeToHandlerOf<&'__a mut User>,
    ): ::core::ops::FnOnce(__S),
{
    type Rejection = sessions::__private::Infallible;
    fn from_request_parts(
        _: &mut sessions::__private::Parts,
        _: &__S,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<Self, sessions::__private::Infallible>,
    > + ::core::marker::Send {
        sessions::__private::never()
    }
}
#[automatically_derived]
#[diagnostic::do_not_recommend]
impl<
    '__a,
    __S: ::core::marker::Send + ::core::marker::Sync,
> sessions::__private::OptionalFromRequestParts<__S> for &'__a mut User
where
    fn(
        sessions::__private::AddSessionAttributeToHandlerOf<&'__a mut User>,
    ): ::core::ops::FnOnce(__S),
{
    type Rejection = sessions::__private::Infallible;
    fn from_request_parts(
        _: &mut sessions::__private::Parts,
        _: &__S,
    ) -> impl ::core::future::Future<
        Output = ::core::result::Result<
            ::core::option::Option<Self>,
            sessions::__private::Infallible,
        >,
    > + ::core::marker::Send {
        sessions::__private::never()
    }
}
