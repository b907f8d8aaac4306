/// Counts a visit.
#[must_use]
pub async fn visit(
    __session0: ::session_runtime::__private::ExclusiveFromRef<
        ::session_runtime::Sessions<User>,
        __session_visit,
    >,
    __argument1: Form<Login>,
) -> ::session_runtime::__private::Response {
    #[tracing::instrument(skip_all)]
    async fn visit(user: &mut User, Form(form): Form<Login>) -> Result<String, Refused> {
        user.visits += 1;
        Ok(user.visits.to_string())
    }
    if false {
        ::session_runtime::__private::lends::<User>();
        ::session_runtime::__private::read(
            ::session_runtime::__private::Parameter::<Form<Login>>::TYPE.data(),
        );
    }
    let __handler = visit;
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
                __argument1))
            ),
        )
        .await;
    let __answer = ::session_runtime::__private::IntoResponse::into_response(__answer);
    ::session_runtime::__private::leave(__sessions, __answer).await
}
#[doc(hidden)]
pub struct __session_visit;
#[automatically_derived]
impl ::session_runtime::__private::Spec for __session_visit {
    type Data = User;
    const ACCESS: ::session_runtime::__private::Access = ::session_runtime::__private::Access::Protected;
}
