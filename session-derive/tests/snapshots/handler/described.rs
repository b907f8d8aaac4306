/// Orders what is in the cart.
#[cfg(feature = "shop")]
pub(crate) fn order(
    __session0: ::session_runtime::__private::ExclusiveFromRef<
        ::session_runtime::Sessions<User>,
        ::session_runtime::__private::Keyed<
            {
                const __KEY: ::core::primitive::u64 = ::session_runtime::__private::spec_key(
                    ::core::module_path!(),
                    ::core::line!(),
                    ::core::column!(),
                    15689267080168061698u64,
                );
                #[doc(hidden)]
                pub struct __session_order;
                impl ::session_runtime::__private::SpecOf<__session_order>
                for ::session_runtime::__private::SpecKey<__KEY> {}
                #[automatically_derived]
                impl ::session_runtime::__private::Spec for __session_order {
                    const POLICY: ::session_runtime::__private::SessionPolicy = ::session_runtime::__private::SessionPolicy::protected()
                        .fresh(::core::time::Duration::from_millis(600000u64))
                        .guard(Self::guard);
                    fn guard(
                        __data: &dyn ::session_runtime::__private::ErasedData,
                    ) -> ::core::result::Result<
                        (),
                        ::session_runtime::__private::Response,
                    > {
                        ::session_runtime::__private::verdict::<
                            User,
                            _,
                        >(__data, |user| user.admin)
                    }
                }
                #[automatically_derived]
                impl<__S> ::session_runtime::__private::TakesState<__S>
                for __session_order {}
                __KEY
            },
            impl ::session_runtime::__private::Spec,
        >,
        ::session_runtime::__private::State<
            impl ::session_runtime::__private::HasSessions<User>,
        >,
    >,
    __argument1: Path<u32>,
    __session1: ::session_runtime::__private::ExclusiveFromRef<
        ::session_runtime::Sessions<Cart>,
        ::session_runtime::__private::Keyed<
            {
                const __KEY: ::core::primitive::u64 = ::session_runtime::__private::spec_key(
                    ::core::module_path!(),
                    ::core::line!(),
                    ::core::column!(),
                    17921582487135651107u64,
                );
                #[doc(hidden)]
                pub struct __session_order_1;
                impl ::session_runtime::__private::SpecOf<__session_order_1>
                for ::session_runtime::__private::SpecKey<__KEY> {}
                #[automatically_derived]
                impl ::session_runtime::__private::Spec for __session_order_1 {
                    const POLICY: ::session_runtime::__private::SessionPolicy = ::session_runtime::__private::SessionPolicy::or_default(
                        Self::default,
                    );
                    fn default() -> ::core::option::Option<
                        ::session_runtime::__private::BoxedData,
                    > {
                        ::core::option::Option::Some(
                            ::session_runtime::__private::Box::new(
                                <Cart as ::core::default::Default>::default(),
                            ),
                        )
                    }
                }
                #[automatically_derived]
                impl<__S> ::session_runtime::__private::TakesState<__S>
                for __session_order_1 {}
                __KEY
            },
            impl ::session_runtime::__private::Spec,
        >,
        ::session_runtime::__private::State<
            impl ::session_runtime::__private::HasSessions<Cart>,
        >,
    >,
    __session2: ::session_runtime::__private::SlotFromRef<
        ::session_runtime::Sessions<Visitor>,
        ::session_runtime::__private::Optional,
        ::session_runtime::__private::State<
            impl ::session_runtime::__private::HasSessions<Visitor>,
        >,
    >,
    __argument4: Json<Order>,
) -> ::session_runtime::__private::HandlerFuture<'static> {
    async fn order(
        user: &mut User,
        Path(id): Path<u32>,
        cart: &mut Cart,
        visitor: SessionSlot<Visitor>,
        Json(order): Json<Order>,
    ) -> Json<Receipt> {}
    fn __call<'__request>(
        __entered: &'__request mut ::session_runtime::__private::HandlerSessions<'_>,
        (__argument1, __argument4): (Path<u32>, Json<Order>),
    ) -> ::session_runtime::__private::ResponseFuture<'__request> {
        let __handler = order;
        let [__session0, __session1, __session2] = __entered.each();
        let __called = ::session_runtime::__private::Box::new(
            __handler(
                __session0.lend_mut::<User>(),
                __argument1,
                __session1.lend_mut::<Cart>(),
                __session2.give_slot::<Visitor>(),
                __argument4,
            ),
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
        ::session_runtime::__private::lends::<Cart>();
        ::session_runtime::__private::read(
            ::session_runtime::__private::Parameter::<Path<u32>>::TYPE.data(),
        );
        ::session_runtime::__private::read(
            ::session_runtime::__private::Parameter::<Json<Order>>::TYPE.data(),
        );
    }
    ::session_runtime::__private::serve(
        [__session0.session, __session1.session, __session2.session],
        (__argument1, __argument4),
        __call,
    )
}
#[cfg(feature = "shop")]
#[doc(hidden)]
#[derive(::core::clone::Clone)]
pub struct __path_order;
#[cfg(feature = "shop")]
#[doc(hidden)]
pub struct __session_path_order;
#[cfg(feature = "shop")]
const _: () = {
    /// Orders what is in the cart.
    #[utoipa::path(
        post,
        path = "/orders/{id}",
        security(("user" = [])),
        responses((status = 200)),
        operation_id = "order",
        impl_for = __session_path_order
    )]
    fn __described_order(
        __argument1: Path<u32>,
        __argument4: Json<Order>,
    ) -> Json<Receipt> {
        ::session_runtime::__private::openapi::unreachable()
    }
    const _: () = ::core::assert!(
        ::session_runtime::__private::openapi::name_one_of(& [& ["user"]], < User as
        ::session_runtime::__private::openapi::DescribedSession > ::SCHEMES),
        "this `security(...)` admits requests without a session of `User`, which `#[session]` turns away; remove it, as the requirement is added by itself, or name the scheme of `User` in each alternative (`scheme = \"...\"` on the type sets its name)"
    );
    const _: () = ::core::assert!(
        ::session_runtime::__private::openapi::are_distinct(< User as
        ::session_runtime::__private::openapi::DescribedSession > ::SCHEMES, < Cart as
        ::session_runtime::__private::openapi::DescribedSession > ::SCHEMES),
        "`User` and `Cart` have a security scheme of the same name; give one of them another: `#[session(scheme = \"...\")]`"
    );
    const _: () = ::core::assert!(
        ::session_runtime::__private::openapi::are_distinct(< User as
        ::session_runtime::__private::openapi::DescribedSession > ::SCHEMES, < Visitor as
        ::session_runtime::__private::openapi::DescribedSession > ::SCHEMES),
        "`User` and `Visitor` have a security scheme of the same name; give one of them another: `#[session(scheme = \"...\")]`"
    );
    const _: () = ::core::assert!(
        ::session_runtime::__private::openapi::are_distinct(< Cart as
        ::session_runtime::__private::openapi::DescribedSession > ::SCHEMES, < Visitor as
        ::session_runtime::__private::openapi::DescribedSession > ::SCHEMES),
        "`Cart` and `Visitor` have a security scheme of the same name; give one of them another: `#[session(scheme = \"...\")]`"
    );
    #[automatically_derived]
    impl ::session_runtime::__private::openapi::DescribedHandler for __path_order {
        type Operation = __session_path_order;
        fn session_uses() -> ::session_runtime::__private::openapi::Vec<
            ::session_runtime::__private::openapi::SessionUse,
        > {
            ::session_runtime::__private::openapi::Vec::from([
                ::session_runtime::__private::openapi::SessionUse::protected::<User>()
                    .exclusive()
                    .guard(
                        ::session_runtime::__private::openapi::forbids::<
                            User,
                            _,
                        >(|user| user.admin),
                    )
                    .fresh(),
                ::session_runtime::__private::openapi::SessionUse::or_default::<Cart>()
                    .exclusive(),
                ::session_runtime::__private::openapi::SessionUse::optional::<Visitor>()
                    .owned(),
            ])
        }
    }
    #[automatically_derived]
    impl ::session_runtime::__private::openapi::Path for __path_order {
        fn path() -> ::session_runtime::__private::openapi::String {
            ::session_runtime::__private::openapi::path::<Self>()
        }
        fn methods() -> ::session_runtime::__private::openapi::Vec<
            ::session_runtime::__private::openapi::HttpMethod,
        > {
            ::session_runtime::__private::openapi::methods::<Self>()
        }
        fn operation() -> ::session_runtime::__private::openapi::Operation {
            ::session_runtime::__private::openapi::operation::<Self>()
        }
    }
    #[automatically_derived]
    impl<'__t> ::session_runtime::__private::openapi::Tags<'__t> for __path_order {
        fn tags() -> ::session_runtime::__private::openapi::Vec<
            &'__t ::core::primitive::str,
        > {
            ::session_runtime::__private::openapi::tags::<Self>()
        }
    }
    #[automatically_derived]
    impl ::session_runtime::__private::openapi::SchemaReferences for __path_order {
        fn schemas(
            __schemas: &mut ::session_runtime::__private::openapi::Vec<
                (
                    ::session_runtime::__private::openapi::String,
                    ::session_runtime::__private::openapi::RefOr<
                        ::session_runtime::__private::openapi::Schema,
                    >,
                ),
            >,
        ) {
            ::session_runtime::__private::openapi::schemas::<Self>(__schemas)
        }
    }
};
