fn admin(
    __session0: ::session_runtime::__private::SharedFromRef<
        ::session_runtime::Sessions<User>,
        ::session_runtime::__private::Keyed<
            {
                const __KEY: ::core::primitive::u64 = ::session_runtime::__private::spec_key(
                    ::core::module_path!(),
                    ::core::line!(),
                    ::core::column!(),
                    14503875577004422538u64,
                );
                #[doc(hidden)]
                pub struct __session_admin;
                impl ::session_runtime::__private::SpecOf<__session_admin>
                for ::session_runtime::__private::SpecKey<__KEY> {}
                #[automatically_derived]
                impl ::session_runtime::__private::Spec for __session_admin {
                    const POLICY: ::session_runtime::__private::SessionPolicy = ::session_runtime::__private::SessionPolicy::protected()
                        .fresh(::core::time::Duration::from_millis(600000u64))
                        .untouched()
                        .unlent()
                        .missing(Self::missing)
                        .guard(Self::guard);
                    fn guard(
                        __data: &dyn ::session_runtime::__private::ErasedData,
                    ) -> ::core::result::Result<
                        (),
                        ::session_runtime::__private::Response,
                    > {
                        ::session_runtime::__private::verdict::<
                            User,
                            _,
                        >(__data, |u| u.name == "root")
                    }
                    fn missing(
                        __state: ::core::option::Option<
                            &::session_runtime::__private::ErasedState,
                        >,
                    ) -> ::core::option::Option<::session_runtime::__private::Missing> {
                        ::core::option::Option::Some(
                            ::session_runtime::__private::Missing::checked_redirect(
                                "/login",
                            ),
                        )
                    }
                }
                #[automatically_derived]
                impl<__S> ::session_runtime::__private::TakesState<__S>
                for __session_admin {}
                __KEY
            },
            impl ::session_runtime::__private::Spec,
        >,
        ::session_runtime::__private::State<
            impl ::session_runtime::__private::HasSessions<User>,
        >,
    >,
) -> ::session_runtime::__private::HandlerFuture<'static> {
    async fn admin() -> &'static str {
        "the back room"
    }
    fn __call<'__request>(
        __entered: &'__request mut ::session_runtime::__private::HandlerSessions<'_>,
        (): (),
    ) -> ::session_runtime::__private::ResponseFuture<'__request> {
        let __handler = admin;
        let [_] = __entered.each();
        ::session_runtime::__private::answer(
            ::session_runtime::__private::Box::new(__handler()),
            ::session_runtime::__private::IntoResponse::into_response,
        )
    }
    ::session_runtime::__private::serve(__session0.session, (), __call)
}
