#[automatically_derived]
impl ::session_runtime::SessionData for User {
    type Backend = ::session_runtime::backend::Memory;
    fn declaration() -> ::session_runtime::__private::Declaration {
        ::session_runtime::__private::Declaration::new(
            "User",
            ::core::env!("CARGO_PKG_NAME"),
        )
    }
    async fn open_backend(
        scope: &::session_runtime::backend::Scope,
    ) -> ::core::result::Result<
        <Self as ::session_runtime::SessionData>::Backend,
        ::session_runtime::OpenError,
    > {
        let config = <<<Self as ::session_runtime::SessionData>::Backend as ::session_runtime::backend::OpenBackend>::Config as ::core::default::Default>::default();
        <<Self as ::session_runtime::SessionData>::Backend as ::session_runtime::backend::OpenBackend>::open(
                config,
                scope,
            )
            .await
    }
}
#[automatically_derived]
impl<__State> ::session_runtime::__private::FromRequestParts<__State> for User
where
    __State: ::session_runtime::__private::HasSessions<User> + ::core::marker::Send
        + ::core::marker::Sync,
{
    type Rejection = ::session_runtime::__private::Rejection;
    async fn from_request_parts(
        parts: &mut ::session_runtime::__private::Parts,
        state: &__State,
    ) -> ::core::result::Result<Self, ::session_runtime::__private::Rejection> {
        ::session_runtime::__private::snapshot::<User, __State>(parts, state).await
    }
}
#[automatically_derived]
impl<__State> ::session_runtime::__private::OptionalFromRequestParts<__State> for User
where
    __State: ::session_runtime::__private::HasSessions<User> + ::core::marker::Send
        + ::core::marker::Sync,
{
    type Rejection = ::session_runtime::__private::Rejection;
    async fn from_request_parts(
        parts: &mut ::session_runtime::__private::Parts,
        state: &__State,
    ) -> ::core::result::Result<
        ::core::option::Option<Self>,
        ::session_runtime::__private::Rejection,
    > {
        ::session_runtime::__private::snapshot_optional::<User, __State>(parts, state)
            .await
    }
}
