//! The one schema of all refusals.

use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::web::ProblemKind;

pub(super) const NAME: &str = "Problem";

/// The schema of the refusals that sessions cause: `application/problem+json`
/// ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).
///
/// Descriptions get it by themselves, under the name `Problem`. Name it where you describe such a response yourself:
///
/// ```
/// # use session_runtime::openapi::Problem;
/// #[utoipa::path(
///     post,
///     path = "/login",
///     responses((status = 200), (status = 409, body = Problem, content_type = "application/problem+json"))
/// )]
/// async fn login() {}
/// # let _ = login();
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Problem(());

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        schema()
    }
}

impl ToSchema for Problem {
    fn name() -> std::borrow::Cow<'static, str> {
        NAME.into()
    }
}

pub(super) fn reference() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(NAME))
}

/// Text with these words about it.
fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).description(Some(description))
}

fn number(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).description(Some(description))
}

pub(super) fn schema() -> RefOr<Schema> {
    let kinds = ProblemKind::ALL.iter().map(|kind| kind.uri());
    let field = ObjectBuilder::new()
        .property("field", text("Its path."))
        .required("field")
        .property("detail", text("What is wrong."))
        .required("detail");
    let errors =
        ArrayBuilder::new().items(field).description(Some("The fields at fault: of the type `invalid` alone."));
    let schema = ObjectBuilder::new()
        .description(Some("Why a request was refused (RFC 9457)."))
        .property("type", text("What went wrong.").enum_values(Some(kinds)))
        .required("type")
        .property("title", text("The same for people."))
        .required("title")
        .property("status", number("The response's status."))
        .required("status")
        .property("detail", text("What to do about it."))
        .required("detail")
        .property("max_age", number("How old an authentication may be, in seconds: of the type `stale` alone."))
        .property("errors", errors);
    RefOr::T(Schema::Object(schema.build()))
}
