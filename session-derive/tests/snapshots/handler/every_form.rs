#[cfg(feature = "shop")]
fn shop(
    __argument0: State<Pool>,
    __session0: my_sessions::__private::OwnedFromRef<
        my_sessions::Sessions<User>,
        __session_shop,
    >,
    __session1: my_sessions::__private::ExclusiveFromRef<
        my_sessions::Sessions<Cart>,
        __session_shop_1,
    >,
    __session2: my_sessions::__private::SharedFromRef<
        my_sessions::Sessions<Visitor>,
        __session_shop_2,
    >,
    __session3: my_sessions::__private::SlotFromRef<
        my_sessions::Sessions<Login>,
        __session_shop_3,
    >,
) -> my_sessions::__private::Answering<'static> {
    async fn shop(
        State(db): State<Pool>,
        mut user: Session<User>,
        cart: &mut Cart,
        visitor: Option<&Visitor>,
        slot: SessionSlot<Login>,
    ) {}
    if false {
        my_sessions::__private::lends::<Cart>();
    }
    my_sessions::__private::serve(
        my_sessions::__private::Party::several([
            __session0.guest,
            __session1.guest,
            __session2.guest,
            __session3.guest,
        ]),
        (__argument0,),
        |__entered, (__argument0,)| {
            let __handler = shop;
            let [__session0, __session1, __session2, __session3] = __entered.each();
            my_sessions::__private::answer(
                __handler(
                    __argument0,
                    __session0.give::<User>(),
                    __session1.lend_mut::<Cart>(),
                    __session2.lend_optional::<Visitor>(),
                    __session3.give_slot::<Login>(),
                ),
                my_sessions::__private::IntoResponse::into_response,
            )
        },
    )
}
#[cfg(feature = "shop")]
#[doc(hidden)]
struct __session_shop;
#[cfg(feature = "shop")]
#[automatically_derived]
impl my_sessions::__private::Spec for __session_shop {
    type Data = User;
    const ACCESS: my_sessions::__private::Access = my_sessions::__private::Access::Protected;
    const CSRF: ::core::primitive::bool = false;
    const MISSING_HANDLER: ::core::primitive::bool = true;
    fn missing() -> ::core::option::Option<my_sessions::__private::Missing> {
        ::core::option::Option::Some(
            my_sessions::__private::Missing::handler(crate::sorry),
        )
    }
    fn guard(
        __data: &User,
    ) -> ::core::result::Result<(), my_sessions::__private::Response> {
        my_sessions::__private::verdict(__data, guards::is_member)
    }
}
#[cfg(feature = "shop")]
#[doc(hidden)]
struct __session_shop_1;
#[cfg(feature = "shop")]
#[automatically_derived]
impl my_sessions::__private::Spec for __session_shop_1 {
    type Data = Cart;
    const ACCESS: my_sessions::__private::Access = my_sessions::__private::Access::OrDefault;
    const WAIT: ::core::option::Option<::core::time::Duration> = ::core::option::Option::Some(
        ::core::time::Duration::from_millis(1500u64),
    );
    const CSRF: ::core::primitive::bool = false;
    fn default() -> ::core::option::Option<Cart> {
        ::core::option::Option::Some(<Cart as ::core::default::Default>::default())
    }
}
#[cfg(feature = "shop")]
#[doc(hidden)]
struct __session_shop_2;
#[cfg(feature = "shop")]
#[automatically_derived]
impl my_sessions::__private::Spec for __session_shop_2 {
    type Data = Visitor;
    const ACCESS: my_sessions::__private::Access = my_sessions::__private::Access::Optional;
    const CSRF: ::core::primitive::bool = false;
}
#[cfg(feature = "shop")]
#[doc(hidden)]
struct __session_shop_3;
#[cfg(feature = "shop")]
#[automatically_derived]
impl my_sessions::__private::Spec for __session_shop_3 {
    type Data = Login;
    const ACCESS: my_sessions::__private::Access = my_sessions::__private::Access::Optional;
    const CSRF: ::core::primitive::bool = false;
}
