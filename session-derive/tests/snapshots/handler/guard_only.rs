fn admin(
    __session0: ::session_runtime::__private::SharedFromRef<
        ::session_runtime::Sessions<User>,
        __session_admin,
    >,
) -> ::session_runtime::__private::Answering<'static> {
    async fn admin() -> &'static str {
        "the back room"
    }
    ::session_runtime::__private::serve(
        ::session_runtime::__private::Party::one(__session0.guest),
        (),
        |__entered, ()| {
            let __handler = admin;
            let [_] = __entered.each();
            ::session_runtime::__private::answer(
                __handler(),
                ::session_runtime::__private::IntoResponse::into_response,
            )
        },
    )
}
#[doc(hidden)]
struct __session_admin;
#[automatically_derived]
impl ::session_runtime::__private::Spec for __session_admin {
    type Data = User;
    const ACCESS: ::session_runtime::__private::Access = ::session_runtime::__private::Access::Protected;
    const LENDS: ::core::primitive::bool = false;
    const FRESH: ::core::option::Option<::core::time::Duration> = ::core::option::Option::Some(
        ::core::time::Duration::from_millis(600000u64),
    );
    fn missing() -> ::core::option::Option<::session_runtime::__private::Missing> {
        ::core::option::Option::Some(
            ::session_runtime::__private::Missing::redirect("/login"),
        )
    }
    fn guard(
        __data: &User,
    ) -> ::core::result::Result<(), ::session_runtime::__private::Response> {
        ::session_runtime::__private::verdict(__data, |u| u.name == "root")
    }
}
