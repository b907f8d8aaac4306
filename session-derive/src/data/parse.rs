//! Tokens become raw options, each where it was written; nothing is compared here.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::{Attribute, Data, DeriveInput, Field, LitStr, Member, Meta, Path};

use crate::{
    diag::Errors,
    options::{
        OptionSpec, Reader, Slot,
        backend::{self, RawBackend},
        clear_site_data::{self, ClearSiteData},
        cookie::{self, RawCookie},
        device_bound::{self, RawDeviceBound},
        encrypt,
        field::{self, FieldOptions},
        invalid::{self, Invalid},
        key,
        missing::{self, RawMissing},
        name,
        on_end::{self, OnEnd},
        owner::{self, RawLimit},
        public_origin, runtime, scheme, timeouts,
        transport::{self, RawTransport},
        trusted_origins::{self, RawOrigins},
        validate::{self, Validate},
        value::{RawValue, TEXT},
        verify::{self, Verify},
        version::{self, RawVersion},
    },
    paths::Runtime,
};

/// A type with its options as they were written.
pub(crate) struct Raw<'a> {
    pub(crate) input: &'a DeriveInput,
    pub(crate) options: DataOptions,
    /// The fields of a struct, in order.
    pub(crate) fields: Vec<RawField<'a>>,
}

/// A struct's field with its options as they were written.
pub(crate) struct RawField<'a> {
    pub(crate) field: &'a Field,
    /// How generated code names it: `name`, or `0`.
    pub(crate) member: Member,
    pub(crate) options: FieldOptions,
}

/// The options of the data attribute.
#[derive(Default)]
pub(crate) struct DataOptions {
    pub(crate) backend: Slot<RawBackend>,
    pub(crate) key: Slot<RawValue>,
    pub(crate) cookie: Slot<RawCookie>,
    pub(crate) transport: Slot<Vec<RawTransport>>,
    pub(crate) trusted_origins: Slot<RawOrigins>,
    pub(crate) public_origin: Slot<RawValue>,
    pub(crate) idle: Slot<RawValue>,
    pub(crate) lifetime: Slot<RawValue>,
    pub(crate) rotate_every: Slot<RawValue>,
    pub(crate) missing: Slot<RawMissing>,
    pub(crate) invalid: Slot<Invalid>,
    pub(crate) clear_site_data: Slot<ClearSiteData>,
    pub(crate) verify: Slot<Verify>,
    pub(crate) on_end: Slot<OnEnd>,
    pub(crate) validate: Slot<Validate>,
    pub(crate) version: Slot<RawVersion>,
    pub(crate) from: Slot<Path>,
    pub(crate) device_bound: Slot<RawDeviceBound>,
    pub(crate) encrypt: Slot<Span>,
    pub(crate) max_per_owner: Slot<RawLimit>,
    pub(crate) on_excess: Slot<RawLimit>,
    pub(crate) name: Slot<LitStr>,
    pub(crate) scheme: Slot<(Span, LitStr)>,
    pub(crate) runtime: Slot<Path>,
    /// Whether something unknown was written, which may have been meant for an option that is missing.
    pub(crate) unknown: bool,
}

/// Every option of the data attribute. A new one is a row here, a field above and a file in `options`.
const TABLE: &[OptionSpec<DataOptions>] = &[
    OptionSpec {
        name: "backend",
        usage: backend::USAGE,
        read: |options, key, input, errors| options.backend.read(backend::parse(key, input, errors)),
    },
    OptionSpec {
        name: "key",
        usage: key::USAGE,
        read: |options, key, input, _| options.key.read(key::parse(key, input)),
    },
    OptionSpec {
        name: "cookie",
        usage: cookie::USAGE,
        read: |options, key, input, errors| options.cookie.read(cookie::parse(key, input, errors)),
    },
    OptionSpec {
        name: "transport",
        usage: transport::USAGE,
        read: |options, key, input, errors| options.transport.read(transport::parse(key, input, errors)),
    },
    OptionSpec {
        name: "trusted_origins",
        usage: trusted_origins::USAGE,
        read: |options, key, input, errors| options.trusted_origins.read(trusted_origins::parse(key, input, errors)),
    },
    OptionSpec {
        name: "public_origin",
        usage: public_origin::USAGE,
        read: |options, key, input, _| options.public_origin.read(RawValue::parse(key, input, TEXT)),
    },
    OptionSpec {
        name: "idle",
        usage: timeouts::IDLE,
        read: |options, key, input, _| options.idle.read(RawValue::parse(key, input, TEXT)),
    },
    OptionSpec {
        name: "lifetime",
        usage: timeouts::LIFETIME,
        read: |options, key, input, _| options.lifetime.read(RawValue::parse(key, input, TEXT)),
    },
    OptionSpec {
        name: "rotate_every",
        usage: timeouts::RENEW_EVERY,
        read: |options, key, input, _| options.rotate_every.read(RawValue::parse(key, input, TEXT)),
    },
    OptionSpec {
        name: "missing",
        usage: missing::USAGE,
        read: |options, key, input, _| options.missing.read(missing::parse(key, input)),
    },
    OptionSpec {
        name: "invalid",
        usage: invalid::USAGE,
        read: |options, key, input, _| options.invalid.read(invalid::parse(key, input)),
    },
    OptionSpec {
        name: "clear_site_data",
        usage: clear_site_data::USAGE,
        read: |options, key, input, _| options.clear_site_data.read(clear_site_data::parse(key, input)),
    },
    OptionSpec {
        name: "verify",
        usage: verify::USAGE,
        read: |options, key, input, _| options.verify.read(verify::parse(key, input)),
    },
    OptionSpec {
        name: "on_end",
        usage: on_end::USAGE,
        read: |options, key, input, _| options.on_end.read(on_end::parse(key, input)),
    },
    OptionSpec {
        name: "validate",
        usage: validate::USAGE,
        read: |options, key, input, _| options.validate.read(validate::parse(key, input)),
    },
    OptionSpec {
        name: "version",
        usage: version::VERSION,
        read: |options, key, input, _| options.version.read(version::parse(key, input)),
    },
    OptionSpec {
        name: "from",
        usage: version::FROM,
        read: |options, key, input, _| options.from.read(version::parse_from(key, input)),
    },
    OptionSpec {
        name: "device_bound",
        usage: device_bound::USAGE,
        read: |options, key, input, errors| options.device_bound.read(device_bound::parse(key, input, errors)),
    },
    OptionSpec {
        name: "encrypt",
        usage: encrypt::USAGE,
        read: |options, key, input, _| options.encrypt.read(encrypt::parse(key, input)),
    },
    OptionSpec {
        name: "max_per_owner",
        usage: owner::MAX,
        read: |options, key, input, _| options.max_per_owner.read(owner::parse_max(key, input)),
    },
    OptionSpec {
        name: "on_excess",
        usage: owner::EXCESS,
        read: |options, key, input, _| options.on_excess.read(owner::parse_excess(key, input)),
    },
    OptionSpec {
        name: "name",
        usage: name::USAGE,
        read: |options, key, input, _| options.name.read(name::parse(key, input)),
    },
    OptionSpec {
        name: "scheme",
        usage: scheme::USAGE,
        read: |options, key, input, _| options.scheme.read(scheme::parse(key, input)),
    },
    OptionSpec {
        name: "crate",
        usage: runtime::USAGE,
        read: |options, key, input, _| options.runtime.read(runtime::parse(key, input)),
    },
];

impl Raw<'_> {
    pub(crate) fn runtime(&self) -> Runtime {
        Runtime::at(self.options.runtime.as_ref().written())
    }
}

/// Reads every `#[session(...)]` on the type as one list.
pub(crate) fn parse<'a>(input: &'a DeriveInput, errors: &mut Errors) -> Raw<'a> {
    let mut options = DataOptions::default();
    let mut reader = Reader::new("option", TABLE);
    for attribute in input.attrs.iter().filter(|attribute| is_session(attribute)) {
        if let Some(tokens) = list(attribute, "#[session(idle = \"30m\", ...)]", errors) {
            reader.read_tokens(tokens, &mut options, errors);
        }
    }
    options.unknown = reader.met_unknown();
    let fields = parse_fields(input, &mut options.unknown, errors);
    Raw { input, options, fields }
}

/// Reads the options of a struct's fields. What holds in every value can't stand in an enum's variants.
fn parse_fields<'a>(input: &'a DeriveInput, unknown: &mut bool, errors: &mut Errors) -> Vec<RawField<'a>> {
    match &input.data {
        Data::Struct(data) => data
            .fields
            .members()
            .zip(&data.fields)
            .map(|(member, field)| parse_field(member, field, unknown, errors))
            .collect(),
        Data::Enum(data) => {
            for variant in &data.variants {
                for attribute in variant.attrs.iter().filter(|attribute| is_session(attribute)) {
                    errors.over(attribute, "a variant has no options; `#[session(...)]` stands on the type itself");
                }
                let fields = variant.fields.iter().flat_map(|field| &field.attrs);
                for attribute in fields.filter(|attribute| is_session(attribute)) {
                    *unknown = true;
                    errors.over(
                        attribute,
                        "a field option needs a field that every session has, and this one belongs to a variant; move \
                         it to a struct that holds this enum as another field",
                    );
                }
            }
            Vec::new()
        }
        Data::Union(_) => Vec::new(),
    }
}

fn parse_field<'a>(member: Member, field: &'a Field, unknown: &mut bool, errors: &mut Errors) -> RawField<'a> {
    let mut options = FieldOptions::default();
    let mut reader = Reader::new("option of a field", field::TABLE);
    for attribute in field.attrs.iter().filter(|attribute| is_session(attribute)) {
        if let Some(tokens) = list(attribute, field::USAGE, errors) {
            reader.read_tokens(tokens, &mut options, errors);
        }
    }
    *unknown |= reader.met_unknown();
    RawField { field, member, options }
}

fn is_session(attribute: &Attribute) -> bool {
    attribute.path().is_ident("session")
}

/// What stands in the attribute's parentheses.
fn list(attribute: &Attribute, usage: &str, errors: &mut Errors) -> Option<TokenStream> {
    match &attribute.meta {
        Meta::List(list) => Some(list.tokens.clone()),
        Meta::Path(_) => {
            errors.over(attribute, format!("`#[session]` has no options here; write `{usage}` or remove it"));
            None
        }
        Meta::NameValue(pair) => {
            let value = pair.value.to_token_stream();
            errors.over(value, format!("options stand in parentheses; write `{usage}`"));
            None
        }
    }
}
