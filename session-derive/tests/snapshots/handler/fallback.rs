::core::compile_error! {
    "unknown option `protectd`; did you mean `protected`?"
}
/// Counts a visit.
pub async fn visit<T: Clone + 'static>() -> ::session_runtime::__private::Response {
    #[allow(dead_code)]
    #[instrument]
    async fn visit<T: Clone>(user: &mut User) -> String {
        user.visit()
    }
    ::session_runtime::__private::unreachable()
}
