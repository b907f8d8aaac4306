::core::compile_error! {
    "unknown option `idel`; did you mean `idle`?"
}
#[automatically_derived]
impl sessions::SessionData for User {
    type Backend = sessions::backend::Memory;
    fn declaration() -> sessions::__private::Declaration {
        sessions::__private::Declaration::new("User", ::core::env!("CARGO_PKG_NAME"))
    }
    async fn open_backend(
        scope: &sessions::backend::Scope,
    ) -> ::core::result::Result<
        <Self as sessions::SessionData>::Backend,
        sessions::OpenError,
    > {
        let config = <<<Self as sessions::SessionData>::Backend as sessions::backend::OpenBackend>::Config as ::core::default::Default>::default();
        <<Self as sessions::SessionData>::Backend as sessions::backend::OpenBackend>::open(
                config,
                scope,
            )
            .await
    }
}
#[automatically_derived]
impl<__State> sessions::__private::FromRequestParts<__State> for User
where
    __State: sessions::__private::HasSessions<User> + ::core::marker::Send
        + ::core::marker::Sync,
{
    type Rejection = sessions::__private::Rejection;
    async fn from_request_parts(
        parts: &mut sessions::__private::Parts,
        state: &__State,
    ) -> ::core::result::Result<Self, sessions::__private::Rejection> {
        sessions::__private::snapshot::<User, __State>(parts, state).await
    }
}
#[automatically_derived]
impl<__State> sessions::__private::OptionalFromRequestParts<__State> for User
where
    __State: sessions::__private::HasSessions<User> + ::core::marker::Send
        + ::core::marker::Sync,
{
    type Rejection = sessions::__private::Rejection;
    async fn from_request_parts(
        parts: &mut sessions::__private::Parts,
        state: &__State,
    ) -> ::core::result::Result<
        ::core::option::Option<Self>,
        sessions::__private::Rejection,
    > {
        sessions::__private::snapshot_optional::<User, __State>(parts, state).await
    }
}
