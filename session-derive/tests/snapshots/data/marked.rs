#[automatically_derived]
impl ::session_runtime::SessionData for User {
    type Backend = ::session_runtime::backend::Memory;
    fn declaration() -> ::session_runtime::__private::Declaration {
        ::session_runtime::__private::Declaration::new(
                "User",
                ::core::env!("CARGO_PKG_NAME"),
                ::core::module_path!(),
            )
            .rotate_every(
                ::session_runtime::__private::Value::env_or("RENEW_EVERY", "15m"),
            )
    }
    async fn open_backend(
        __scope: &::session_runtime::backend::Scope,
    ) -> ::core::result::Result<
        ::session_runtime::backend::Memory,
        ::session_runtime::OpenError,
    > {
        ::session_runtime::__private::open::<Self>(__scope).await
    }
    fn lends() -> ::core::primitive::bool {
        ::session_runtime::__private::LeaseSupport::<
            ::session_runtime::backend::Memory,
        >::OF
            .implemented()
    }
    fn privileges(
        &self,
    ) -> ::core::result::Result<
        ::session_runtime::__private::Privileges,
        ::session_runtime::__private::JsonError,
    > {
        let mut all = ::session_runtime::__private::Privileges::new();
        ::session_runtime::__private::add_privilege(&mut all, &self.roles)?;
        ::session_runtime::__private::add_privilege(&mut all, &self.api_token)?;
        ::core::result::Result::Ok(all)
    }
    fn has_flash(&self) -> ::core::primitive::bool {
        !(<Option<String> as ::session_runtime::__private::Flash>::is_empty(&self.notice)
            && <Vec<
                String,
            > as ::session_runtime::__private::Flash>::is_empty(&self.news))
    }
    fn clear_flash(&mut self) {
        <Option<String> as ::session_runtime::__private::Flash>::clear(&mut self.notice);
        <Vec<String> as ::session_runtime::__private::Flash>::clear(&mut self.news);
    }
    fn consume_flash(&mut self, lent: &Self) {
        <Option<
            String,
        > as ::session_runtime::__private::Flash>::consume(
            &mut self.notice,
            &lent.notice,
        );
        <Vec<
            String,
        > as ::session_runtime::__private::Flash>::consume(&mut self.news, &lent.news);
    }
    const SECRETS: &'static [&'static ::core::primitive::str] = &["api_token"];
    fn public_json(
        &self,
    ) -> ::core::result::Result<
        ::session_runtime::__private::Json,
        ::session_runtime::__private::JsonError,
    > {
        let mut shown = ::session_runtime::__private::Public::new();
        ::session_runtime::__private::Public::field(
            &mut shown,
            "userName",
            &self.user_name,
        )?;
        ::session_runtime::__private::Public::field(&mut shown, "roles", &self.roles)?;
        ::session_runtime::__private::Public::field(&mut shown, "notice", &self.notice)?;
        ::session_runtime::__private::Public::field(&mut shown, "news", &self.news)?;
        if !clock::is_zero(&self.r#since) {
            ::session_runtime::__private::Public::field(
                &mut shown,
                "since",
                &clock::seconds::serialize(
                    &self.r#since,
                    ::session_runtime::__private::JsonSerializer,
                )?,
            )?;
        }
        ::session_runtime::__private::Public::flattened(&mut shown, &self.rest)?;
        ::core::result::Result::Ok(::session_runtime::__private::Public::done(shown))
    }
}
#[automatically_derived]
impl ::core::fmt::Debug for User {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        let shown = &mut ::core::fmt::Formatter::debug_struct(f, "User");
        let shown = ::core::fmt::DebugStruct::field(shown, "user_name", &self.user_name);
        let shown = ::core::fmt::DebugStruct::field(shown, "roles", &self.roles);
        let shown = ::core::fmt::DebugStruct::field(
            shown,
            "api_token",
            &::session_runtime::__private::Redacted,
        );
        let shown = ::core::fmt::DebugStruct::field(shown, "notice", &self.notice);
        let shown = ::core::fmt::DebugStruct::field(shown, "news", &self.news);
        let shown = ::core::fmt::DebugStruct::field(shown, "cached", &self.cached);
        let shown = ::core::fmt::DebugStruct::field(shown, "since", &self.r#since);
        let shown = ::core::fmt::DebugStruct::field(shown, "rest", &self.rest);
        ::core::fmt::DebugStruct::finish(shown)
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
