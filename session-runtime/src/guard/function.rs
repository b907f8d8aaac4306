//! The functions that attributes name: guards and `verify`.
//!
//! Each shape is a trait with two implementations, of which the second is for nothing. With one alone, the compiler would
//! take it for the one that was meant, and tell how its parameters differ from those of a closure that nobody wrote.

use http::request::Parts;

/// Nothing is of this trait.
pub trait Nothing {}

/// How a function of the right shape is called.
pub struct Called;

/// How nothing is called.
pub struct NotCalled;

macro_rules! function_of {
    (
        $(#[$docs:meta])*
        $name:ident[$($bounded:tt)*][$($named:tt)*]($($argument:ident: $ty:ty),*)
    ) => {
        $(#[$docs])*
        pub trait $name<$($bounded)*, M> {
            /// What it returns.
            type Returned;

            /// Calls it.
            fn call(self, $($argument: $ty),*) -> Self::Returned;
        }

        #[diagnostic::do_not_recommend]
        impl<$($bounded)*, F, R> $name<$($named)*, Called> for F
        where
            F: FnOnce($($ty),*) -> R,
        {
            type Returned = R;

            fn call(self, $($argument: $ty),*) -> R {
                self($($argument),*)
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($bounded)*, F: Nothing> $name<$($named)*, NotCalled> for F {
            type Returned = ();

            fn call(self, $(_: $ty),*) {}
        }
    };
}

function_of! {
    /// What `guard = path` names.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` can't guard sessions of `{T}`",
        label = "expected a function of `&{T}`",
        note = "write `fn may_enter(data: &{T}) -> bool`, or with `Result<(), impl IntoResponse>` to answer in its own words",
        note = "a guard that asks the request or the state is async, and is named by `guard = async may_enter`"
    )]
    GuardFunction[T][T](data: &T)
}

function_of! {
    /// What `guard = async path` names.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` can't guard sessions of `{T}`",
        label = "expected an `async fn` of `&{T}` and `&Parts`",
        note = "write `async fn may_enter(data: &{T}, parts: &axum::http::request::Parts) -> bool`, or with \
                `Result<(), impl IntoResponse>` to answer in its own words",
        note = "a guard that takes a third parameter, such as `state: &App`, has `state = App` beside it; a function of the \
                data alone that is not async is named without `async`"
    )]
    AsyncGuardFunction['a, T: 'a]['a, T](data: &'a T, parts: &'a Parts)
}

function_of! {
    /// What `guard = async path` names beside `state = S`.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` can't guard sessions of `{T}` with a state `{S}`",
        label = "expected an `async fn` of `&{T}`, `&Parts` and `&{S}`",
        note = "write `async fn may_enter(data: &{T}, parts: &axum::http::request::Parts, state: &{S}) -> bool`, or with \
                `Result<(), impl IntoResponse>` to answer in its own words",
        note = "`state = ..` names the type behind the third parameter's `&`; leave it out if there is none"
    )]
    StatefulGuardFunction['a, T: 'a, S: 'a]['a, T, S](data: &'a T, parts: &'a Parts, state: &'a S)
}

function_of! {
    /// What `verify = path` names.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` can't verify sessions of `{T}`",
        label = "expected an `async fn` of `&{T}` and `&Parts`",
        note = "write `async fn is_active(data: &{T}, parts: &axum::http::request::Parts) -> bool`, or with \
                `Result<(), impl IntoResponse>` to answer in its own words",
        note = "one that takes the application's state is given to `Sessions::<{T}>::builder().verify_with(state, is_active)`"
    )]
    VerifyFunction['a, T: 'a]['a, T](data: &'a T, parts: &'a Parts)
}

function_of! {
    /// What `cookie(domain = path)` names.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` can't choose the domain of a request's cookie",
        label = "expected a function of `&Parts`",
        note = "write `fn cookie_domain(parts: &axum::http::request::Parts) -> Option<String>`; `None` refuses the request",
        note = "a closure, which can hold the application's state, is given to `Builder::cookie_domain_by`"
    )]
    DomainFunction['a]['a](parts: &'a Parts)
}

/// What a function named by `cookie(domain = path)` may return.
#[diagnostic::on_unimplemented(
    message = "the function that chooses a cookie's domain can't return `{Self}`",
    label = "expected a function that returns `Option<String>`",
    note = "return `Some(domain)`, such as `Some(\"shop.example\".to_owned())`, or `None` where the host is none of the \
            application's; look the domain up in a middleware if that has to be awaited, and keep it in the request's extensions"
)]
pub trait ChosenDomain {
    /// The domain.
    fn domain(self) -> Option<String>;
}

#[diagnostic::do_not_recommend]
impl<D: AsRef<str>> ChosenDomain for Option<D> {
    fn domain(self) -> Option<String> {
        self.map(|domain| domain.as_ref().to_owned())
    }
}

/// The domain that a function chooses.
pub fn domain_of<'a, F: DomainFunction<'a, M, Returned: ChosenDomain>, M>(
    function: F,
    parts: &'a Parts,
) -> Option<String> {
    function.call(parts).domain()
}
