fn home(
    __session0: ::session_runtime::__private::SharedFromRef<
        ::session_runtime::Sessions<User>,
        ::session_runtime::__private::Optional,
        ::session_runtime::__private::State<
            impl ::session_runtime::__private::HasSessions<User>,
        >,
    >,
) -> ::session_runtime::__private::HandlerFuture<'static> {
    async fn home(user: Option<&User>) {}
    fn __call<'__request>(
        __entered: &'__request mut ::session_runtime::__private::HandlerSessions<'_>,
        (): (),
    ) -> ::session_runtime::__private::ResponseFuture<'__request> {
        let __handler = home;
        let [__session0] = __entered.each();
        ::session_runtime::__private::answer(
            ::session_runtime::__private::Box::new(
                __handler(__session0.lend_optional::<User>()),
            ),
            ::session_runtime::__private::IntoResponse::into_response,
        )
    }
    const _: () = {
        struct __path_home;
        impl ::session_runtime::__private::openapi::StandsAbovePath for __path_home {}
        {
            use self::*;
            ::session_runtime::__private::openapi::stands_above_path::<__path_home>();
        }
    };
    ::session_runtime::__private::serve(__session0.session, (), __call)
}
