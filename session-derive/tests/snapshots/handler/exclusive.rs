/// Counts a visit.
#[must_use]
pub fn visit(
    __session0: ::session_runtime::__private::ExclusiveFromRef<
        ::session_runtime::Sessions<User>,
        ::session_runtime::__private::Protected,
        ::session_runtime::__private::State<
            impl ::session_runtime::__private::HasSessions<User>,
        >,
    >,
    __argument1: Form<Login>,
) -> ::session_runtime::__private::HandlerFuture<'static> {
    #[tracing::instrument(skip_all)]
    async fn visit(user: &mut User, Form(form): Form<Login>) -> Result<String, Refused> {
        user.visits += 1;
        Ok(user.visits.to_string())
    }
    fn __call<'__request>(
        __entered: &'__request mut ::session_runtime::__private::HandlerSessions<'_>,
        (__argument1,): (Form<Login>,),
    ) -> ::session_runtime::__private::ResponseFuture<'__request> {
        let __handler = visit;
        let [__session0] = __entered.each();
        let __called = ::session_runtime::__private::Box::new(
            __handler(__session0.lend_mut::<User>(), __argument1),
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
        ::session_runtime::__private::read(
            ::session_runtime::__private::Parameter::<Form<Login>>::TYPE.data(),
        );
    }
    ::session_runtime::__private::serve(__session0.session, (__argument1,), __call)
}
