pub(crate) async fn generic<'b, T: Clone + 'static, U, const N: usize>(
    __session0: ::session_runtime::__private::SharedFromRef<
        ::session_runtime::Sessions<User>,
        __session_generic<T, U, N>,
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
    let __handler = generic::<T, U, N>;
    let mut __sessions = (__session0,);
    if let ::core::result::Result::Err(__refusal) = ::session_runtime::__private::enter(
            &mut __sessions,
        )
        .await
    {
        return __refusal;
    }
    let __leases = ::session_runtime::__private::leases(&__sessions);
    let __answer = __leases
        .hold(
            ::core::pin::pin!(
                ::session_runtime::__private::sendable(__handler(__sessions.0.lend(),
                __argument1, __argument2))
            ),
        )
        .await;
    let __answer = ::session_runtime::__private::IntoResponse::into_response(__answer);
    ::session_runtime::__private::leave(__sessions, __answer).await
}
#[doc(hidden)]
pub(crate) struct __session_generic<T, U, const N: usize>(
    ::core::marker::PhantomData<fn() -> (T, U)>,
);
#[automatically_derived]
impl<T: Clone + 'static, U, const N: usize> ::session_runtime::__private::Spec
for __session_generic<T, U, N>
where
    T: Send,
    U: Send + 'static,
{
    type Data = User;
    const ACCESS: ::session_runtime::__private::Access = ::session_runtime::__private::Access::Protected;
}
