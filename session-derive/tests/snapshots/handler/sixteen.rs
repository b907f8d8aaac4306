fn many(
    __paired: (
        ::session_runtime::__private::SharedFromRef<
            ::session_runtime::Sessions<User>,
            ::session_runtime::__private::Keyed<
                {
                    const __KEY: ::core::primitive::u64 = ::session_runtime::__private::spec_key(
                        ::core::module_path!(),
                        ::core::line!(),
                        ::core::column!(),
                        10680416388193186037u64,
                    );
                    #[doc(hidden)]
                    pub struct __session_many;
                    impl ::session_runtime::__private::SpecOf<__session_many>
                    for ::session_runtime::__private::SpecKey<__KEY> {}
                    #[automatically_derived]
                    impl ::session_runtime::__private::Spec for __session_many {
                        const POLICY: ::session_runtime::__private::SessionPolicy = ::session_runtime::__private::SessionPolicy::protected()
                            .unlent();
                    }
                    #[automatically_derived]
                    impl<__S> ::session_runtime::__private::TakesState<__S>
                    for __session_many {}
                    __KEY
                },
                impl ::session_runtime::__private::Spec,
            >,
            ::session_runtime::__private::State<
                impl ::session_runtime::__private::HasSessions<User>,
            >,
        >,
        HeaderMap,
    ),
    __argument1: HeaderMap,
    __argument2: HeaderMap,
    __argument3: HeaderMap,
    __argument4: HeaderMap,
    __argument5: HeaderMap,
    __argument6: HeaderMap,
    __argument7: HeaderMap,
    __argument8: HeaderMap,
    __argument9: HeaderMap,
    __argument10: HeaderMap,
    __argument11: HeaderMap,
    __argument12: HeaderMap,
    __argument13: HeaderMap,
    __argument14: HeaderMap,
    __argument15: HeaderMap,
) -> ::session_runtime::__private::HandlerFuture<'static> {
    async fn many(
        h0: HeaderMap,
        h1: HeaderMap,
        h2: HeaderMap,
        h3: HeaderMap,
        h4: HeaderMap,
        h5: HeaderMap,
        h6: HeaderMap,
        h7: HeaderMap,
        h8: HeaderMap,
        h9: HeaderMap,
        h10: HeaderMap,
        h11: HeaderMap,
        h12: HeaderMap,
        h13: HeaderMap,
        h14: HeaderMap,
        h15: HeaderMap,
    ) {}
    fn __call<'__request>(
        __entered: &'__request mut ::session_runtime::__private::HandlerSessions<'_>,
        (
            __argument0,
            __argument1,
            __argument2,
            __argument3,
            __argument4,
            __argument5,
            __argument6,
            __argument7,
            __argument8,
            __argument9,
            __argument10,
            __argument11,
            __argument12,
            __argument13,
            __argument14,
            __argument15,
        ): (
            HeaderMap,
            HeaderMap,
            HeaderMap,
            HeaderMap,
            HeaderMap,
            HeaderMap,
            HeaderMap,
            HeaderMap,
            HeaderMap,
            HeaderMap,
            HeaderMap,
            HeaderMap,
            HeaderMap,
            HeaderMap,
            HeaderMap,
            HeaderMap,
        ),
    ) -> ::session_runtime::__private::ResponseFuture<'__request> {
        let __handler = many;
        let [_] = __entered.each();
        ::session_runtime::__private::answer(
            ::session_runtime::__private::Box::new(
                __handler(
                    __argument0,
                    __argument1,
                    __argument2,
                    __argument3,
                    __argument4,
                    __argument5,
                    __argument6,
                    __argument7,
                    __argument8,
                    __argument9,
                    __argument10,
                    __argument11,
                    __argument12,
                    __argument13,
                    __argument14,
                    __argument15,
                ),
            ),
            ::session_runtime::__private::IntoResponse::into_response,
        )
    }
    let (__session0, __argument0) = __paired;
    ::session_runtime::__private::serve(
        __session0.session,
        (
            __argument0,
            __argument1,
            __argument2,
            __argument3,
            __argument4,
            __argument5,
            __argument6,
            __argument7,
            __argument8,
            __argument9,
            __argument10,
            __argument11,
            __argument12,
            __argument13,
            __argument14,
            __argument15,
        ),
        __call,
    )
}
