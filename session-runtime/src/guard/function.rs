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
