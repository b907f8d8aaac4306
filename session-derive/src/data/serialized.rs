//! How serde is told to write a struct's fields, as far as `public_json` follows it.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{
    Attribute, ExprPath, Field, LitStr, Member, Token, ext::IdentExt, meta::ParseNestedMeta, parse::Parse, token,
};

use crate::paths::{Runtime, SpanRange};

/// What serde is told of the struct.
#[derive(Default)]
pub(super) struct SerdeContainer {
    rename_all: Option<String>,
}

/// What serde is told of a field, and the name under which it is written.
#[derive(Default)]
pub(super) struct Serialized {
    name: String,
    skip: bool,
    skip_if: Option<ExprPath>,
    with: Option<TokenStream>,
    flatten: bool,
}

impl SerdeContainer {
    pub(super) fn of(attributes: &[Attribute]) -> Self {
        let mut container = Self::default();
        each(attributes, |meta| {
            match meta.path.require_ident()?.to_string().as_str() {
                "rename_all" => container.rename_all = for_writing(&meta)?.or(container.rename_all.take()),
                _ => pass(&meta)?,
            }
            Ok(())
        });
        container
    }

    pub(super) fn field(&self, field: &Field, member: &Member) -> Serialized {
        let mut serialized = Serialized::default();
        let mut renamed = None;
        each(&field.attrs, |meta| {
            match meta.path.require_ident()?.to_string().as_str() {
                "rename" => renamed = for_writing(&meta)?.or(renamed.take()),
                "skip" | "skip_serializing" => serialized.skip = true,
                "skip_serializing_if" => serialized.skip_if = Some(path(&meta)?),
                "serialize_with" => serialized.with = Some(path(&meta)?.into_token_stream()),
                "with" => {
                    let module = path(&meta)?;
                    serialized.with = Some(quote!(#module::serialize));
                }
                "flatten" => serialized.flatten = true,
                _ => pass(&meta)?,
            }
            Ok(())
        });
        let own = match member {
            Member::Named(ident) => recased(&ident.unraw().to_string(), self.rename_all.as_deref()),
            Member::Unnamed(index) => index.index.to_string(),
        };
        serialized.name = renamed.unwrap_or(own);
        serialized
    }
}

impl Serialized {
    /// The statement that shows the field.
    pub(super) fn expand(&self, shown: &Ident, member: &Member, place: SpanRange, runtime: &Runtime) -> TokenStream {
        let Self { name, skip, skip_if, with, flatten } = self;
        if *skip {
            return TokenStream::new();
        }
        let public = runtime.public();
        let item = matches!(member, Member::Unnamed(_));
        let span = place.span();
        let value = quote_spanned!(span=> &self.#member);
        let call = match with {
            Some(with) => {
                let serializer = runtime.json_serializer();
                let written = quote_spanned!(span=> &#with(#value, #serializer)?);
                if item {
                    quote_spanned!(span=> #public::item(&mut #shown, #written)?;)
                } else {
                    quote_spanned!(span=> #public::field(&mut #shown, #name, #written)?;)
                }
            }
            None if *flatten => quote_spanned!(span=> #public::flattened(&mut #shown, #value)?;),
            None if item => quote_spanned!(span=> #public::item(&mut #shown, #value)?;),
            None => quote_spanned!(span=> #public::field(&mut #shown, #name, #value)?;),
        };
        match skip_if {
            Some(skips) => quote_spanned!(span=> if !#skips(#value) { #call }),
            None => call,
        }
    }
}

/// Every option of every `#[serde(...)]`. What isn't understood is serde's to refuse.
fn each(attributes: &[Attribute], mut option: impl FnMut(ParseNestedMeta) -> syn::Result<()>) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let _ = attribute.parse_nested_meta(&mut option);
    }
}

fn pass(meta: &ParseNestedMeta) -> syn::Result<()> {
    if meta.input.peek(Token![=]) {
        meta.value()?.parse::<syn::Expr>()?;
    } else if meta.input.peek(token::Paren) {
        meta.input.parse::<proc_macro2::Group>()?;
    }
    Ok(())
}

/// `= "name"` or `(serialize = "name", ..)`
fn for_writing(meta: &ParseNestedMeta) -> syn::Result<Option<String>> {
    if !meta.input.peek(token::Paren) {
        return text::<LitStr>(meta).map(|name| Some(name.value()));
    }
    let mut found = None;
    meta.parse_nested_meta(|meta| {
        let name = text::<LitStr>(&meta)?.value();
        if meta.path.is_ident("serialize") {
            found = Some(name);
        }
        Ok(())
    })?;
    Ok(found)
}

fn path(meta: &ParseNestedMeta) -> syn::Result<ExprPath> {
    text::<LitStr>(meta)?.parse()
}

fn text<T: Parse>(meta: &ParseNestedMeta) -> syn::Result<T> {
    meta.value()?.parse()
}

/// A field's name as `rename_all` writes it.
fn recased(name: &str, rule: Option<&str>) -> String {
    let words = || name.split('_').filter(|word| !word.is_empty());
    let capitalized = |word: &str| {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        first.to_ascii_uppercase() + rest
    };
    match rule {
        Some("UPPERCASE" | "SCREAMING_SNAKE_CASE") => name.to_ascii_uppercase(),
        Some("PascalCase") => words().map(capitalized).collect(),
        Some("camelCase") => {
            let pascal: String = words().map(capitalized).collect();
            let (first, rest) = pascal.split_at(pascal.chars().next().map_or(0, char::len_utf8));
            first.to_ascii_lowercase() + rest
        }
        Some("kebab-case") => name.replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => name.to_ascii_uppercase().replace('_', "-"),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::recased;

    #[test]
    fn fields_are_recased_as_serde_does() {
        for (rule, expected) in [
            (None, "card_number"),
            (Some("lowercase"), "card_number"),
            (Some("snake_case"), "card_number"),
            (Some("UPPERCASE"), "CARD_NUMBER"),
            (Some("SCREAMING_SNAKE_CASE"), "CARD_NUMBER"),
            (Some("PascalCase"), "CardNumber"),
            (Some("camelCase"), "cardNumber"),
            (Some("kebab-case"), "card-number"),
            (Some("SCREAMING-KEBAB-CASE"), "CARD-NUMBER"),
        ] {
            assert_eq!(recased("card_number", rule), expected);
        }
    }
}
