fn report(
    __session0: ::session_runtime::__private::ExclusiveFromRef<
        ::session_runtime::Sessions<User>,
        ::session_runtime::__private::Keyed<
            {
                const __KEY: ::core::primitive::u64 = ::session_runtime::__private::spec_key(
                    ::core::module_path!(),
                    ::core::line!(),
                    ::core::column!(),
                    16890155269370092438u64,
                );
                #[doc(hidden)]
                pub struct __session_report;
                impl ::session_runtime::__private::SpecOf<__session_report>
                for ::session_runtime::__private::SpecKey<__KEY> {}
                #[automatically_derived]
                impl ::session_runtime::__private::Spec for __session_report {
                    const POLICY: ::session_runtime::__private::SessionPolicy = ::session_runtime::__private::SessionPolicy::protected()
                        .missing_handler(Self::missing)
                        .async_guard(Self::async_guard);
                    fn async_guard<'__asked>(
                        __data: &'__asked dyn ::session_runtime::__private::ErasedData,
                        __parts: &'__asked ::session_runtime::__private::Parts,
                        __state: ::core::option::Option<
                            &'__asked ::session_runtime::__private::ErasedState,
                        >,
                    ) -> ::session_runtime::__private::GuardFuture<'__asked> {
                        ::session_runtime::__private::ask_guard_with::<
                            User,
                            Pool,
                            _,
                            _,
                        >(
                            __data,
                            __parts,
                            ::session_runtime::__private::state_taken(__state),
                            guards::may_enter,
                        )
                    }
                    fn missing(
                        __state: ::core::option::Option<
                            &::session_runtime::__private::ErasedState,
                        >,
                    ) -> ::core::option::Option<::session_runtime::__private::Missing> {
                        ::core::option::Option::Some(
                            ::session_runtime::__private::Missing::handler_with_state::<
                                _,
                                _,
                                Pool,
                            >(
                                crate::sorry,
                                ::core::clone::Clone::clone(
                                    ::session_runtime::__private::state_taken::<Pool>(__state),
                                ),
                            ),
                        )
                    }
                }
                const _: () = {
                    enum __Nowhere {}
                    #[automatically_derived]
                    impl ::session_runtime::__private::FromRef<__Nowhere> for Pool {
                        fn from_ref(__state: &__Nowhere) -> Self {
                            match *__state {}
                        }
                    }
                    #[automatically_derived]
                    impl<__S> ::session_runtime::__private::TakesState<__S>
                    for __session_report
                    where
                        __S: ::session_runtime::__private::HoldsState<Pool>,
                    {
                        fn take(
                            __state: &__S,
                        ) -> ::core::option::Option<
                            ::session_runtime::__private::ErasedState,
                        > {
                            ::session_runtime::__private::take_state::<
                                Pool,
                                __S,
                            >(__state)
                        }
                    }
                };
                __KEY
            },
            impl ::session_runtime::__private::Spec,
        >,
        ::session_runtime::__private::State<
            impl ::session_runtime::__private::HasSessions<
                User,
            > + ::session_runtime::__private::HoldsState<Pool>,
        >,
    >,
) -> ::session_runtime::__private::HandlerFuture<'static> {
    async fn report(user: &mut User) -> String {
        user.name.clone()
    }
    fn __call<'__request>(
        __entered: &'__request mut ::session_runtime::__private::HandlerSessions<'_>,
        (): (),
    ) -> ::session_runtime::__private::ResponseFuture<'__request> {
        let __handler = report;
        let [__session0] = __entered.each();
        let __called = ::session_runtime::__private::Box::new(
            __handler(__session0.lend_mut::<User>()),
        );
        let __failed = ::session_runtime::__private::returned(&__called).failed();
        ::session_runtime::__private::answer_unless_failed(
            __called,
            ::session_runtime::__private::IntoResponse::into_response,
            __failed,
        )
    }
    if false {
        ::session_runtime::__private::lends::<User>();
    }
    ::session_runtime::__private::serve(__session0.session, (), __call)
}
