pub(crate) async fn generic<'b, T: Clone + 'static, U, const N: usize>(
    __session0: ::session_runtime::__private::SharedFromRef<
        ::session_runtime::Sessions<User>,
        ::session_runtime::__private::Protected,
        ::session_runtime::__private::State<
            impl ::session_runtime::__private::HasSessions<User>,
        >,
    >,
    __argument1: Path<Text<'b, T>>,
    __argument2: impl FromRequest<U>,
) -> ::session_runtime::__private::Response
where
    T: Send,
    U: Send + 'static,
{
    async fn generic<'a, 'b, T: Clone, U, const N: usize>(
        user: &'a User,
        Path(path): Path<Text<'b, T>>,
        rest: impl FromRequest<U>,
    ) -> impl IntoResponse
    where
        T: Send,
        U: Send,
        'b: 'a,
    {}
    if false {
        ::session_runtime::__private::read(
            ::session_runtime::__private::Parameter::<Path<Text<'b, T>>>::TYPE.data(),
        );
    }
    ::session_runtime::__private::serve(
            __session0.session,
            (__argument1, __argument2),
            |__entered, (__argument1, __argument2)| {
                let __handler = generic::<T, U, N>;
                let [__session0] = __entered.each();
                ::session_runtime::__private::answer(
                    ::session_runtime::__private::Box::new(
                        __handler(__session0.lend::<User>(), __argument1, __argument2),
                    ),
                    ::session_runtime::__private::IntoResponse::into_response,
                )
            },
        )
        .await
}
