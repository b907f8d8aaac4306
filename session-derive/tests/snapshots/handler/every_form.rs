#[cfg(feature = "shop")]
fn shop(
    __argument0: State<Pool>,
    __session0: my_sessions::__private::OwnedFromRef<
        my_sessions::Sessions<User>,
        my_sessions::__private::Keyed<
            {
                const __KEY: ::core::primitive::u64 = my_sessions::__private::spec_key(
                    ::core::module_path!(),
                    ::core::line!(),
                    ::core::column!(),
                    1692996619097399863u64,
                );
                #[doc(hidden)]
                pub struct __session_shop;
                impl my_sessions::__private::SpecOf<__session_shop>
                for my_sessions::__private::SpecKey<__KEY> {}
                #[automatically_derived]
                impl my_sessions::__private::Spec for __session_shop {
                    const POLICY: my_sessions::__private::SessionPolicy = my_sessions::__private::SessionPolicy::protected()
                        .from_any_site()
                        .missing_handler(Self::missing)
                        .guard(Self::guard);
                    fn guard(
                        __data: &dyn my_sessions::__private::ErasedData,
                    ) -> ::core::result::Result<(), my_sessions::__private::Response> {
                        my_sessions::__private::verdict_of::<
                            User,
                            _,
                            _,
                        >(__data, guards::is_member)
                    }
                    fn missing(
                        __state: ::core::option::Option<
                            &my_sessions::__private::ErasedState,
                        >,
                    ) -> ::core::option::Option<my_sessions::__private::Missing> {
                        ::core::option::Option::Some(
                            my_sessions::__private::Missing::handler(crate::sorry),
                        )
                    }
                }
                #[automatically_derived]
                impl<__S> my_sessions::__private::TakesState<__S> for __session_shop {}
                __KEY
            },
            impl my_sessions::__private::Spec,
        >,
        my_sessions::__private::State<impl my_sessions::__private::HasSessions<User>>,
    >,
    __session1: my_sessions::__private::SharedFromRef<
        my_sessions::Sessions<Cart>,
        my_sessions::__private::Keyed<
            {
                const __KEY: ::core::primitive::u64 = my_sessions::__private::spec_key(
                    ::core::module_path!(),
                    ::core::line!(),
                    ::core::column!(),
                    17907425285839362070u64,
                );
                #[doc(hidden)]
                pub struct __session_shop_1;
                impl my_sessions::__private::SpecOf<__session_shop_1>
                for my_sessions::__private::SpecKey<__KEY> {}
                #[automatically_derived]
                impl my_sessions::__private::Spec for __session_shop_1 {
                    const POLICY: my_sessions::__private::SessionPolicy = my_sessions::__private::SessionPolicy::or_default(
                            Self::default,
                        )
                        .from_any_site();
                    fn default() -> ::core::option::Option<
                        my_sessions::__private::BoxedData,
                    > {
                        ::core::option::Option::Some(
                            my_sessions::__private::Box::new(
                                <Cart as ::core::default::Default>::default(),
                            ),
                        )
                    }
                }
                #[automatically_derived]
                impl<__S> my_sessions::__private::TakesState<__S> for __session_shop_1 {}
                __KEY
            },
            impl my_sessions::__private::Spec,
        >,
        my_sessions::__private::State<impl my_sessions::__private::HasSessions<Cart>>,
    >,
    __session2: my_sessions::__private::ExclusiveFromRef<
        my_sessions::Sessions<Visitor>,
        my_sessions::__private::Keyed<
            {
                const __KEY: ::core::primitive::u64 = my_sessions::__private::spec_key(
                    ::core::module_path!(),
                    ::core::line!(),
                    ::core::column!(),
                    15675109878871772661u64,
                );
                #[doc(hidden)]
                pub struct __session_shop_2;
                impl my_sessions::__private::SpecOf<__session_shop_2>
                for my_sessions::__private::SpecKey<__KEY> {}
                #[automatically_derived]
                impl my_sessions::__private::Spec for __session_shop_2 {
                    const POLICY: my_sessions::__private::SessionPolicy = my_sessions::__private::SessionPolicy::optional()
                        .wait(::core::time::Duration::from_millis(1500u64))
                        .from_any_site()
                        .save_always();
                }
                #[automatically_derived]
                impl<__S> my_sessions::__private::TakesState<__S> for __session_shop_2 {}
                __KEY
            },
            impl my_sessions::__private::Spec,
        >,
        my_sessions::__private::State<impl my_sessions::__private::HasSessions<Visitor>>,
    >,
    __session3: my_sessions::__private::SlotFromRef<
        my_sessions::Sessions<Login>,
        my_sessions::__private::Keyed<
            {
                const __KEY: ::core::primitive::u64 = my_sessions::__private::spec_key(
                    ::core::module_path!(),
                    ::core::line!(),
                    ::core::column!(),
                    13442794471904183252u64,
                );
                #[doc(hidden)]
                pub struct __session_shop_3;
                impl my_sessions::__private::SpecOf<__session_shop_3>
                for my_sessions::__private::SpecKey<__KEY> {}
                #[automatically_derived]
                impl my_sessions::__private::Spec for __session_shop_3 {
                    const POLICY: my_sessions::__private::SessionPolicy = my_sessions::__private::SessionPolicy::optional()
                        .from_any_site();
                }
                #[automatically_derived]
                impl<__S> my_sessions::__private::TakesState<__S> for __session_shop_3 {}
                __KEY
            },
            impl my_sessions::__private::Spec,
        >,
        my_sessions::__private::State<impl my_sessions::__private::HasSessions<Login>>,
    >,
) -> my_sessions::__private::HandlerFuture<'static> {
    async fn shop(
        State(db): State<Pool>,
        mut user: Session<User>,
        cart: &Cart,
        visitor: Option<&mut Visitor>,
        slot: SessionSlot<Login>,
    ) {}
    fn __call<'__request>(
        __entered: &'__request mut my_sessions::__private::HandlerSessions<'_>,
        (__argument0,): (State<Pool>,),
    ) -> my_sessions::__private::ResponseFuture<'__request> {
        let __handler = shop;
        let [__session0, __session1, __session2, __session3] = __entered.each();
        my_sessions::__private::answer(
            my_sessions::__private::Box::new(
                __handler(
                    __argument0,
                    __session0.give::<User>(),
                    __session1.lend::<Cart>(),
                    __session2.lend_mut_optional::<Visitor>(),
                    __session3.give_slot::<Login>(),
                ),
            ),
            my_sessions::__private::IntoResponse::into_response,
        )
    }
    if false {
        my_sessions::__private::lends::<Visitor>();
    }
    my_sessions::__private::serve(
        [__session0.session, __session1.session, __session2.session, __session3.session],
        (__argument0,),
        __call,
    )
}
